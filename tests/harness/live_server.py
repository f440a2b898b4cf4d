"""A running server on a real socket, with a scripted engine behind it, and how to speak to it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from live_cli.errors import EngineError, UnsupportedError
from live_cli.net.server.app import build_app, serve_on
from live_cli.net.server.engine_api import Emit
from live_cli.net.server.listen import listen, port_of
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.events import AudioReceived, Event, TextReceived
from live_cli.protocol.messages import (
    Blob,
    Content,
    Part,
    ServerContent,
    ServerMessage,
    SessionResumptionUpdate,
    Setup,
)

PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
SETUP = {"setup": {"model": "models/local"}}
WITHIN_S = 20.0  # a bound on waiting, not a measure


def audio(size: int) -> ServerMessage:
    blob = Blob(data=b"\1\2" * (size // 2), mime_type="audio/pcm;rate=24000")
    turn = Content(role="model", parts=[Part(inline_data=blob)])
    return ServerMessage(server_content=ServerContent(model_turn=turn))


def text(words: str) -> ServerMessage:
    turn = Content(role="model", parts=[Part(text=words)])
    return ServerMessage(server_content=ServerContent(model_turn=turn))


class ScriptedSession:
    """Echoes a text, or does it: crash, fail, hang, flood, turn, audio N, text N, handle X."""

    def __init__(self, setup: Setup, emit: Emit) -> None:
        self.setup = setup
        self.emit = emit
        self.events: list[Event] = []
        self.hanging = asyncio.Event()
        self.closed = asyncio.Event()
        self.flood: asyncio.Task[None] | None = None
        self.turn: asyncio.Task[None] | None = None
        self.finish = asyncio.Event()
        self.failure: asyncio.Future[EngineError] = asyncio.get_running_loop().create_future()

    async def handle(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, AudioReceived):
            await self.emit(text(f"{len(event.data)} bytes at {event.sample_rate}"))
        if not isinstance(event, TextReceived):
            return
        word, _, rest = event.text.partition(" ")
        if word == "crash":
            raise RuntimeError("secret detail")
        if word == "hang":
            self.hanging.set()
            await asyncio.Event().wait()
        elif word == "fail":
            self.failure.set_result(EngineError("The model broke while it spoke."))
        elif word == "flood":
            self.flood = asyncio.create_task(self._flood())
        elif word == "audio":
            await self.emit(audio(int(rest)))
        elif word == "text":
            await self.emit(text("x" * int(rest)))
        elif word == "turn":
            self.turn = asyncio.create_task(self._turn())
        elif word == "handle":
            update = SessionResumptionUpdate(new_handle=rest, resumable=True)
            await self.emit(ServerMessage(session_resumption_update=update))
        else:
            await self.emit(text(event.text))

    @property
    def busy(self) -> bool:
        return self.turn is not None and not self.turn.done()

    async def failed(self) -> EngineError:
        return await self.failure

    async def _turn(self) -> None:
        """One that goes on until it is told to end."""
        await self.emit(text("well"))
        await self.finish.wait()
        await self.emit(ServerMessage(server_content=ServerContent(turn_complete=True)))

    async def _flood(self) -> None:
        while True:
            await self.emit(audio(100_000))

    async def close(self) -> None:
        for task in filter(None, (self.flood, self.turn)):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.closed.set()


@dataclass
class ScriptedEngine:
    sessions: list[ScriptedSession] = field(default_factory=list)
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, setup: Setup, emit: Emit, dialect: Dialect) -> ScriptedSession:
        if setup.model == "models/unsupported":
            raise UnsupportedError("The engine cannot sing.", 1007)
        if setup.model == "models/missing":
            raise EngineError("No model named 'é" + "é" * 200)
        if setup.model == "models/crash":
            raise ZeroDivisionError
        if setup.model == "models/slow":
            await self.loaded.wait()
        session = ScriptedSession(setup, emit)
        self.sessions.append(session)
        self.opened.set()
        return session


@dataclass
class House:
    """A running server."""

    engine: ScriptedEngine
    port: int
    stop: asyncio.Event
    task: asyncio.Task[None]

    def connect(self, path: str = PATH, **options: Any) -> Any:
        options.setdefault("proxy", None)
        return connect(f"ws://127.0.0.1:{self.port}{path}", **options)

    async def get(self, path: str) -> tuple[int, str]:
        status, _, body = await self.ask("GET", path)
        return status, body

    async def ask(
        self, method: str, path: str, *headers: str, body: bytes = b""
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and body. ``headers`` are whole lines; without any, a host."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [
            f"{method} {path} HTTP/1.1",
            "connection: close",
            *(headers or ("host: localhost",)),
        ]
        lines += [f"content-length: {len(body)}"] if body else []
        writer.write("\r\n".join((*lines, "", "")).encode() + body)
        async with asyncio.timeout(WITHIN_S):
            head, _, answer = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        pairs = (line.partition(": ") for line in head.split("\r\n")[1:])
        return int(head.split()[1]), {name.lower(): value for name, _, value in pairs}, answer


Open = Callable[..., Any]


@contextlib.asynccontextmanager
async def running(engine: Any = None, **options: Any) -> AsyncIterator[House]:
    """``engine``: one of one's own, in place of the scripted."""
    engine = engine or ScriptedEngine()
    listeners = listen("127.0.0.1", 0)
    stop = asyncio.Event()
    task = asyncio.create_task(serve_on(build_app(engine, **options), listeners, stop=stop))
    try:
        yield House(engine, port_of(listeners), stop, task)
    finally:
        stop.set()
        async with asyncio.timeout(WITHIN_S):
            await task
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert left == []


async def receive(client: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        frame = await client.recv()
    assert isinstance(frame, bytes)  # Google sends binary frames
    message: dict[str, Any] = json.loads(frame)
    return message


async def ending(client: ClientConnection) -> tuple[int, str]:
    """The close code and reason, after whatever still comes."""
    with pytest.raises(ConnectionClosed) as closed:
        await _receive_all(client)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def _receive_all(client: ClientConnection) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            await client.recv()


async def set_up(client: ClientConnection) -> None:
    await client.send(json.dumps(SETUP))
    assert await receive(client) == {"setupComplete": {}}


def say(words: str) -> str:
    return json.dumps({"realtimeInput": {"text": words}})


def said(message: dict[str, Any]) -> str:
    part: dict[str, Any] = message["serverContent"]["modelTurn"]["parts"][0]
    words: str = part["text"]
    return words
