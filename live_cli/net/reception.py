"""Takes WebSockets in: the doors, the count of sessions, and their common end."""

import asyncio
import itertools
import logging
import time
from collections.abc import Collection

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.net.contract import Engine
from live_cli.net.doors import Caller, Door, Refusal, admit
from live_cli.net.ending import Ending, close_socket
from live_cli.net.lifetimes import Lineages
from live_cli.net.limits import Limits
from live_cli.net.live_socket import LiveSocket, Surroundings
from live_cli.net.tokens import Token, Tokens

SHUTTING_DOWN = Refusal(1001, "The server is shutting down.", "closing")


class Reception:
    """Who may come in, and who is in."""

    def __init__(
        self,
        engine: Engine,
        keys: Collection[str],
        origins: Collection[str],
        limits: Limits,
        log: logging.Logger,
    ) -> None:
        self.limits = limits
        self.tokens = Tokens(limits.tokens)
        self._keys = tuple(keys)
        self._origins = frozenset(origin.lower() for origin in origins)
        self._log = log
        self._around = Surroundings(engine, limits, log, Lineages())
        self._numbers = itertools.count(1)
        self._open: dict[LiveSocket, asyncio.Event] = {}
        self._closing = False

    async def receive(self, websocket: WebSocket) -> None:
        """Accept a WebSocket, and serve it or refuse it."""
        try:
            await websocket.accept()
        except (WebSocketDisconnect, RuntimeError):
            return  # gone before the handshake was answered
        admitted = self._admit(websocket)
        if isinstance(admitted, Refusal):
            self._log.info("refused %d %r", admitted.code, admitted.reason)
            await close_socket(websocket, Ending(admitted.code, admitted.reason))
            return
        live = LiveSocket(websocket, *admitted, self._around, next(self._numbers))
        released = self._open[live] = asyncio.Event()
        try:
            await live.run()
        finally:
            del self._open[live]
            released.set()

    async def end_sessions(self) -> None:
        """Close every session with 1001, within the grace time."""
        self._closing = True
        releases = [asyncio.create_task(released.wait()) for released in self._open.values()]
        for live in self._open:
            live.end(Ending(SHUTTING_DOWN.code, SHUTTING_DOWN.reason))
        if releases:
            _, late = await asyncio.wait(releases, timeout=self.limits.grace_s)
            for release in late:
                release.cancel()

    def refuses(self, request: HTTPConnection) -> Refusal | None:
        """Why an HTTP request is not answered: keys and foreign pages, as for a session."""
        door = admit(_caller(request, "/"), self._keys, self._origins)
        return door if isinstance(door, Refusal) else None

    def _admit(self, websocket: WebSocket) -> tuple[Door, Token | None] | Refusal:
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
