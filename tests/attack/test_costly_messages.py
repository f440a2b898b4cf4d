"""No message costs more than its bytes: none of any shape holds up the sessions beside it.

The measure is the processor time of a message on the loop, against that of a harmless message in
the same run: a message of sixteen megabytes of sound, or a long history in the plainest spelling.
"""

# ruff: noqa: UP031 - JSON is full of braces

import asyncio
import contextlib
import json
import time
from collections.abc import Callable

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from live_cli.errors import RemoteProtocolError
from live_cli.net.server.limits.payload import MOST_JSON_BYTES, payload_complaint
from live_cli.protocol.events import AudioReceived
from live_cli.protocol.messages import ServerMessage, SetupComplete
from live_cli.protocol.session import Role, Session
from live_cli.protocol.wire import MOST_UNKNOWN, decode_client, find_unknown_fields
from tests.harness.costly_payloads import REFUSED, SIZE, SOUND, TAKEN, turns
from tests.harness.live_client import SETUP, receive, said, say, set_up
from tests.harness.live_server import running_server
from tests.harness.loop_lag import watched_loop


def seconds(work: Callable[[], object]) -> float:
    """Processor time of this thread, the best of three."""
    times = []
    for _ in range(3):
        begun = time.thread_time()
        with contextlib.suppress(Exception):
            work()
        times.append(time.thread_time() - begun)
    return min(times)


@pytest.fixture(scope="module")
def harmless_s() -> float:
    """What a message of sixteen megabytes of sound takes to read."""
    sound = '{"realtimeInput":{"audio":{"data":"%s"}}}' % SOUND
    return seconds(lambda: decode_client(sound))


@pytest.mark.parametrize("payload", TAKEN.values(), ids=TAKEN)
def test_no_message_takes_longer_than_the_longest_sound(payload: str, harmless_s: float) -> None:
    given = payload.encode()
    assert seconds(lambda: decode_client(given)) < 3 * harmless_s
    assert seconds(lambda: find_unknown_fields(given)) < 3 * harmless_s


@pytest.mark.parametrize("fill", [" ", ";", "; ", ";rate =", ";channels= "])
@pytest.mark.parametrize("field", ["audio", "mediaChunks"])
def test_megabytes_in_a_mime_type_are_not_searched(field: str, fill: str) -> None:
    def payload_of(mime_type: str) -> str:
        blob = {"data": "AAAA", "mimeType": mime_type}
        return json.dumps({"realtimeInput": {field: [blob] if field == "mediaChunks" else blob}})

    session = Session(Role.SERVER)
    session.receive(json.dumps(SETUP), 0.0)
    session.send(ServerMessage(setup_complete=SetupComplete()), 0.0)
    [event] = session.receive(payload_of(f"audio/pcm;{' ' * 200};rate=8000"), 0.0)
    assert isinstance(event, AudioReceived)
    assert event.sample_rate == 8000
    with pytest.raises(RemoteProtocolError, match="256 characters"):
        session.receive(payload_of(f"audio/pcm;{fill * (SIZE // len(fill))}"), 0.0)


@pytest.mark.parametrize("kind", ["turns", "parts", "unknown", "snake"])
def test_reading_takes_time_in_proportion_to_what_is_read(kind: str) -> None:
    def cost(count: int) -> float:
        if kind == "parts":
            payload = turns(",".join(["{}"] * count), 1)
        else:
            part = {"turns": '{"text":"a"}', "unknown": '{"a":1}', "snake": '{"a_b":1}'}[kind]
            payload = turns(part, count)
        return seconds(lambda: (decode_client(payload), find_unknown_fields(payload)))

    cost(100)  # tables of fields are made once
    assert cost(8 * 500) < 4 * 8 * cost(500)


def test_of_many_unknown_fields_the_first_are_named() -> None:
    payload = turns('{"nope":1}', 1000)
    found = find_unknown_fields(payload)
    assert found == [f"client_content.turns[{n}].parts[0].nope" for n in range(MOST_UNKNOWN)]


async def attack(client: ClientConnection, payload: str) -> None:
    with contextlib.suppress(ConnectionClosed):
        await client.send(payload.encode(), text=True)
        await client.send(say("done"))
        async with asyncio.timeout(60):
            while True:
                await client.recv()


@pytest.mark.parametrize("strict", [False, True])
async def test_the_loop_goes_on_through_all_of_them(strict: bool) -> None:
    """The canary is another session, answered all the while; both ends share this loop."""
    async with running_server(strict=strict) as server, server.connect() as canary:
        await set_up(canary)
        answers = 0
        worst = {}
        for name, payload in {**TAKEN, **REFUSED}.items():
            async with server.connect() as client:
                await set_up(client)
                attacking = asyncio.create_task(attack(client, payload))
                async with watched_loop() as lag:
                    for _ in range(3):
                        await canary.send(say("still there?"))
                        assert said(await receive(canary)) == "still there?"
                        answers += 1
                    attacking.cancel()
                    await asyncio.wait({attacking})
            worst[name] = lag.worst_ms
        assert answers == 3 * len(worst)
        # both ends copy and mask sixteen megabytes on this loop: on the server alone it is a third
        assert sorted(worst.values())[len(worst) // 2] < 250, worst


async def test_sessions_run_between_the_messages_of_a_full_inbox() -> None:
    """A session's waiting messages are handled one by one, with the others in between."""
    async with running_server() as server, server.connect() as canary, server.connect() as client:
        await set_up(canary)
        await set_up(client)
        flood = say("x" * 300)
        for _ in range(4000):
            await client.send(flood)
        session = server.engine.sessions[1]
        before = len(session.events)
        await canary.send(say("now?"))
        assert said(await receive(canary)) == "now?"
        assert len(session.events) - before < 4000


def test_limits_are_what_a_long_conversation_needs() -> None:
    """Three hours of talk in one message; an instruction of half a megabyte."""
    said_in_3_h = [{"role": "user", "parts": [{"text": "Well, yes, of course. " * 10}]}] * 2000
    assert payload_complaint(json.dumps({"clientContent": {"turns": said_in_3_h}}).encode()) is None
    assert MOST_JSON_BYTES > 2 * 128_000 * 4
