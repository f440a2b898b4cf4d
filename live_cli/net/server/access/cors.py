"""Which web pages may read what REST answers: this machine's own, and those that are allowed."""

from collections.abc import Collection

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from live_cli.loopback import LOOPBACK_ORIGIN


def cors(origins: Collection[str]) -> Middleware:
    """Answers preflights, and marks answers as readable; `doors.admit` refuses all the same."""
    return Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        allow_private_network=True,
    )
