"""Which web pages may read what REST answers: this machine's own, and those that are allowed."""

from collections.abc import Collection

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

_LOOPBACK = r"https?://(([\w-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?"


def cors(origins: Collection[str]) -> Middleware:
    """Answers preflights, and marks answers as readable; `doors.admit` refuses all the same."""
    return Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_origin_regex=_LOOPBACK,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        allow_private_network=True,
    )
