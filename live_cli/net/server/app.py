"""The Live API server's line: WebSocket and HTTP on one port, around whatever answers.

``build_app`` makes the application, ``serve`` runs it. Every WebSocket is accepted first and
refused, if it must be, by a close code and a reason: clients take an HTTP status badly.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from live_cli.net.server.access.cors import cors
from live_cli.net.server.engine_api import Engine
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.listen import listen, port_of
from live_cli.net.server.rest import ListedModel, metrics_route, no_route, rest_routes
from live_cli.net.server.sessions import Sessions
from live_cli.net.server.stats.counts import NoCounts
from live_cli.net.server.uvicorn_server import Uvicorn

if TYPE_CHECKING:
    from live_cli.net.server.stats.prometheus import PrometheusCounts


def build_app(
    engine: Engine,
    *,
    keys: Collection[str] = (),
    origins: Collection[str] = (),
    limits: Limits | None = None,
    strict: bool = False,
    models: Sequence[ListedModel] = (),
    metrics: "PrometheusCounts | None" = None,
    ready: Callable[[], bool] = lambda: True,
    log: logging.Logger | None = None,
) -> Starlette:
    """The application: the Live API's doors, the list of ``models``, ``/healthz``, ``/readyz``.

    ``keys``: any of them opens the doors; none at all means everyone on this machine may come in.
    ``strict``: fields that are not known end a session with 1007.
    ``origins``: web pages of these may come in beside this machine's own.
    ``metrics``: what is counted, shown at ``/metrics`` to whom the doors are open.
    ``ready`` answers ``/readyz`` with 200 or 503; sessions may open before, and wait in the engine.
    """
    log = log or logging.getLogger("live_cli.serve")
    reception = Sessions(
        engine, keys, origins, limits or Limits(), log, strict=strict, meter=metrics or NoCounts()
    )

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        if ready() and not reception.is_closing:
            return PlainTextResponse("ready\n")
        return PlainTextResponse(
            "closing\n" if reception.is_closing else "loading\n", status_code=503
        )

    app = Starlette(
        middleware=[cors(origins)],
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *rest_routes(models, reception),
            *([metrics_route(metrics, reception)] if metrics else []),
            no_route(),
            WebSocketRoute("/{path:path}", reception.receive),
        ],
    )
    app.state.reception = reception
    app.state.metrics = metrics
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

    Ends gracefully: sessions get a goAway, may finish their turn within the grace time, and close
    with 1001. Raises ConnectError when the
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
    reception: Sessions = app.state.reception
    server = Uvicorn(app, reception.limits, reception.end_sessions, secure)

    async def watch(stop: asyncio.Event) -> None:
        await stop.wait()
        server.stop()

    metrics: PrometheusCounts | None = app.state.metrics
    beside = [asyncio.create_task(watch(stop))] if stop is not None else []
    beside += [asyncio.create_task(metrics.sample())] if metrics is not None else []
    try:
        await server.serve(sockets=listeners)
    finally:
        for task in beside:
            task.cancel()
        for listener in listeners:
            listener.close()
