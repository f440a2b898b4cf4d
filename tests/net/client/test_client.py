"""The client against real sockets on loopback: what goes right."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from live_cli.errors import LocalProtocolError, RemoteProtocolError
from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.net.close_codes import TOO_BIG_FOR_US
from live_cli.protocol import compose
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    GoingAway,
    SessionClosed,
    SessionOpened,
    TurnComplete,
)
from live_cli.protocol.messages import Content, Part, Setup
from live_cli.protocol.states import State
from live_cli.protocol.wire import decode_client

KEY = "AIza-one-time-secret"
SETUP = Setup(model="models/m")
OPENED = '{"setupComplete":{"sessionId":"s"}}'
Handler = Callable[[ServerConnection], Awaitable[None]]


def at(port: int, key: str | None = KEY) -> Address:
    return Address(f"ws://127.0.0.1:{port}", key, "v1beta", "the test server")


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Address]:
    async with serve(handler, "127.0.0.1", 0, max_size=None) as server:
        yield at(server.sockets[0].getsockname()[1])


async def opened(socket: ServerConnection) -> None:
    await socket.recv()
    await socket.send(OPENED)


async def events_of(client: LiveClient) -> list[Event]:
    return [event async for event in client]


async def test_a_session_from_setup_to_close() -> None:
    seen = []

    async def handler(socket: ServerConnection) -> None:
        request = socket.request
        assert request is not None
        seen.append((request.path, request.headers["x-goog-api-key"]))
        seen.append(await socket.recv())
        await socket.send(OPENED.encode())
        seen.append(await socket.recv())
        await socket.send(b'{\n  "serverContent": {\n    "turnComplete": true\n  }\n}\n')

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        assert client.state is State.LISTENING
        await client.send(compose.turns([Content(role="user", parts=[Part(text="Hi")])]))
        assert await events_of(client) == [
            SessionOpened("s"),
            TurnComplete(1),
            SessionClosed(1000, ""),
        ]
    path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    assert seen[0] == (path, KEY)
    assert seen[1:] == [
        '{"setup":{"model":"models/m"}}',
        '{"clientContent":{"turns":[{"role":"user","parts":[{"text":"Hi"}]}],"turnComplete":true}}',
    ]


async def test_everything_a_client_sends() -> None:
    received: list[str | bytes] = []

    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        received.extend([payload async for payload in socket])

    async with serving(handler) as address, await LiveClient.connect(address, SETUP) as client:
        await client.send(compose.audio(b"\x01\x00" * 320))
        await client.send(compose.text("x"))
        await client.send(compose.audio_stream_end())
        with pytest.raises(LocalProtocolError):
            await client.send(compose.activity_start())
    assert [list(json.loads(payload)["realtimeInput"]) for payload in received] == [
        ["audio"],
        ["text"],
        ["audioStreamEnd"],
    ]
    first = decode_client(received[0]).realtime_input
    assert first is not None
    assert first.audio is not None
    assert (first.audio.data, first.audio.mime_type) == (b"\x01\x00" * 320, "audio/pcm;rate=16000")


async def test_session_opened_comes_first_whatever_the_server_says_before() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"goAway":{"timeLeft":"5s"}}')
        await socket.send(OPENED)

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        assert (await events_of(client))[:2] == [SessionOpened("s"), GoingAway(5.0)]
        assert client.leaving_at is not None


async def test_two_mebibytes_in_one_message() -> None:
    part = {"inlineData": {"data": "AAAA" * (512 * 1024), "mimeType": "audio/pcm;rate=24000"}}

    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        await socket.send(json.dumps({"serverContent": {"modelTurn": {"parts": [part]}}}))

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        await anext(client)
        chunk = await anext(client)
        assert isinstance(chunk, AudioChunk)
        assert len(chunk.data) == 512 * 1024 * 3
        await client.close()


async def test_a_drop_in_a_turn_says_what_was_lost() -> None:
    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        await socket.send('{"serverContent":{"modelTurn":{"parts":[{"text":"I was"}]}}}')
        await asyncio.sleep(0)
        socket.transport.abort()

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        assert (await events_of(client))[-1] == SessionClosed(1006, "", turn_lost=True)
        await client.send(compose.text("nobody hears this, and nothing is raised"))
        await client.close()
        assert await events_of(client) == []


async def test_a_close_with_a_reason() -> None:
    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        await socket.close(1011, "Deadline expired before operation could complete.")

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        assert (await events_of(client))[-1] == SessionClosed(
            1011, "Deadline expired before operation could complete."
        )


@pytest.mark.parametrize("garbage", ["hello", b"\xff\xfe", "[" * 100_000, '{"serverContent":7}'])
async def test_garbage_in_a_session(garbage: str | bytes) -> None:
    codes = []

    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        await socket.send(garbage)
        await socket.wait_closed()
        codes.append(socket.close_code)

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        with pytest.raises(RemoteProtocolError, match="The test server sent what is no Live API"):
            await events_of(client)
        assert await events_of(client) == []
    assert codes == [1007]


async def test_a_message_beyond_every_limit_closes_the_session() -> None:
    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        await socket.send(" " * (17 * 1024 * 1024))

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        last = (await events_of(client))[-1]
        assert last == SessionClosed(1009, TOO_BIG_FOR_US)


async def test_closing_while_another_task_listens() -> None:
    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        await socket.wait_closed()

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        listening = asyncio.create_task(events_of(client))
        await asyncio.sleep(0)
        await client.close()
        assert (await listening)[-1] == SessionClosed(1000, "")


async def test_cancelling_a_listener_loses_nothing() -> None:
    go = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        await go.wait()
        await socket.send('{"serverContent":{"turnComplete":true}}')

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        assert await anext(client) == SessionOpened("s")
        listening = asyncio.create_task(anext(client))
        await asyncio.sleep(0.01)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        go.set()
        assert await anext(client) == TurnComplete(1)
        await client.close()


async def test_a_server_that_does_not_read_makes_the_sender_wait() -> None:
    release = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        await opened(socket)
        socket.transport.pause_reading()
        await release.wait()
        socket.transport.abort()

    async with serving(handler) as address:
        client = await LiveClient.connect(address, SETUP)
        sent = 0

        async def pour() -> None:
            nonlocal sent
            while client.state is not State.CLOSED and sent < 10_000:
                await client.send(compose.audio(bytes(64_000)))
                sent += 1

        pouring = asyncio.create_task(pour())
        done, _ = await asyncio.wait({pouring}, timeout=0.5)
        assert not done
        assert sent < 1_000
        pouring.cancel()
        await asyncio.wait({pouring})
        release.set()
        await client.close()


async def test_the_key_is_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(socket: ServerConnection) -> None:
        await opened(socket)

    async with serving(handler) as address:
        with caplog.at_level(logging.DEBUG):
            client = await LiveClient.connect(address, SETUP)
            await client.close()
    ours = [record for record in caplog.records if record.name.startswith("live_cli")]
    assert KEY not in "".join(record.getMessage() for record in ours)
    assert KEY not in repr(address)
    assert KEY not in address.endpoint


def test_the_import_is_cheap() -> None:
    code = "import sys, live_cli.net.client.client; print(sorted(m for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout
    for heavy in ("'websockets", "'numpy", "'rich", "'typer", "'starlette"):
        assert heavy not in loaded


def test_nothing_is_left_behind_when_a_program_is_interrupted() -> None:
    code = """
import asyncio
from websockets.asyncio.server import serve
from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.protocol.messages import Setup

async def handler(socket):
    await socket.recv()
    await socket.send('{"setupComplete":{}}')
    await socket.wait_closed()

async def talk():
    asyncio.get_running_loop().slow_callback_duration = 3600  # a busy machine is no finding
    async with serve(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = Address(f"ws://127.0.0.1:{port}", None, "v1beta", "x")
        async with await LiveClient.connect(address, Setup(model="m")) as client:
            asyncio.get_running_loop().call_later(0.1, asyncio.current_task().cancel)
            async for event in client:
                pass

try:
    asyncio.run(talk(), debug=True)
except asyncio.CancelledError:
    print("cancelled")
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "cancelled\n"
    assert done.stderr == ""
