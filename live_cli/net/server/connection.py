"""One connection of the server, from the accepted WebSocket to its close.

Three things happen at once: *reading* moves payloads from the socket into a bounded inbox, so that
a client that leaves is noticed while the engine works; *handling* decodes them one by one and hands
the events to the engine, whose time is the back pressure, and lets other sessions run in between;
*sending*, called by the engine, encodes and writes. Whichever ends first names the close code; then
everything is released.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.errors import EngineError, RemoteProtocolError, UnsupportedError
from live_cli.net.server.access.admission import Endpoint
from live_cli.net.server.access.session_start import start_session
from live_cli.net.server.access.tokens import EXPIRED, Token
from live_cli.net.server.close import close_socket
from live_cli.net.server.close_reason import (
    INTERNAL_ERROR,
    RESUMED_ELSEWHERE,
    SHUTTING_DOWN,
    CloseReason,
)
from live_cli.net.server.engine_api import Engine, EngineSession
from live_cli.net.server.limits.inbox import Inbox
from live_cli.net.server.limits.lifetime import (
    Lifetime,
    ResumableSession,
    time_left,
)
from live_cli.net.server.limits.lifetime_timer import LifetimeTimer
from live_cli.net.server.limits.limits import Limits, split_audio
from live_cli.net.server.limits.payload import payload_complaint
from live_cli.net.server.limits.unknown_field_policy import UnknownFieldPolicy
from live_cli.net.server.stats.counts import AnswerTimer, ServerCounts
from live_cli.net.server.store.session_store import STORE_AWAY, SessionStore, StoreAwayError
from live_cli.protocol.dialect import in_dialect
from live_cli.protocol.events import AudioReceived, SetupReceived, VideoReceived
from live_cli.protocol.messages import GoAway, ServerMessage, Setup, SetupComplete
from live_cli.protocol.session import Role, Session
from live_cli.protocol.setup_locks import NO_LOCKS
from live_cli.protocol.states import State

_RELEASE_S = 5.0
"""How long the tasks and the engine may take to stop before an error is logged."""
_BUSY_POLL_S = 0.02
_LARGE_BYTES = 16 * 1024
"""A payload beyond this takes so long to decode that others get their turn before it is checked."""
_OPEN = (State.LISTENING, State.GENERATING, State.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What all connections of one server share."""

    engine: Engine
    limits: Limits
    log: logging.Logger
    store: SessionStore
    unknown_fields: UnknownFieldPolicy
    counts: ServerCounts


