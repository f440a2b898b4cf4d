"""No message costs more than its bytes: none of any shape holds up the sessions beside it.

The measure is the processor time of a message on the loop, against that of a harmless message in
the same run: a message of sixteen megabytes of sound, or a long history in the plainest spelling.
"""

# ruff: noqa: UP031 - JSON is full of braces

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Callable
from typing import Final

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from live_cli.net.server.limits.payload import MOST_JSON_BYTES, MOST_VALUES, payload_complaint
from live_cli.protocol.wire import MOST_UNKNOWN, decode_client, find_unknown_fields
from tests.harness.live_client import receive, said, say, set_up
from tests.harness.live_server import running_server
from tests.harness.loop_lag import watched_loop

SIZE: Final = 1_000_000
"""Of a costly message, for those that are worked on; the largest such one is as large."""
MANY: Final = MOST_VALUES // 8
"""Of things with up to eight commas and brackets."""
SOUND: Final = base64.b64encode(bytes(11_000_000)).decode()


def turns(part: str, count: int = MANY) -> str:
    return '{"clientContent":{"turns":[%s]}}' % ",".join(['{"parts":[%s]}' % part] * count)


def response(value: str) -> str:
    inner = '{"id":"a","name":"b","response":{"x":%s}}' % value
    return '{"toolResponse":{"functionResponses":[%s]}}' % inner


def tools(declaration: str, count: int = MANY) -> str:
    each = ",".join([declaration] * count)
    return '{"contextUpdate":{"tools":{"tools":[{"functionDeclarations":[%s]}]}}}' % each


def text(words: str) -> str:
    return '{"realtimeInput":{"text":"%s"}}' % words


TAKEN: Final[dict[str, str]] = {
    "turns": turns('{"text":"x"}'),
    "turns in snake case": turns('{"text":"x","inline_data":null}'),
    "empty parts": turns(",".join(["{}"] * (MOST_VALUES // 3)), 1),
    "unknown fields in each part": turns('{"nope":1}'),
    "unknown fields of one object": '{"clientContent":{%s}}'
    % ",".join(f'"k{number}":0' for number in range(MOST_VALUES - 10)),
    "one field many times": '{"clientContent":{%s}}'
    % ",".join(['"turnComplete":false'] * (MOST_VALUES - 10)),
    "objects in a result": response("[%s]" % ",".join(['{"a":1}'] * (MOST_VALUES // 3))),
    "numbers that hardly fit": response("[%s]" % ",".join(["1.2345678901234567e-300"] * 19_000)),
    "numbers of 4,000 digits": response("[%s]" % ",".join(["9" * 4000] * (SIZE // 4001))),
    "a number of a million digits": response("9" * SIZE),
    "a fraction of a million digits": response("0." + "9" * SIZE),
    "depth": response("[" * 100_000 + "]" * 100_000),
    "depth that is read": response('{"a":' * 500 + "1" + "}" * 500),
    "escapes": text("\\u0000" * (SIZE // 6)),
    "line ends": text("\\n" * (SIZE // 2)),
    "pairs of escapes": text("\\ud83d\\ude00" * (SIZE // 12)),
    "emoji": text("😀" * (SIZE // 4)),
    "underscores by escape": text("\\u005f" * (SIZE // 6)),
    "spaces": "{" + " " * SIZE + '"realtimeInput":{"text":"a"}}',
    "a long name": '{"realtimeInput":{"%s":1}}' % ("aB" * (SIZE // 2)),
    "a long name with underscores": '{"realtimeInput":{"%s":1}}' % ("a_" * (SIZE // 2)),
    "a long enum": '{"contextUpdate":{"tools":{"tools":[{"functionDeclarations":'
    '[{"name":"a","behavior":"%s"}]}]}}}' % ("ß" * (SIZE // 2)),
    "a long MIME type": '{"realtimeInput":{"audio":{"data":"AAAA","mimeType":"audio/pcm%s"}}}'
    % (";rate =" * (SIZE // 7)),
    "spaces in a MIME type": '{"realtimeInput":{"audio":{"data":"AAAA","mimeType":"audio/pcm;%s"}}}'
    % (" " * SIZE),
    "functions": tools('{"name":"a"}'),
    "base64 for URLs": '{"realtimeInput":{"audio":{"data":"%s"}}}' % ("-_" * 5_000_000),
}
REFUSED: Final[dict[str, str]] = {
    "text of 15 MB": text("x" * 15_000_000),
    "values of 15 MB": response("[%s]" % ",".join(["1"] * 7_000_000)),
    "media in name": '{"realtimeInput":{"text":"x","data":"%s"}}' % ("\\n" * 7_000_000),
    "brackets": "[" * 15_000_000,
    "quotes": '"' * 15_000_000,
    "backslashes": "\\" * 15_000_000,
    "names of media": '"data"' * 2_500_000,
    "no JSON": "}" * 15_000_000,
    "no text": "\\ud800" * 150_000,
}


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
