"""Clients that do the server harm, or try to: others go on being served, and nothing is left."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import struct
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest
from websockets.exceptions import ConnectionClosed

from live_cli.engine.engine import LiveEngine
from live_cli.engine.stages import StageNames
from live_cli.net.server.limits.limits import Limits
from tests.harness.live_client import PATH, SETUP, WITHIN_S, ending, receive, said, say, set_up
from tests.harness.live_server import LiveServer, running_server
from tests.harness.mutation import mutated
from tests.harness.sdk_payloads import PAYLOADS, token_requests

SETUPS = [payload for payload in PAYLOADS.values() if payload.startswith('{"setup"')]
MESSAGES = [payload for payload in PAYLOADS.values() if not payload.startswith('{"setup"')]
REFUSALS = {1007, 1008, 1009}
ALPHA = PATH.replace("v1beta", "v1alpha")
IMPATIENT = Limits(request_s=0.3, setup_s=0.3, unsent_s=0.3, grace_s=0.5, sessions=100)


@contextlib.asynccontextmanager
async def witnessed(server: LiveServer) -> AsyncIterator[None]:
    """Another session is answered before, all the while and after; then no session is left."""
    async with server.connect() as client:
        await set_up(client)
        over = asyncio.Event()

        async def ask() -> None:
            count = 0
            while not over.is_set() or count < 2:
                count += 1
                await client.send(say(f"question {count}"))
                assert said(await receive(client)) == f"question {count}"
                await asyncio.sleep(0.01)

        asking = asyncio.create_task(ask())
        yield
        over.set()
        await asking
    async with asyncio.timeout(WITHIN_S):
        for session in server.engine.sessions:
            await session.closed.wait()


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with running_server(limits=IMPATIENT) as server:
        yield server


def masked(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A client's frame with a mask of zeros (RFC 6455, 5.2)."""
    first = (0x80 if final else 0) | opcode
    if len(payload) < 126:
        return bytes([first, 0x80 | len(payload), 0, 0, 0, 0]) + payload
    return struct.pack("!BBQI", first, 0xFF, len(payload), 0) + payload