class ServerConnection:
    """An accepted WebSocket and the session on it.

    ``token``: the ephemeral token that admitted the client, None where a key or nothing did.
    ``number``: names the connection in the log.
    """

    def __init__(
        self,
        socket: WebSocket,
        endpoint: Endpoint,
        token: Token | None,
        context: ServerContext,
        number: int,
    ) -> None:
        self._socket = socket
        self._dialect = endpoint.dialect
        self._principal = endpoint.principal
        self._token = token
        self._locks = token.locks if token else NO_LOCKS
        self._context = context
        self._limits = context.limits
        self._log = context.log
        self._number = number
        self._session = Session(Role.SERVER, setup_limit_s=self._limits.setup_s)
        self._opened_at = time.monotonic()
        self._inbox = Inbox(self._limits.held_bytes)
        self._answer_timer = AnswerTimer(context.counts)
        self._resumable_session = ResumableSession()
        self._lifetime_timer: LifetimeTimer | None = None
        self._engine_session: EngineSession | None = None
        self._close_reason: CloseReason | None = None
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Lock()
        self._model = ""
        self._received = self._sent = 0

    def end(self, why: CloseReason) -> None:
        """Begin to close the connection; the first reason given stays."""
        if self._close_reason is None:
            self._close_reason = why
            self._ended.set()

    async def tell_to_leave(self, left_s: float) -> None:
        """Send goAway: the server ends in ``left_s`` seconds, and others take its sessions."""
        if self._session.state in _OPEN:
            await self._send_go_away(left_s)

    async def shut_down(self, grace_s: float) -> None:
        """Send goAway and close with 1001; a turn under way may finish within ``grace_s``."""
        if self._session.state in _OPEN:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._send_go_away(grace_s)
                    while self._is_busy():  # noqa: ASYNC110 - the engine has no event for it
                        await asyncio.sleep(_BUSY_POLL_S)
        self.end(SHUTTING_DOWN)

    def _is_busy(self) -> bool:
        session = self._engine_session
        return self._close_reason is None and session is not None and session.busy

    async def run(self) -> None:
        """Serve the client until one side ends; never raises but for cancellation."""
        self._context.counts.open()
        self._socket.scope["state"]["on_lost"] = self._inbox.lift_limit
        self._tasks = {
            asyncio.create_task(self._close_on_error(self._read())),
            asyncio.create_task(self._close_on_error(self._handle())),
        }
        try:
            await self._ended.wait()
        finally:
            why = self._close_reason = self._close_reason or SHUTTING_DOWN
            for task in self._tasks:
                task.cancel()
            await close_socket(self._socket, why)
            await self._release()
            self._context.counts.close(why.code)
            self._log_close(why, time.monotonic() - self._opened_at)

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                code, reason = message.get("code") or 1005, message.get("reason") or ""
                self.end(CloseReason(code, reason, by_client=True))
                return
            payload = message["bytes"]
            self._received += 1
            self._context.counts.receive(len(payload))
            if (complaint := payload_complaint(payload)) is not None:
                raise RemoteProtocolError(complaint)
            await self._inbox.put(payload)

    async def _close_on_error(self, work: Coroutine[None, None, None]) -> None:
        """Run ``work``; close the connection with the code and reason of its error."""
        try:
            await work
        except (RemoteProtocolError, UnsupportedError) as exc:
            self.end(CloseReason(exc.close_code, exc.reason))
        except StoreAwayError:
            self.end(STORE_AWAY)
        except EngineError as exc:
            if exc.__cause__ is not None:
                self._log.error("session %d failed", self._number, exc_info=exc)
            self.end(CloseReason(1011, str(exc)))
        except Exception:  # noqa: BLE001 - one session's crash is logged and leaves the others
            self._log.exception("session %d crashed", self._number)
            self.end(INTERNAL_ERROR)

    async def _handle(self) -> None:
        setup = await self._receive_setup()
        if self._token is not None:
            self._session.adopt(setup)
        self._model = setup.model
        engine_session = await self._context.engine.open(
            setup,
            self._send,
            self._dialect,
            self._principal.id,
            self._context.store.snapshots(self._resumable_session),
        )
        self._engine_session = engine_session
        await self._context.store.claim(self._resumable_session, self._end_resumed)
        lifetime_timer = self._lifetime_timer = self._start_lifetime(setup)
        session_id = str(uuid.uuid4()) if self._dialect.vertex else None  # reference §9
        await self._send(ServerMessage(setup_complete=SetupComplete(session_id=session_id)))
        for task in (self._watch_engine(engine_session), lifetime_timer.run()):
            self._tasks.add(asyncio.create_task(self._close_on_error(task)))
        while True:
            payload = await self._inbox.get()
            now = time.monotonic()
            events = self._session.receive(payload, now)
            if len(payload) > _LARGE_BYTES or self._inbox.holds_more:
                await asyncio.sleep(0)
            self._context.unknown_fields.check_payload(payload)
            for event in events:
                self._locks.check(event)
                if engine_session.takes_video or not isinstance(event, VideoReceived):
                    lifetime_timer.note(event)
                self._answer_timer.note_event(event, now)
                was_busy = engine_session.busy
                await engine_session.handle(event)
                if engine_session.busy and not was_busy and isinstance(event, AudioReceived):
                    self._answer_timer.note_turn(time.monotonic())

    def _start_lifetime(self, setup: Setup) -> LifetimeTimer:
        lifetime = Lifetime(
            self._limits.lifetimes,
            self._resumable_session,
            self._opened_at,
            compresses=setup.context_window_compression is not None,
            token_end=(self._token.expires_at, EXPIRED) if self._token else None,
        )
        return LifetimeTimer(lifetime, self._send_go_away, self.end)

    def _end_resumed(self) -> None:
        """Close the connection because another one has resumed its session."""
        self._stop_lifetime()
        self.end(RESUMED_ELSEWHERE)

    def _stop_lifetime(self) -> None:
        if self._lifetime_timer is not None:
            self._lifetime_timer.close()
            self._lifetime_timer = None

    async def _send_go_away(self, left_s: float) -> None:
        await self._send(ServerMessage(go_away=GoAway(time_left=time_left(left_s))))

    async def _watch_engine(self, engine_session: EngineSession) -> None:
        raise await engine_session.failed()

    async def _receive_setup(self) -> Setup:
        """Wait for the setup message; return the setup after the token's constraints."""
        limit_s = self._limits.setup_s
        try:
            async with asyncio.timeout(limit_s):
                payload = await self._inbox.get()
        except TimeoutError:
            reason = f"No setup message came within {limit_s:g} s of connecting."
            raise RemoteProtocolError(reason, 1008) from None
        now = time.monotonic()
        events = self._session.receive(payload, now)
        self._context.unknown_fields.check_payload(payload)
        for event in events:
            if isinstance(event, SetupReceived):
                self._socket.scope["state"]["take_messages"]()
                setup, self._resumable_session = await start_session(
                    event.setup, self._token, self._principal, self._context.store
                )
                return setup
        raise RemoteProtocolError("The first message must be a setup message.")

    async def _send(self, message: ServerMessage) -> None:
        update = message.session_resumption_update
        if update is not None and update.new_handle:
            self._context.store.note(update.new_handle, self._resumable_session)
        async with self._writing:
            for piece in split_audio(in_dialect(message, self._dialect)):
                if self._close_reason is not None:
                    await asyncio.sleep(0)  # an engine that sends in a loop stays cancellable
                    return
                now = time.monotonic()
                payload = self._session.send(piece, now)
                if len(payload) >= self._limits.sent_payload_bytes:
                    size = len(payload)
                    raise EngineError(f"A message of {size} bytes does not fit into a frame.")
                self._answer_timer.note_message(piece, now)
                await self._write(payload)

    async def _write(self, payload: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.unsent_s):
                await self._socket.send_bytes(payload)
        except TimeoutError:
            reason = f"The client read nothing for {self._limits.unsent_s:g} s."
            self.end(CloseReason(1008, reason, stuck=True))
        except (WebSocketDisconnect, RuntimeError):
            self.end(CloseReason(1006, by_client=True))
        else:
            self._sent += 1
            self._context.counts.send(len(payload))

    async def _release(self) -> None:
        self._stop_lifetime()
        await self._context.store.leave(self._resumable_session, self._end_resumed)
        _, hanging = await asyncio.wait(self._tasks, timeout=_RELEASE_S)
        if hanging:
            self._log.error("session %d: a task did not stop", self._number)
        # The connection leads to both and they lead back to it: without this it is a cycle.
        self._tasks.clear()
        engine_session, self._engine_session = self._engine_session, None
        if engine_session is None:
            return
        try:
            async with asyncio.timeout(_RELEASE_S):
                await engine_session.close()
        except Exception:  # noqa: BLE001 - as in _close_on_error
            self._log.exception("session %d: the engine did not release it", self._number)

    def _log_close(self, why: CloseReason, seconds: float) -> None:
        self._log.info(
            "session %d %s %d %r after %.1f s, model %r, %d messages in, %d out",
            self._number,
            "left by the client" if why.by_client else "closed",
            why.code,
            why.reason,
            seconds,
            self._model,
            self._received,
            self._sent,
        )
