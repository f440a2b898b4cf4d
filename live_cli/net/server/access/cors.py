"""CORS: which web pages may read the REST API's answers."""

from collections.abc import Collection

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from live_cli.loopback import LOOPBACK_ORIGIN


def cors(origins: Collection[str]) -> Middleware:
    """Return the middleware that lets pages of this machine and of ``origins`` read answers.

    It answers preflights and adds the headers; what other pages ask for is refused by
    `admission.admit`.
    """
    return Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        allow_private_network=True,
    )
