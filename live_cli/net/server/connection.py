"""One connection of the server, from the open socket to its close: a WebSocket around a Session.

Three things happen at once: *reading* moves frames from the socket into a bounded inbox, so that a
client that leaves is noticed while the engine works; *conversing* decodes them one by one and hands
the events to the engine, whose time is the back pressure; *emitting*, called by the engine,
encodes and writes. Whichever ends first names the close code; then all of it is released.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.errors import EngineError, RemoteProtocolError, UnsupportedError
from live_cli.net.server.access.admission import Endpoint, Refusal
from live_cli.net.server.access.session_start import start_session
from live_cli.net.server.access.tokens import EXPIRED, Token
from live_cli.net.server.close import Ending, close_socket
from live_cli.net.server.engine_api import Engine, EngineSession
from live_cli.net.server.limits.inbox import Inbox
from live_cli.net.server.limits.lifetime import (
    Lifetime,
    ResumableSession,
    ResumableSessions,
    time_left,
)
from live_cli.net.server.limits.lifetime_timer import LifetimeTimer
from live_cli.net.server.limits.limits import Limits, split_audio
from live_cli.net.server.limits.rate import SmallMessageRate, has_too_many_values, too_many
from live_cli.net.server.limits.unknown_field_policy import UnknownFieldPolicy
from live_cli.net.server.stats.counts import AnswerTimer, ServerCounts
from live_cli.protocol.dialect import worded
from live_cli.protocol.events import AudioReceived, SetupReceived
from live_cli.protocol.messages import GoAway, ServerMessage, Setup, SetupComplete
from live_cli.protocol.session import Role, Session, State

INTERNAL_ERROR = "Internal error encountered."
_RELEASE_S = 5.0
"""How long tasks and the engine may take to let go before it is called a fault."""
_LEAVING_POLL_S = 0.02
_OPEN = (State.LISTENING, State.GENERATING, State.INTERRUPTED)
SHUTTING_DOWN = Refusal(1001, "The server is shutting down.", "closing")
WENT_ON: Final = "This session was resumed over another connection."
"""Closes with 1000: whoever connects again at that would take the session back."""


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What the connections of one server share."""

    engine: Engine
    limits: Limits
    log: logging.Logger
    lineages: ResumableSessions
    fields: UnknownFieldPolicy
    meter: ServerCounts


