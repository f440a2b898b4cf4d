"""An engine whose sessions do what a text tells them: the server's tests need no stages."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from live_cli.errors import EngineError, UnsupportedError
from live_cli.net.server.engine_api import SendToClient, Snapshots
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


def audio(size: int) -> ServerMessage:
    blob = Blob(data=b"\1\2" * (size // 2), mime_type="audio/pcm;rate=24000")
    turn = Content(role="model", parts=[Part(inline_data=blob)])
    return ServerMessage(server_content=ServerContent(model_turn=turn))


def text(words: str) -> ServerMessage:
    turn = Content(role="model", parts=[Part(text=words)])
    return ServerMessage(server_content=ServerContent(model_turn=turn))


class ScriptedSession:
    """Echoes a text, or does it: crash, fail, hang, flood, turn, audio N, text N, handle X.

    ``echoes_sound``: it tells how much sound has come.
    """

    def __init__(
        self,
        setup: Setup,
        emit: SendToClient,
        *,
        takes_video: bool = True,
        echoes_sound: bool = True,
    ) -> None:
        self.setup = setup
        self.echoes_sound = echoes_sound
        self.takes_video = takes_video
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
        if isinstance(event, AudioReceived) and self.echoes_sound:
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
    takes_video: bool = True
    echoes_sound: bool = True

    async def open(
        self,
        setup: Setup,
        emit: SendToClient,
        dialect: Dialect,
        principal: str,
        snapshots: Snapshots | None = None,
    ) -> ScriptedSession:
        if setup.model == "models/unsupported":
            raise UnsupportedError("The engine cannot sing.", 1007)
        if setup.model == "models/missing":
            raise EngineError("No model named 'é" + "é" * 200)
        if setup.model == "models/crash":
            raise ZeroDivisionError
        if setup.model == "models/slow":
            await self.loaded.wait()
        session = ScriptedSession(
            setup, emit, takes_video=self.takes_video, echoes_sound=self.echoes_sound
        )
        self.sessions.append(session)
        self.opened.set()
        return session
