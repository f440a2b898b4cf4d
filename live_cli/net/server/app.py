"""The server's two entry points: `build_app` makes the ASGI application, `serve_on` runs it.

The application routes WebSockets to `sessions.Sessions`, which opens one `connection` for each, and
HTTP requests to `rest`; `serve_on` runs it in `uvicorn_server` on sockets that `listen` opened.
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
from live_cli.net.server.count_tokens import TokenCounter
from live_cli.net.server.engine_api import Engine
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.rest import (
    ListedModel,
    metrics_routes,
    no_route,
    rest_routes,
    with_prefix,
)
from live_cli.net.server.sessions import Sessions
from live_cli.net.server.stats.counts import NoCounts
from live_cli.net.server.store.memory import MemoryStore
from live_cli.net.server.store.session_store import SessionStore
from live_cli.net.server.uvicorn_server import UvicornServer

if TYPE_CHECKING:
    from live_cli.net.server.stats.prometheus import PrometheusCounts


def build_app(
    engine: Engine,
    *,
    keys: Collection[str] = (),
    origins: Collection[str] = (),
    limits: Limits | None = None,
    store: SessionStore | None = None,
    strict: bool = False,
    models: Sequence[ListedModel] = (),
    counter: TokenCounter | None = None,
    counts: "PrometheusCounts | None" = None,
    ready: Callable[[], bool] = lambda: True,
    on_idle: Callable[[], None] = lambda: None,
    log: logging.Logger | None = None,
) -> Starlette:
    """Return the application: Live API and REST endpoints, ``/healthz`` and ``/readyz``.

    ``keys``: any of these admits a client; with none, no key is asked for.
    ``origins``: web pages of these origins are admitted beside this machine's own.
    ``store``: where sessions and tokens are kept; by default this process's memory.
    ``strict``: unknown fields end a session with 1007.
    ``models``: what the list of models answers.
    ``counter``: counts the tokens of texts; without one there is no such endpoint.
    ``counts``: counts what happens; admitted clients read the metrics at ``/metrics``.
    ``ready``: decides whether ``/readyz`` answers 200 or 503; sessions may open before it is true,
    and wait in the engine.
    ``on_idle``: called when the last session has ended.
    """
    log = log or logging.getLogger("live_cli.serve")
    limits = limits or Limits()
    sessions = Sessions(
        engine,
        keys,
        origins,
        limits,
        log,
        store=store or MemoryStore(limits.tokens),
        strict=strict,
        counts=counts or NoCounts(),
        on_idle=on_idle,
    )

    app = Starlette(
        middleware=[cors(origins)],
        routes=[
            *_health_routes(ready, sessions),
            *rest_routes(models, sessions, counter),
            *(metrics_routes(counts, sessions) if counts else []),
            no_route(),
            WebSocketRoute("/{path:path}", sessions.serve_websocket),
        ],
    )
    app.state.sessions = sessions
    app.state.counts = counts
    return app


def _health_routes(ready: Callable[[], bool], sessions: Sessions) -> list[Route]:
    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        if ready() and not sessions.is_closing:
            degraded = ", degraded: the store does not answer" if sessions.store.is_away else ""
            return PlainTextResponse(f"ready{degraded}\n")
        return PlainTextResponse(
            "closing\n" if sessions.is_closing else "loading\n", status_code=503
        )

    return [*with_prefix("/healthz", healthz), *with_prefix("/readyz", readyz)]


async def serve_on(
    app: Starlette,
    listeners: list[socket.socket],
    *,
    stop: asyncio.Event | None = None,
    secure: ssl.SSLContext | None = None,
) -> None:
    """Serve on ``listeners`` until ``stop`` is set or the task is cancelled; close them at the end.

    The end is graceful: sessions get a goAway, may finish their turn within the grace time, and
    close with 1001. With ``secure`` each port speaks TLS beside plain HTTP.
    """
    sessions: Sessions = app.state.sessions
    server = UvicornServer(app, sessions.limits, sessions.end_sessions, secure)
    counts: PrometheusCounts | None = app.state.counts
    beside = [sessions.store.watch(), *([] if counts is None else [counts.sample()])]
    try:
        await server.serve_until(stop, listeners, beside)
    finally:
        await sessions.store.close()