class ServerConnection:
    """One accepted WebSocket and the session on it. ``run`` returns once all is released.

    ``token``: the ephemeral token that was shown at the ``door``, where that is its key.
    """

    def __init__(
        self,
        socket: WebSocket,
        door: Endpoint,
        token: Token | None,
        surroundings: ServerContext,
        number: int,
    ) -> None:
        self._socket = socket
        self._dialect = door.dialect
        self._token = token
        self._around = surroundings
        self._limits = surroundings.limits
        self._log = surroundings.log
        self._number = number
        self._session = Session(Role.SERVER, setup_limit_s=self._limits.setup_s)
        self._opened_at = time.monotonic()
        self._inbox = Inbox(self._limits.held_bytes)
        self._pace = SmallMessageRate(self._limits.small_messages_per_s, self._opened_at)
        self._turns = AnswerTimer(surroundings.meter)
        self._lineage = ResumableSession()
        self._timekeeper: LifetimeTimer | None = None
        self._engine_session: EngineSession | None = None
        self._ending: Ending | None = None
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Lock()
        self._model = ""
        self._received = self._sent = 0

    def end(self, ending: Ending) -> None:
        """Begin to end the session; the first reason given stays."""
        if self._ending is None:
            self._ending = ending
            self._ended.set()

    async def leave(self, grace_s: float) -> None:
        """End the session because the server stops: a turn under way may finish within the time."""
        if self._session.state in _OPEN:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._say_go_away(grace_s)
                    while self._answers():  # noqa: ASYNC110 - the engine has no event for it
                        await asyncio.sleep(_LEAVING_POLL_S)
        self.end(Ending(SHUTTING_DOWN.code, SHUTTING_DOWN.reason))

    def _answers(self) -> bool:
        session = self._engine_session
        return self._ending is None and session is not None and session.busy

    async def run(self) -> None:
        """Serve the client until one side ends; never raises but for cancellation."""
        self._around.meter.open()
        self._socket.scope["state"]["lost"] = self._inbox.release
        self._tasks = {
            asyncio.create_task(self._guard(self._read())),
            asyncio.create_task(self._guard(self._converse())),
        }
        try:
            await self._ended.wait()
        finally:
            ending = self._ending or Ending(SHUTTING_DOWN.code, SHUTTING_DOWN.reason)
            self._ending = ending
            for task in self._tasks:
                task.cancel()
            await close_socket(self._socket, ending)
            await self._release()
            self._around.meter.close(ending.code)
            self._report(ending, time.monotonic() - self._opened_at)

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                code, reason = message.get("code") or 1005, message.get("reason") or ""
                self.end(Ending(code, reason, by_client=True))
                return
            text = message.get("text")
            frame = message["bytes"] if text is None else text
            self._received += 1
            self._around.meter.receive(len(frame))
            if not self._pace.admit(len(frame), time.monotonic()):
                raise RemoteProtocolError(too_many(self._limits.small_messages_per_s), 1008)
            if has_too_many_values(frame):
                raise RemoteProtocolError("Invalid JSON payload received. Too many values.")
            await self._inbox.put(frame)

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        """Turn whatever goes wrong in ``work`` into a close code and a reason."""
        try:
            await work
        except (RemoteProtocolError, UnsupportedError) as exc:
            self.end(Ending(exc.close_code, exc.reason))
        except EngineError as exc:
            if exc.__cause__ is not None:
                self._log.error("session %d failed", self._number, exc_info=exc)
            self.end(Ending(1011, str(exc)))
        except Exception:  # noqa: BLE001 - one session's crash is logged and leaves the others
            self._log.exception("session %d crashed", self._number)
            self.end(Ending(1011, INTERNAL_ERROR))

    async def _converse(self) -> None:
        setup = await self._receive_setup()
        if self._token is not None:
            self._session.adopt(setup)
        self._model = setup.model
        engine_session = await self._around.engine.open(setup, self._emit, self._dialect)
        self._engine_session = engine_session
        self._lineage.go_on(self._give_way)
        timekeeper = self._timekeeper = self._keep_time(setup)
        await self._emit(ServerMessage(setup_complete=SetupComplete()))
        for beside in (self._watch(engine_session), timekeeper.run()):
            self._tasks.add(asyncio.create_task(self._guard(beside)))
        while True:
            frame = await self._inbox.get()
            now = time.monotonic()
            events = self._session.receive(frame, now)
            self._around.fields.check_frame(frame)
            for event in events:
                timekeeper.note(event)
                self._turns.hear(event, now)
                was_busy = engine_session.busy
                await engine_session.handle(event)
                if engine_session.busy and not was_busy and isinstance(event, AudioReceived):
                    self._turns.begin(time.monotonic())

    def _keep_time(self, setup: Setup) -> LifetimeTimer:
        lifetime = Lifetime(
            self._limits.lifetimes,
            self._lineage,
            self._opened_at,
            compresses=setup.context_window_compression is not None,
            token_end=(self._token.expires_at, EXPIRED) if self._token else None,
        )

        def over(why: Refusal) -> None:
            self.end(Ending(why.code, why.reason))

        return LifetimeTimer(lifetime, self._say_go_away, over)

    def _give_way(self) -> None:
        """End because the session goes on over another connection, which takes its time over."""
        self._stop_clock()
        self.end(Ending(1000, WENT_ON))

    def _stop_clock(self) -> None:
        if self._timekeeper is not None:
            self._timekeeper.close()
            self._timekeeper = None

    async def _say_go_away(self, left_s: float) -> None:
        await self._emit(ServerMessage(go_away=GoAway(time_left=time_left(left_s))))

    async def _watch(self, engine_session: EngineSession) -> None:
        raise await engine_session.failed()

    async def _receive_setup(self) -> Setup:
        """What the client asks for, and its token decides."""
        limit_s = self._limits.setup_s
        try:
            async with asyncio.timeout(limit_s):
                frame = await self._inbox.get()
        except TimeoutError:
            reason = f"No setup message came within {limit_s:g} s of connecting."
            raise RemoteProtocolError(reason, 1008) from None
        now = time.monotonic()
        events = self._session.receive(frame, now)
        self._around.fields.check_frame(frame)
        for event in events:
            if isinstance(event, SetupReceived):
                setup, self._lineage = start_session(
                    event.setup, self._token, self._around.lineages, now
                )
                return setup
        raise RemoteProtocolError("The first message must be a setup message.")

    async def _emit(self, message: ServerMessage) -> None:
        update = message.session_resumption_update
        if update is not None and update.new_handle:
            self._around.lineages.note(update.new_handle, self._lineage)
        async with self._writing:
            for piece in split_audio(worded(message, self._dialect)):
                if self._ending is not None:
                    await asyncio.sleep(0)  # whoever emits in a loop must still be cancellable
                    return
                now = time.monotonic()
                frame = self._session.send(piece, now)
                if len(frame) >= self._limits.frame_bytes:
                    raise EngineError(f"A message of {len(frame)} bytes does not fit into a frame.")
                self._turns.say(piece, now)
                await self._write(frame)

    async def _write(self, frame: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.unsent_s):
                await self._socket.send_bytes(frame)
        except TimeoutError:
            reason = f"The client read nothing for {self._limits.unsent_s:g} s."
            self.end(Ending(1008, reason, stuck=True))
        except (WebSocketDisconnect, RuntimeError):
            self.end(Ending(1006, by_client=True))
        else:
            self._sent += 1
            self._around.meter.send(len(frame))

    async def _release(self) -> None:
        self._lineage.leave(self._give_way)
        self._stop_clock()
        _, hanging = await asyncio.wait(self._tasks, timeout=_RELEASE_S)
        if hanging:
            self._log.error("session %d: a task did not stop", self._number)
        if self._engine_session is None:
            return
        try:
            async with asyncio.timeout(_RELEASE_S):
                await self._engine_session.close()
        except Exception:  # noqa: BLE001 - as above
            self._log.exception("session %d: the engine did not release it", self._number)

    def _report(self, ending: Ending, seconds: float) -> None:
        self._log.info(
            "session %d %s %d %r after %.1f s, model %r, %d messages in, %d out",
            self._number,
            "left by the client" if ending.by_client else "closed",
            ending.code,
            ending.reason,
            seconds,
            self._model,
            self._received,
            self._sent,
        )
