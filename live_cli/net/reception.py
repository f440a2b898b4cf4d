"""Takes WebSockets in: the doors, the count of sessions, and their common end."""

import asyncio
import itertools
import logging
from collections.abc import Collection

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.net.contract import Engine
from live_cli.net.doors import Caller, Door, Refusal, admit
from live_cli.net.ending import Ending, close_socket
from live_cli.net.limits import Limits
from live_cli.net.live_socket import LiveSocket

SHUTTING_DOWN = Refusal(1001, "The server is shutting down.")


class Reception:
    """Takes connections in: the doors, the count of sessions, and their common end."""

    def __init__(
        self, engine: Engine, keys: Collection[str], limits: Limits, log: logging.Logger
    ) -> None:
        self.limits = limits
        self._engine = engine
        self._keys = tuple(keys)
        self._log = log
        self._numbers = itertools.count(1)
        self._open: dict[LiveSocket, asyncio.Event] = {}
        self._closing = False

    async def receive(self, websocket: WebSocket) -> None:
        """Accept a WebSocket, and serve it or refuse it."""
        try:
            await websocket.accept()
        except (WebSocketDisconnect, RuntimeError):
            return  # gone before the handshake was answered
        door = self._admit(websocket)
        if isinstance(door, Refusal):
            self._log.info("refused %d %r", door.code, door.reason)
            await close_socket(websocket, Ending(door.code, door.reason))
            return
        number = next(self._numbers)
        live = LiveSocket(websocket, door.dialect, self._engine, self.limits, self._log, number)
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

    def refuses(self, request: Request) -> Refusal | None:
        """Why an HTTP request is not answered: keys and foreign pages, as for a session."""
        door = admit(_caller(request, "/"), self._keys)
        return door if isinstance(door, Refusal) else None

    def _admit(self, websocket: WebSocket) -> Door | Refusal:
        door = admit(_caller(websocket, websocket.scope["path"]), self._keys)
        if isinstance(door, Refusal):
            return door
        if self._closing:
            return SHUTTING_DOWN
        if len(self._open) >= self.limits.sessions:
            return Refusal(
                1013, f"All {self.limits.sessions} sessions of this server are in use. Try later."
            )
        return door


def _caller(connection: HTTPConnection, path: str) -> Caller:
    return Caller(path, connection.scope["query_string"].decode("latin-1"), connection.headers)
