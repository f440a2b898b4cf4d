"""Who may come in, and by which door: paths, keys, browsers. Pure.

The doors are those of the Live API: the Gemini path in three versions (with any prefix, and with
the doubled slash that clients make of a base URL ending in one), the Vertex path, and a bare ``/``,
which is what a Vertex client sends to a custom base. A refusal is a close code and a reason,
because clients hang or crash on an HTTP status (reference 1.5).
"""

import hmac
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlsplit

from live_cli.loopback import is_loopback, is_loopback_or_ip
from live_cli.protocol.dialect import Dialect

_GEMINI = re.compile(
    r"/+(?:.*/)?ws/google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)"
    r"\.GenerativeService\.BidiGenerateContent(Constrained)?"
)
_VERTEX = re.compile(
    r"/+(?:.*/)?ws/google\.cloud\.aiplatform\.(v1|v1beta1)\.LlmBidiService/BidiGenerateContent"
)
_BARE = re.compile(r"/*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a client came in. ``constrained``: the door for ephemeral tokens.

    ``token``: the name of the one that was shown there, which nobody has looked at yet.
    """

    dialect: Dialect
    constrained: bool = False
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a connection is closed: a close code and a sentence. ``kind``: a word to count it by."""

    code: int
    reason: str
    kind: str


BAD_KEY = Refusal(1007, "API key not valid. Please pass a valid API key.", "key")
NO_KEY = Refusal(
    1008,
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key.",
    "key",
)
NO_ENDPOINT = Refusal(
    1008, "No such path here: use /ws/…GenerativeService.BidiGenerateContent", "path"
)
NO_TOKEN = Refusal(
    1008, "This method takes an ephemeral token: create one with POST /v1alpha/auth_tokens.", "key"
)
FOREIGN_ORIGIN = Refusal(
    1008, "Pages of this origin may not use this server: allow it with --allow-origin.", "origin"
)
FOREIGN_HOST = Refusal(
    1008, "Address this server by IP or as localhost, or start it with a key.", "host"
)

TOKEN_PREFIX = "auth_tokens/"  # noqa: S105 - how their names begin


@dataclass(frozen=True, slots=True)
class Caller:
    """What a handshake says. ``headers`` looks names up in lower case; ``query`` is undecoded."""

    path: str
    query: str
    headers: Mapping[str, str]


def find_endpoint(path: str) -> Endpoint | None:
    """The door at ``path`` (percent-decoded), None when there is none."""
    if match := _GEMINI.fullmatch(path):
        return Endpoint(Dialect(match[1]), constrained=match[2] is not None)
    if match := _VERTEX.fullmatch(path):
        return Endpoint(Dialect(match[1], vertex=True))
    if _BARE.fullmatch(path):
        return Endpoint(Dialect("v1beta1", vertex=True))
    return None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a handshake shows, in any of the forms that clients use (reference 1.2).

    ``tokens``: what came as a token or in a header that takes both. ``keys``: what came as a key.
    """

    keys: tuple[str, ...]
    tokens: tuple[str, ...]
    as_token: bool
    """Whether anything came in a form that is for tokens alone."""


def credentials_of(caller: Caller) -> Credentials:
    header = caller.headers.get("x-goog-api-key", "")
    query = parse_qs(caller.query)
    scheme, _, credentials = caller.headers.get("authorization", "").partition(" ")
    authorized = [credentials.strip()] if scheme.lower() in ("bearer", "token") else []
    authorized += query.get("access_token", ())
    keys = [key for key in (header, *query.get("key", ()), *authorized) if key]
    tokens = [key for key in (*authorized, header) if key.startswith(TOKEN_PREFIX)]
    as_token = any(key.startswith(TOKEN_PREFIX) for key in authorized)
    return Credentials(tuple(keys), tuple(tokens), as_token)


def admit(
    caller: Caller, keys: Iterable[str], origins: Collection[str] = frozenset()
) -> Endpoint | Refusal:
    """Let a caller in, or say why not. No ``keys``: everyone is let in who is not a foreign page.

    A page is refused by its Origin unless it is this machine's own or one of ``origins``. Without
    keys the Host must be an IP address or localhost, or a page could reach this server under a
    name of its own (DNS rebinding). An ephemeral token opens the constrained door and no other.
    """
    origin = caller.headers.get("origin")
    if origin is not None and not _is_own_origin(origin) and origin.lower() not in origins:
        return FOREIGN_ORIGIN
    keys = tuple(keys)
    if not keys and not _is_own_host(caller.headers.get("host", "")):
        return FOREIGN_HOST
    door = find_endpoint(caller.path)
    if door is None:
        return NO_ENDPOINT
    shown = credentials_of(caller)
    if door.constrained:
        if shown.tokens:
            return replace(door, token=shown.tokens[0])
        return BAD_KEY if any(map(_is_token, shown.keys)) else NO_TOKEN
    return _refuse_keys(shown, keys) or door


def _refuse_keys(shown: Credentials, keys: tuple[str, ...]) -> Refusal | None:
    if any(map(_is_token, shown.keys)):
        return NO_KEY if shown.as_token else BAD_KEY
    if not keys:
        return None
    if not shown.keys:
        return NO_KEY
    return None if _any_equal(shown.keys, keys) else BAD_KEY


def _is_token(key: str) -> bool:
    return key.startswith(TOKEN_PREFIX)


def _any_equal(shown: tuple[str, ...], keys: tuple[str, ...]) -> bool:
    """Compare all with all, in a time that says nothing about where they differ."""
    equal = False
    for one in shown:
        for key in keys:
            equal |= hmac.compare_digest(one.encode(), key.encode())
    return equal


def _is_own_origin(origin: str) -> bool:
    host = _host(origin)
    return host is not None and is_loopback(host)


def _is_own_host(header: str) -> bool:
    host = _host(f"//{header}")
    return host is not None and is_loopback_or_ip(host)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
