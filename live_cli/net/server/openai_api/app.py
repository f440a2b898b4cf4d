"""`live-cli stages` as an ASGI application: `build_stages_app` makes it, `serve_stages_on` runs it.

Listening, TLS beside plain HTTP, deadlines and places are those of `serve` (`uvicorn_server`).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from live_cli.net.server.access.cors import cors
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.openai_api.endpoints import StageEndpoints
from live_cli.net.server.openai_api.gate import StageGate, error
from live_cli.net.server.openai_api.stage_api import StageApi
from live_cli.net.server.stats.counts import NoCounts
from live_cli.net.server.uvicorn_server import UvicornServer

if TYPE_CHECKING:
    from live_cli.net.server.stats.prometheus import PrometheusCounts


def build_stages_app(
    stages: StageApi,
    offered: Collection[str],
    *,
    keys: Collection[str] = (),
    origins: Collection[str] = (),
    limits: Limits | None = None,
    counts: "PrometheusCounts | None" = None,
    ready: Callable[[], bool] = lambda: True,
) -> Starlette:
    """Return the application: OpenAI's endpoints, ``/healthz``, ``/readyz`` and ``/metrics``.

    ``offered``: the names of the stages that are there. ``keys``: any of these admits a caller;
    with none, no key is asked for. ``origins``: web pages of these are admitted beside this
    machine's own. ``ready``: decides whether ``/readyz`` answers 200 or 503; requests may come
    before it is true, and wait for the models.
    """
    gate = StageGate(keys, origins, limits or Limits(), counts or NoCounts())
    endpoints = StageEndpoints(stages, offered, gate)

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        if ready() and not gate.is_closing:
            return PlainTextResponse("ready\n")
        return PlainTextResponse("closing\n" if gate.is_closing else "loading\n", status_code=503)

    async def metrics(request: Request) -> Response:
        from live_cli.net.server.stats.prometheus import CONTENT_TYPE

        caller = await gate.admit(request)
        if isinstance(caller, Response):
            return caller
        text = counts.text() if counts is not None else b""
        return Response(text, headers={"content-type": CONTENT_TYPE})

    async def no_route(request: Request) -> Response:
        return error(404, f"{request.scope['path'][:100]} is not here: this server has /v1/models.")

    app = Starlette(
        middleware=[cors(origins)],
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *([Route("/metrics", metrics)] if counts is not None else []),
            Route("/v1/models", endpoints.models),
            Route("/v1/models/{name:path}", endpoints.model),
            Route("/v1/audio/transcriptions", endpoints.transcriptions, methods=["POST"]),
            Route("/v1/audio/speech", endpoints.speech, methods=["POST"]),
            Route("/v1/chat/completions", endpoints.chat, methods=["POST"]),
            Route("/{path:path}", no_route, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ],
    )
    app.state.gate = gate
    app.state.counts = counts
    return app


async def serve_stages_on(
    app: Starlette,
    listeners: list[socket.socket],
    *,
    stop: asyncio.Event,
    secure: ssl.SSLContext | None = None,
) -> None:
    """Serve on ``listeners`` until ``stop`` is set; close them at the end.

    Requests under way may go on within the grace time. With ``secure`` each port speaks TLS beside
    plain HTTP.
    """
    gate: StageGate = app.state.gate
    server = UvicornServer(app, gate.limits, gate.end_requests, secure)
    counts: PrometheusCounts | None = app.state.counts
    await server.serve_until(stop, listeners, [] if counts is None else [counts.sample()])
