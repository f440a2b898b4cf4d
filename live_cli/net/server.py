"""The Live API server's line: WebSocket and HTTP on one port, around whatever answers.

``build_app`` makes the application, ``serve`` runs it. Every WebSocket is accepted first and
refused, if it must be, by a close code and a reason: clients take an HTTP status badly.
"""

import asyncio
import itertools
import logging
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from live_cli.net.doors import BAD_KEY, Caller, Door, Refusal, admit
from live_cli.net.limits import Limits
from live_cli.net.listening import listen, port_of
from live_cli.net.live_socket import Emit, Ending, Engine, EngineSession, LiveSocket, close_socket
from live_cli.net.uvicorn_edge import Uvicorn

__all__ = [
    "Emit",
    "Engine",
    "EngineSession",
    "Limits",
    "ListedModel",
    "build_app",
    "serve",
    "serve_on",
]

SHUTTING_DOWN = Refusal(1001, "The server is shutting down.")


@dataclass(frozen=True, slots=True)
class ListedModel:
    """What ``GET /v1beta/models`` says of a model; limits in tokens."""

    id: str
    title: str
    input_tokens: int
    output_tokens: int
    thinks: bool = False


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


class ModelList:
    """``GET /{version}/models`` and ``/{version}/models/{id}``, as Google's REST API words them."""

    def __init__(self, models: Sequence[ListedModel], reception: Reception) -> None:
        self._models = {model.id: _described(model) for model in models}
        self._reception = reception

    def routes(self) -> list[Route]:
        return [
            Route(f"/{version}/models{rest}", answer)
            for version in ("v1", "v1beta", "v1alpha")
            for rest, answer in (("", self._list), ("/{id}", self._get))
        ]

    async def _list(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse({"models": list(self._models.values())})

    async def _get(self, request: Request) -> Response:
        name = request.path_params["id"]
        if (refused := self._refused(request)) is not None:
            return refused
        if name not in self._models:
            known = ", ".join(self._models)
            return _error(404, "NOT_FOUND", f"models/{name} is not found here; known: {known}.")
        return JSONResponse(self._models[name])

    def _refused(self, request: Request) -> Response | None:
        refusal = self._reception.refuses(request)
        if refusal is None:
            return None
        if refusal is BAD_KEY:
            return _error(400, "INVALID_ARGUMENT", refusal.reason)
        return _error(403, "PERMISSION_DENIED", refusal.reason)


def _described(model: ListedModel) -> dict[str, Any]:
    return {
        "name": f"models/{model.id}",
        "version": "1",
        "displayName": model.title,
        "description": model.title,
        "inputTokenLimit": model.input_tokens,
        "outputTokenLimit": model.output_tokens,
        "supportedGenerationMethods": ["bidiGenerateContent"],
        "thinking": model.thinks,
    }


def _error(code: int, status: str, message: str) -> Response:
    error = {"code": code, "message": message, "status": status}
    return JSONResponse({"error": error}, status_code=code)


def build_app(
    engine: Engine,
    *,
    keys: Collection[str] = (),
    limits: Limits | None = None,
    models: Sequence[ListedModel] = (),
    ready: Callable[[], bool] = lambda: True,
    log: logging.Logger | None = None,
) -> Starlette:
    """The application: the Live API's doors, the list of ``models``, ``/healthz``, ``/readyz``.

    ``keys``: any of them opens the doors; none at all means everyone on this machine may come in.
    ``ready`` answers ``/readyz`` with 200 or 503; sessions may open before, and wait in the engine.
    """
    log = log or logging.getLogger("live_cli.serve")
    reception = Reception(engine, keys, limits or Limits(), log)

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        if ready():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("loading\n", status_code=503)

    app = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *ModelList(models, reception).routes(),
            WebSocketRoute("/{path:path}", reception.receive),
        ]
    )
    app.state.reception = reception
    return app


async def serve(
    app: Starlette,
    host: str,
    port: int,
    on_open: Callable[[int], None],
    *,
    stop: asyncio.Event | None = None,
    secure: ssl.SSLContext | None = None,
) -> None:
    """Listen on ``host`` and ``port`` (0: a free one, told to ``on_open``) until ``stop`` is set.

    Ends gracefully: sessions close with 1001 within the grace time. Raises ConnectError when the
    port cannot be had.
    """
    listeners = listen(host, port)
    on_open(port_of(listeners))
    await serve_on(app, listeners, stop=stop, secure=secure)


async def serve_on(
    app: Starlette,
    listeners: list[socket.socket],
    *,
    stop: asyncio.Event | None = None,
    secure: ssl.SSLContext | None = None,
) -> None:
    """Like ``serve``, on sockets that listen already; they are closed at the end.

    With ``secure`` every port speaks TLS beside plain HTTP.
    """
    reception: Reception = app.state.reception
    server = Uvicorn(app, reception.limits, reception.end_sessions, secure)

    async def watch(stop: asyncio.Event) -> None:
        await stop.wait()
        server.should_exit = True

    watcher = asyncio.create_task(watch(stop)) if stop is not None else None
    try:
        await server.serve(sockets=listeners)
    finally:
        if watcher is not None:
            watcher.cancel()
        for listener in listeners:
            listener.close()
