"""Who may come in, and by which door: paths, keys, browsers. Pure.

The doors are those of the Live API: the Gemini path in three versions (with any prefix, and with
the doubled slash that clients make of a base URL ending in one), the Vertex path, and a bare ``/``,
which is what a Vertex client sends to a custom base. A refusal is a close code and a reason,
because clients hang or crash on an HTTP status (reference 1.5).
"""

import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

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
class Door:
    """Where a client came in. ``constrained``: the door for ephemeral tokens."""

    dialect: Dialect
    constrained: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a connection is closed: a WebSocket close code and a sentence."""

    code: int
    reason: str


BAD_KEY = Refusal(1007, "API key not valid. Please pass a valid API key.")
NO_KEY = Refusal(
    1008,
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key.",
)
NO_DOOR = Refusal(1008, "No such path here: use /ws/…GenerativeService.BidiGenerateContent")
NO_TOKENS = Refusal(1008, "Ephemeral tokens are not supported by this server: use an API key.")
FOREIGN_ORIGIN = Refusal(1008, "Web pages of other hosts may not use this server.")
FOREIGN_HOST = Refusal(1008, "Address this server by IP or as localhost, or start it with a key.")


@dataclass(frozen=True, slots=True)
class Caller:
    """What a handshake says. ``headers`` looks names up in lower case; ``query`` is undecoded."""

    path: str
    query: str
    headers: Mapping[str, str]


def find_door(path: str) -> Door | None:
    """The door at ``path`` (percent-decoded), None when there is none."""
    if match := _GEMINI.fullmatch(path):
        return Door(Dialect(match[1]), constrained=match[2] is not None)
    if match := _VERTEX.fullmatch(path):
        return Door(Dialect(match[1], vertex=True))
    if _BARE.fullmatch(path):
        return Door(Dialect("v1beta1", vertex=True))
    return None


def presented_keys(caller: Caller) -> list[str]:
    """Every key a handshake carries, in any of the forms that clients use (reference 1.2)."""
    found = [caller.headers.get("x-goog-api-key", "")]
    scheme, _, credentials = caller.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "token"):
        found.append(credentials.strip())
    query = parse_qs(caller.query)
    found += [*query.get("key", ()), *query.get("access_token", ())]
    return [key for key in found if key]


def admit(caller: Caller, keys: Iterable[str]) -> Door | Refusal:
    """Let a caller in, or say why not. No ``keys``: everyone is let in who is not a foreign page.

    A page of a foreign host is refused by its Origin. Without keys the Host must be an IP address
    or localhost, or a page could reach this server under a name of its own (DNS rebinding).
    """
    origin = caller.headers.get("origin")
    if origin is not None and not _is_loopback(_host(origin)):
        return FOREIGN_ORIGIN
    keys = tuple(keys)
    if not keys and not _is_own_host(caller.headers.get("host", "")):
        return FOREIGN_HOST
    door = find_door(caller.path)
    if door is None:
        return NO_DOOR
    if door.constrained:
        return NO_TOKENS
    if keys:
        presented = presented_keys(caller)
        if not presented:
            return NO_KEY
        if not _any_equal(presented, keys):
            return BAD_KEY
    return door


def is_loopback_address(host: str) -> bool:
    """Whether listening on ``host`` reaches this machine alone."""
    return _is_loopback(host)


def _any_equal(presented: list[str], keys: tuple[str, ...]) -> bool:
    """Compare all with all, in a time that says nothing about where they differ."""
    equal = False
    for one in presented:
        for key in keys:
            equal |= hmac.compare_digest(one.encode(), key.encode())
    return equal


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _is_own_host(header: str) -> bool:
    host = _host(f"//{header}")
    return host is not None and (_is_loopback(host) or _address(host) is not None)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
