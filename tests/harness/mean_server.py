"""A server that means no good, made by hand from TCP up: it plays a script to each caller.

In the event loop of a test, or in a thread of its own beside a real command. A script that
fails fails the test.
"""

import asyncio
import base64
import contextlib
import json
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from websockets.utils import accept_key

_LONG: Final = {126: (">H", 2), 127: (">Q", 8)}
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

OPEN: Final = {"setupComplete": {}}
DONE: Final = {"serverContent": {"turnComplete": True}}


def text(words: str) -> dict[str, Any]:
    return {"serverContent": {"modelTurn": {"parts": [{"text": words}]}}}


def handle(name: str) -> dict[str, Any]:
    return {"sessionResumptionUpdate": {"newHandle": name, "resumable": True}}


def sound(seconds: float) -> dict[str, Any]:
    """Silence at 24 kHz."""
    data = base64.b64encode(bytes(2 * int(seconds * 24_000))).decode()
    inline = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": data}}
    return {"serverContent": {"modelTurn": {"parts": [inline]}}}


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """A server's frame, whole and without a mask (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | opcode, size]) + payload
    length = struct.pack(">BH", 126, size) if size < 1 << 16 else struct.pack(">BQ", 127, size)
    return bytes([0x80 | opcode]) + length + payload


class Caller:
    """One connection to the server. Whatever reads raises EOFError once the caller is gone."""

    def __init__(
        self,
        server: "MeanServer",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.server = server
        self.number = len(server.callers) + 1
        """Which connection to this server it is, from 1."""
        self.reader = reader
        self.writer = writer
        self.setup: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        """What came after the setup."""
        self.pings = 0
        self.answers_pings = True

    async def head(self) -> bytes:
        """The request that asks for a WebSocket."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self, status: str, *headers: str, body: bytes = b"") -> None:
        """Answer the request with HTTP, and hang up."""
        await self.head()
        lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", "")
        self.writer.write("\r\n".join(lines).encode() + body)
        await self.writer.drain()

    async def upgrade(self) -> None:
        lines = (await self.head()).split(b"\r\n")
        named = b"sec-websocket-key:"
        [key] = [line[len(named) :].strip() for line in lines if line.lower().startswith(named)]
        head = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
        answer = (*head, f"Sec-WebSocket-Accept: {accept_key(key.decode())}", "", "")
        self.writer.write("\r\n".join(answer).encode())

    async def set_up(self, *messages: object) -> str | None:
        """Take the setup, confirm it, and say ``messages``; the handle that it came with."""
        await self.upgrade()
        self.setup = (await self.next())["setup"]
        self.messages.clear()
        await self.say(OPEN, *messages)
        return (self.setup.get("sessionResumption") or {}).get("handle")

    async def say(self, *messages: object) -> None:
        for message in messages:
            self.writer.write(frame(TEXT, json.dumps(message).encode()))
        await self.writer.drain()

    async def next(self) -> dict[str, Any]:
        """The next message; pings before it are answered, a close ends the connection."""
        while True:
            opcode, payload = await self._frame()
            if opcode == CLOSE:
                self.writer.write(frame(CLOSE, payload[:2]))
                raise EOFError
            if opcode == PING:
                self.pings += 1
                if self.answers_pings:
                    self.writer.write(frame(PONG, payload))
            elif opcode != PONG:
                self.messages.append(json.loads(payload))
                return self.messages[-1]

    async def until_asked(self) -> dict[str, Any]:
        """The next message that asks for something: no sound, and no history."""
        while True:
            message = await self.next()
            given = message.get("realtimeInput", {})
            if "text" in given or message.get("clientContent", {}).get("turnComplete"):
                return message

    async def listen(self) -> None:
        """Read until the caller goes."""
        while True:
            await self.next()

    async def freeze(self) -> None:
        """Read and say nothing, with the socket open, until the caller cuts it."""
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async def close(self, code: int, reason: str = "") -> None:
        """Close with a handshake."""
        self.writer.write(frame(CLOSE, struct.pack(">H", code) + reason.encode()))
        await self.writer.drain()
        with contextlib.suppress(EOFError):
            await self.listen()

    async def _frame(self) -> tuple[int, bytes]:
        first, second = await self.reader.readexactly(2)
        size, mask = second & 0x7F, b""
        if size in _LONG:
            layout, length = _LONG[size]
            [size] = struct.unpack(layout, await self.reader.readexactly(length))
        if second & 0x80:
            mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(size)
        if mask:
            whole = (mask * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload) ^ int.from_bytes(whole)).to_bytes(size)
        return first & 0x0F, payload


Script = Callable[[Caller], Awaitable[object]]


class MeanServer:
    """A running server, and who called it."""

    def __init__(self, *scripts: Script) -> None:
        """Plays one script a connection, the last one again and again."""
        self._scripts = scripts
        self._listener: asyncio.Server | None = None
        self._playing: list[asyncio.Future[object]] = []
        self.callers: list[Caller] = []
        self.port = 0

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def handles(self) -> list[str | None]:
        """The handle that each set-up session was to be resumed by."""
        setups = [caller.setup for caller in self.callers if caller.setup]
        return [(setup.get("sessionResumption") or {}).get("handle") for setup in setups]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["MeanServer"]:
        listener = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self._listener = listener
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            for playing in self._playing:
                playing.cancel()
            for end in await asyncio.gather(*self._playing, return_exceptions=True):
                if not isinstance(end, EOFError | OSError | asyncio.CancelledError | None):
                    raise AssertionError("a script failed") from end

    def refuse(self) -> None:
        """Listen no more."""
        assert self._listener is not None
        self._listener.close()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = Caller(self, reader, writer)
        self.callers.append(caller)
        script = self._scripts[min(caller.number, len(self._scripts)) - 1]
        playing = asyncio.ensure_future(script(caller))
        playing.add_done_callback(lambda _: writer.transport.abort())
        self._playing.append(playing)


@contextmanager
def mean_server(*scripts: Script) -> Iterator[MeanServer]:
    """A server in a thread of its own, beside a command."""
    server, loop = MeanServer(*scripts), asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with server.running():
            started.set()
            await stop.wait()

    with ThreadPoolExecutor(1) as thread:
        served = thread.submit(loop.run_until_complete, serve())
        started.wait()
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(stop.set)
            served.result()
            loop.close()