@contextlib.asynccontextmanager
async def raw(
    server: LiveServer, *, upgraded: bool = True
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    try:
        if upgraded:
            head = [f"GET {PATH} HTTP/1.1", "host: localhost", "upgrade: websocket"]
            head += ["connection: upgrade", "sec-websocket-version: 13"]
            writer.write(
                "\r\n".join([*head, "sec-websocket-key: " + "0" * 22 + "==", "", ""]).encode()
            )
            await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def drained(reader: asyncio.StreamReader, last: bytes = b"\0" * 9) -> bytes:
    """The last of what comes until the server ends the connection, or until ``last``."""
    read = b""
    async with asyncio.timeout(WITHIN_S):
        with contextlib.suppress(ConnectionError):
            while last not in read and (piece := await reader.read(2**16)):
                read = (read + piece)[-2000:]
    return read


# --- payloads that are nearly right, on the whole server but for its models --------------------


@pytest.fixture
async def whole() -> AsyncIterator[LiveServer]:
    names = StageNames("scripted", "scripted", "scripted:Good day.", "scripted", "silence")

    async def no_time(seconds: float) -> None:
        await asyncio.sleep(0)

    engine = LiveEngine(names, sleep=no_time)
    async with running_server(engine=engine) as server:
        yield server
    await engine.close()


@pytest.mark.parametrize("seed", range(3))
async def test_mutated_setups_are_taken_or_refused(
    whole: LiveServer, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    random = Random(seed)
    for path in (PATH, ALPHA) * 40:
        async with whole.connect(path) as client:
            await client.send(mutated(random.choice(SETUPS), random))
            with contextlib.suppress(ConnectionClosed):
                assert "setupComplete" in await receive(client)
        assert client.close_code in {1000} | REFUSALS, client.close_reason
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("seed", range(3))
async def test_mutated_messages_are_taken_or_refused(
    whole: LiveServer, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    random = Random(seed)
    setup = json.dumps({"setup": {"model": "models/local"}})
    asked = {"model": "models/local", "generationConfig": {"responseModalities": ["TEXT"]}}
    witness = await whole.connect()
    await witness.send(json.dumps({"setup": asked}))
    await receive(witness)
    for _ in range(40):
        await witness.send(say("Are you there?"))
        async with whole.connect() as client:
            with contextlib.suppress(ConnectionClosed):
                await client.send(setup)
                for _ in range(random.randint(1, 8)):
                    await client.send(mutated(random.choice(MESSAGES), random))
                await client.send('{"clientContent": {"turnComplete": true}}')
                while "turnComplete" not in (await receive(client)).get("serverContent", {}):
                    pass
        assert client.close_code in {1000} | REFUSALS, client.close_reason
        answer = ""
        while "turnComplete" not in (content := (await receive(witness))["serverContent"]):
            parts = content.get("modelTurn", {}).get("parts", [])
            answer += "".join(part["text"] for part in parts)
        assert answer == "Good day."
    await witness.close()
    assert [record for record in caplog.records if record.exc_info] == []


async def test_mutated_requests_for_tokens_are_answered_by_name(
    server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    random = Random(0)
    bodies = [body for _, body in token_requests() if body]
    statuses = set()
    for _ in range(200):
        mutated_body = mutated(random.choice(bodies), random)
        body = mutated_body.encode() if isinstance(mutated_body, str) else mutated_body
        status, _, answer = await server.ask("POST", "/v1alpha/auth_tokens", body=body)
        statuses.add(status)
        assert ("name" in json.loads(answer)) == (status == 200), body
        assert status == 200 or json.loads(answer)["error"]["message"], body
    assert statuses == {200, 400}
    assert [record for record in caplog.records if record.exc_info] == []


# --- sockets that do not do what sockets do ----------------------------------------------------


async def test_fifty_who_never_speak_are_let_go(server: LiveServer) -> None:
    """Silent, half a request, a request without its body, and upgraded without a setup."""
    post = b"POST /v1/auth_tokens HTTP/1.1\r\nhost: localhost\r\n"
    beginnings = (b"", b"GET / HT", post, post + b"content-length: 9\r\n\r\n")
    async with witnessed(server), contextlib.AsyncExitStack() as stack:
        waiting = []
        for number in range(50):
            upgraded = number % 5 == 4
            reader, writer = await stack.enter_async_context(raw(server, upgraded=upgraded))
            if not upgraded:
                writer.write(beginnings[number % 5])
            waiting.append(drained(reader, b"of connecting." if upgraded else b"DEADLINE_"))
        ends = await asyncio.gather(*waiting)
    # on a busy machine some run out of time in the phase before
    assert 0 < sum(b"No setup message came" in end for end in ends) <= 10
    assert 0 < sum(b" 408 " in end for end in ends) <= 20


async def test_connections_beyond_the_most_are_dropped_and_places_come_back() -> None:
    limits = Limits(connections=20, request_s=1.0)
    async with running_server(limits=limits) as server, witnessed(server):
        async with contextlib.AsyncExitStack() as stack:
            ends = []
            for _ in range(60):
                reader, _ = await stack.enter_async_context(raw(server, upgraded=False))
                ends.append(asyncio.create_task(drained(reader)))
            async with asyncio.timeout(WITHIN_S):
                while sum(end.done() for end in ends) < 41:  # noqa: ASYNC110 - the witness has one
                    await asyncio.sleep(0.01)
            assert len(ends) - sum(end.done() for end in ends) <= 19
            await asyncio.gather(*ends)
        assert await server.get("/healthz") == (200, "ok\n")


async def test_half_closed_and_vanished_sockets_release_their_sessions(server: LiveServer) -> None:
    async with witnessed(server):
        for number in range(20):
            async with raw(server) as (reader, writer):
                writer.write(masked(1, json.dumps(SETUP).encode()))
                await reader.readuntil(b"setupComplete")
                if number % 2:
                    writer.write_eof()
                    await drained(reader)


@pytest.mark.parametrize(
    "frames",
    [
        [bytes([0x81, 0x02]) + b"{}"],  # not masked
        [masked(3, b"")],  # an opcode that there is not
        [bytes([0xF1, 0x80, 0, 0, 0, 0])],  # reserved bits
        [masked(0, b"x")],  # a continuation of nothing
        [masked(9, b"x" * 126)],  # a ping that is too long
        [masked(8, b"\x03")],  # half a close code
        [masked(1, b"\xff\xff")],  # text that is none
        [masked(1, b"{", final=False), masked(1, b"}")],  # a message within a message
        [struct.pack("!BBQI", 0x81, 0xFF, 2**62, 0)],  # a length without end
        [b"\x00" * 100],
    ],
)
async def test_what_is_no_websocket_is_ended(server: LiveServer, frames: list[bytes]) -> None:
    async with witnessed(server), raw(server) as (reader, writer):
        writer.write(masked(1, json.dumps(SETUP).encode()) + b"".join(frames))
        await drained(reader)


# --- too much, too fast, too slow --------------------------------------------------------------


async def test_a_flood_of_pings_is_answered_and_holds_nobody_up(server: LiveServer) -> None:
    async with witnessed(server), raw(server) as (reader, writer):
        writer.write(masked(1, json.dumps(SETUP).encode()))
        for _ in range(90):  # of 5,000 small frames that a client has in hand
            writer.write(masked(9, b"x" * 100) * 50)
            await reader.readexactly(50 * 102)


async def test_a_message_in_pieces_is_held_to_the_limit() -> None:
    limits = Limits(received_payload_bytes=100_000)
    async with (
        running_server(limits=limits) as server,
        witnessed(server),
        raw(server) as (reader, writer),
    ):
        writer.write(masked(1, json.dumps(SETUP).encode()) + masked(1, b" " * 1000, final=False))
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                writer.write(masked(0, b" " * 1000, final=False))
                await writer.drain()
        assert struct.pack("!H", 1009) in await drained(reader)


async def test_readers_that_do_not_read_are_cut_off(server: LiveServer) -> None:
    async with witnessed(server), contextlib.AsyncExitStack() as stack:
        for number in range(5):
            _, writer = await stack.enter_async_context(raw(server))
            writer.write(masked(1, json.dumps(SETUP).encode()))
            writer.write(masked(1, say("flood" if number % 2 else "audio 9000000").encode()))
        async with asyncio.timeout(WITHIN_S):
            while len(server.engine.sessions) < 6:  # noqa: ASYNC110 - opened from outside
                await asyncio.sleep(0.01)
            for session in server.engine.sessions[1:]:
                await session.closed.wait()


async def test_pings_of_a_peer_that_reads_no_pongs_do_not_pile_up() -> None:
    unlimited = Limits(small_messages_per_s=0)
    async with (
        running_server(limits=unlimited) as server,
        witnessed(server),
        raw(server) as (reader, writer),
    ):
        writer.write(masked(1, json.dumps(SETUP).encode()))
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        tracemalloc.start()
        for _ in range(400):
            writer.write(masked(9, b"x" * 125) * 300)
            await writer.drain()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 1_000_000  # of fifteen, less what the sockets take


async def test_a_session_that_hangs_holds_its_share_and_ends_when_its_client_is_gone() -> None:
    limits = Limits(held_bytes=1_000_000, ping_s=0.1, pong_s=1.0)
    async with (
        running_server(limits=limits) as server,
        witnessed(server),
        server.connect() as client,
    ):
        await set_up(client)
        await client.send(say("hang"))
        tracemalloc.start()
        sent = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3.5):  # longer than ping, pong and the last flush
                for _ in range(200):
                    await client.send(say("x" * 500_000))
                    sent += 1
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sent < 100  # of a hundred megabytes the sockets take some, the server one
        assert held < 10_000_000
        assert not server.engine.sessions[1].closed.is_set()  # alive, though its pongs are not read
        client.transport.abort()


# --- and then all is as it was -----------------------------------------------------------------


async def round_of_abuse(server: LiveServer, random: Random) -> None:
    for act in ("leave", "crash", "fail", "garbage", "audio 400000", "turn", "handle h", "hang"):
        async with server.connect(close_timeout=0.1) as client:
            await set_up(client)
            await client.send(random.randbytes(1000) if act == "garbage" else say(act))
            if act in ("crash", "fail", "garbage"):
                await ending(client)
            elif act == "hang":
                await server.engine.sessions[-1].hanging.wait()
    for number in range(10):
        async with raw(server) as (reader, writer):
            writer.write(masked(number, os.urandom(number * 20)))
            await reader.read(100)
    await server.ask("POST", "/v1/auth_tokens", body=b"{" * 1000)
    async with asyncio.timeout(WITHIN_S):
        for session in server.engine.sessions:
            await session.closed.wait()
    server.engine.sessions.clear()


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Turn logging off: records that pytest keeps hold payloads, whose memory is measured."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("unlogged")
async def test_memory_and_tasks_return_to_where_they_were(server: LiveServer) -> None:
    random, before = Random(0), len(asyncio.all_tasks())
    tracemalloc.start()
    try:
        for _ in range(5):
            await round_of_abuse(server, random)
            while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        most = tracemalloc.get_traced_memory()[1]
        assert most > 300_000
        async with asyncio.timeout(WITHIN_S):  # a cut connection keeps what is unsent for a second
            while tracemalloc.get_traced_memory()[0] >= most / 10:
                await asyncio.sleep(0.1)
                gc.collect()
    finally:
        tracemalloc.stop()
