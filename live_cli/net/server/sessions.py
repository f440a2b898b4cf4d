"""Takes WebSockets in: the doors, the count of sessions, and their common end."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Collection

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.net.server.access.admission import Caller, Endpoint, Refusal, admit
from live_cli.net.server.access.tokens import Token, Tokens
from live_cli.net.server.close import Ending, close_socket
from live_cli.net.server.connection import SHUTTING_DOWN, ServerConnection, ServerContext
from live_cli.net.server.engine_api import Engine
from live_cli.net.server.limits.lifetime import ResumableSessions
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.limits.unknown_field_policy import UnknownFieldPolicy
from live_cli.net.server.stats.counts import ServerCounts

_RELEASE_S = 1.0
"""What sessions are given beyond the grace time to let go."""


class Sessions:
    """Who may come in, and who is in."""

    def __init__(
        self,
        engine: Engine,
        keys: Collection[str],
        origins: Collection[str],
        limits: Limits,
        log: logging.Logger,
        *,
        strict: bool,
        meter: ServerCounts,
    ) -> None:
        self.limits = limits
        self.tokens = Tokens(limits.tokens)
        self._keys = tuple(keys)
        self._origins = frozenset(origin.lower() for origin in origins)
        self._log = log
        self.fields = UnknownFieldPolicy(log, strict=strict)
        self._around = ServerContext(engine, limits, log, ResumableSessions(), self.fields, meter)
        self._numbers = itertools.count(1)
        self._open: dict[ServerConnection, asyncio.Event] = {}
        self._closing = False

    async def receive(self, websocket: WebSocket) -> None:
        """Accept a WebSocket, and serve it or refuse it."""
        try:
            await websocket.accept()
        except (WebSocketDisconnect, RuntimeError):
            return  # gone before the handshake was answered
        admitted = self._admit(websocket)
        if isinstance(admitted, Refusal):
            self._around.meter.refuse(admitted.kind)
            self._log.info("refused %d %r", admitted.code, admitted.reason)
            await self._hear_out(websocket)
            await close_socket(websocket, Ending(admitted.code, admitted.reason))
            return
        live = ServerConnection(websocket, *admitted, self._around, next(self._numbers))
        released = self._open[live] = asyncio.Event()
        try:
            await live.run()
        finally:
            del self._open[live]
            released.set()

    async def _hear_out(self, websocket: WebSocket) -> None:
        """Let one who is refused send the setup first.

        A close that comes before it meets the Python SDK while it sends: its user then gets the
        exception of a library below, in place of the SDK's APIError with the reason.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.limits.refused_s):
                await websocket.receive()

    @property
    def is_closing(self) -> bool:
        """Whether new sessions are refused because the server stops."""
        return self._closing

    async def end_sessions(self) -> None:
        """Say goAway to every session, let turns finish within the grace time, close with 1001."""
        self._closing = True
        leaving = [
            asyncio.create_task(self._see_off(live, released))
            for live, released in self._open.items()
        ]
        if leaving:
            _, late = await asyncio.wait(leaving, timeout=self.limits.grace_s + _RELEASE_S)
            for each in late:
                each.cancel()

    async def _see_off(self, live: ServerConnection, released: asyncio.Event) -> None:
        await live.leave(self.limits.grace_s)
        await released.wait()

    def refuses(self, request: HTTPConnection) -> Refusal | None:
        """Why an HTTP request is not answered: keys and foreign pages, as for a session."""
        door = admit(_caller(request, "/"), self._keys, self._origins)
        return door if isinstance(door, Refusal) else None

    def _admit(self, websocket: WebSocket) -> tuple[Endpoint, Token | None] | Refusal:
        door = admit(_caller(websocket, websocket.scope["path"]), self._keys, self._origins)
        if isinstance(door, Refusal):
            return door
        token = None
        if door.token is not None:
            found = self.tokens.find(door.token, time.monotonic())
            if isinstance(found, Refusal):
                return found
            token = found
        if self._closing:
            return SHUTTING_DOWN
        most = self.limits.sessions
        if len(self._open) >= most:
            reason = f"All {most} sessions of this server are in use. Try later."
            return Refusal(1013, reason, "full")
        return door, token


def _caller(connection: HTTPConnection, path: str) -> Caller:
    return Caller(path, connection.scope["query_string"].decode("latin-1"), connection.headers)
