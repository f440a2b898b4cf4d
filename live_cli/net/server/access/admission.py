"""Admission of a WebSocket handshake: its path, credentials, Origin and Host are checked. Pure.

The endpoints are those of the Live API: the Gemini path in three versions (with any prefix, and
with the doubled slash that clients make of a base URL ending in one), the Vertex path, the two of
Firebase AI Logic, and a bare ``/``, which is what a Vertex client sends to a custom base. A
refusal is a close code and a reason, because clients hang or crash on an HTTP status (reference
1.5).
"""

import hmac
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlsplit

from live_cli.loopback import is_loopback, is_loopback_or_ip
from live_cli.net.server.access.principal import NOBODY, Principal, principal_of_key
from live_cli.net.server.close_reason import CloseReason
from live_cli.protocol.dialect import Dialect

_GEMINI = re.compile(
    r"/+(?:.*/)?ws/google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)"
    r"\.GenerativeService\.BidiGenerateContent(Constrained)?"
)
_VERTEX = re.compile(
    r"/+(?:.*/)?ws/google\.cloud\.aiplatform\.(v1|v1beta1)\.LlmBidiService/BidiGenerateContent"
)
_FIREBASE = re.compile(
    r"/+(?:.*/)?ws/google\.firebase\.vertexai\.(v1|v1beta|v1alpha)\."
    r"(?:(GenerativeService)/BidiGenerateContent"
    r"|LlmBidiService/BidiGenerateContent(?:/locations/[^/]+)?)"
)
"""Firebase AI Logic before the Gemini API, and before Vertex AI."""
_BARE = re.compile(r"/*")
_INTERACTIONS = re.compile(r"/+(?:.*/)?v1(?:beta|alpha)?/interactions/live/*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of the Live API's WebSocket endpoints, as a client asked for it.

    ``constrained``: the method that takes ephemeral tokens. ``token``: the name of the token shown
    there, not yet looked up. ``principal``: who asks, by the key that was shown.
    """

    dialect: Dialect
    constrained: bool = False
    token: str | None = field(default=None, repr=False)
    principal: Principal = NOBODY


BAD_KEY = CloseReason(1007, "API key not valid. Please pass a valid API key.", "key")
NO_KEY = CloseReason(
    1008,
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key.",
    "key",
)
NO_ENDPOINT = CloseReason(
    1008, "No such path here: use /ws/…GenerativeService.BidiGenerateContent", "path"
)
OTHER_PROTOCOL = CloseReason(
    1008,
    "Live Interactions is another protocol, not spoken here: use …GenerativeService"
    ".BidiGenerateContent (ai.live.connect).",
    "path",
)
NO_TOKEN = CloseReason(
    1008, "This method takes an ephemeral token: create one with POST /v1alpha/auth_tokens.", "key"
)
FOREIGN_ORIGIN = CloseReason(
    1008, "Pages of this origin may not use this server: allow it with --allow-origin.", "origin"
)
FOREIGN_HOST = CloseReason(
    1008, "Address this server by IP or as localhost, or start it with a key.", "host"
)

TOKEN_PREFIX = "auth_tokens/"  # noqa: S105 - how the names of tokens begin


@dataclass(frozen=True, slots=True)
class Handshake:
    """The request of a WebSocket handshake, as far as admission reads it.

    ``path`` is percent-decoded, ``query`` is not; ``headers`` are looked up in lower case.
    """

    path: str
    query: str
    headers: Mapping[str, str]


def find_endpoint(path: str) -> Endpoint | None:
    """Return the endpoint at ``path`` (percent-decoded), None when there is none."""
    if match := _GEMINI.fullmatch(path):
        return Endpoint(Dialect(match[1]), constrained=match[2] is not None)
    if match := _VERTEX.fullmatch(path):
        return Endpoint(Dialect(match[1], vertex=True))
    if match := _FIREBASE.fullmatch(path):
        return Endpoint(Dialect(match[1], vertex=match[2] is None))
    if _BARE.fullmatch(path):
        return Endpoint(Dialect("v1beta1", vertex=True))
    return None


def is_interactions(path: str) -> bool:
    """Whether ``path`` is that of Live Interactions, Google's second live protocol (§9)."""
    return _INTERACTIONS.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class Credentials:
    """The API keys and ephemeral tokens of a handshake, in every form that clients use.

    ``keys``: all credentials, whatever their form. ``tokens``: those named like an ephemeral token,
    from the forms that take one. Source: Live API reference, 1.2.
    """

    keys: tuple[str, ...]
    tokens: tuple[str, ...]
    as_token: bool
    """Whether a token came in a form that is for tokens alone, such as ``access_token``."""


def credentials_of(handshake: Handshake) -> Credentials:
    """Collect the credentials in the headers and the query of ``handshake``."""
    header = handshake.headers.get("x-goog-api-key", "")
    query = parse_qs(handshake.query)
    scheme, _, credentials = handshake.headers.get("authorization", "").partition(" ")
    authorized = [credentials.strip()] if scheme.lower() in ("bearer", "token") else []
    authorized += query.get("access_token", ())
    keys = [key for key in (header, *query.get("key", ()), *authorized) if key]
    tokens = [key for key in (*authorized, header) if key.startswith(TOKEN_PREFIX)]
    as_token = any(key.startswith(TOKEN_PREFIX) for key in authorized)
    return Credentials(tuple(keys), tuple(tokens), as_token)


def admit(
    handshake: Handshake, keys: Iterable[str], origins: Collection[str] = frozenset()
) -> Endpoint | CloseReason:
    """Return the endpoint that a handshake gets, or why it is refused.

    A web page is refused by its Origin unless that is this machine's or one of ``origins``. Without
    ``keys`` no credential is asked for, but the Host must be an IP address or localhost, or a page
    could reach this server under a name of its own (DNS rebinding). An ephemeral token is good for
    the constrained endpoints alone.
    """
    origin = handshake.headers.get("origin")
    if origin is not None and not _is_own_origin(origin) and origin.lower() not in origins:
        return FOREIGN_ORIGIN
    keys = tuple(keys)
    if not keys and not _is_own_host(handshake.headers.get("host", "")):
        return FOREIGN_HOST
    endpoint = find_endpoint(handshake.path)
    if endpoint is None:
        return OTHER_PROTOCOL if is_interactions(handshake.path) else NO_ENDPOINT
    shown = credentials_of(handshake)
    if endpoint.constrained:
        if shown.tokens:
            return replace(endpoint, token=shown.tokens[0])
        return BAD_KEY if any(map(_is_token, shown.keys)) else NO_TOKEN
    principal = _principal_of(shown, keys)
    if isinstance(principal, CloseReason):
        return principal
    return replace(endpoint, principal=principal)


def _principal_of(shown: Credentials, keys: tuple[str, ...]) -> Principal | CloseReason:
    if any(map(_is_token, shown.keys)):
        return NO_KEY if shown.as_token else BAD_KEY
    if not keys:
        return NOBODY
    if not shown.keys:
        return NO_KEY
    key = _shown_key(shown.keys, keys)
    return BAD_KEY if key is None else principal_of_key(key, is_first=key == keys[0])


def _is_token(key: str) -> bool:
    return key.startswith(TOKEN_PREFIX)


def _shown_key(shown: tuple[str, ...], keys: tuple[str, ...]) -> str | None:
    """Return the first of ``keys`` that is shown, None where none is.

    All are compared with all, in a time that does not depend on where they differ.
    """
    found = None
    for key in reversed(keys):
        for one in shown:
            if hmac.compare_digest(one.encode(), key.encode()):
                found = key
    return found


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
