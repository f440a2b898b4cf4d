"""The addresses and names by which a machine reaches itself (RFC 1122 §3.2.1.3, RFC 6761 §6.3)."""

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

LOOPBACK_ADDRESS: Final = "127.0.0.1"
"""Where a server listens that no other machine can reach."""

LOOPBACK_HOSTS: Final = ("localhost", LOOPBACK_ADDRESS, "::1")
"""The hosts that every certificate of `serve` names. `is_loopback` is true for many others too."""

ANY_ADDRESSES: Final = ("0.0.0.0", "::")  # noqa: S104 - to compare with, not to bind to
"""Where a server listens at every address of its machine, loopback among them."""

LOOPBACK_ORIGIN: Final = r"https?://(([\w-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?"
"""A regular expression for the origins of web pages that this machine serves itself."""


_LABEL: Final = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = rf"(\*\.)?({_LABEL}\.)*(?!\d+$){_LABEL}"
"""The last part of a name is no number, or 192.0.2.300 were one (RFC 3696 §2)."""
_LONGEST_NAME: Final = 253


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine alone: localhost, a name below it, or a loopback address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _ip_address(host)
    return address is not None and address.is_loopback


def reaches_this_machine(host: str) -> bool:
    """Whether a connection to ``host`` ends on this machine, so that no proxy can help it there.

    True for loopback, for the addresses that mean all of one's own (0.0.0.0 and ::), for a loopback
    address written as IPv6 (RFC 4291 §2.5.5.2), and for a name with the dot of the root.
    """
    host = host.strip("[]").removesuffix(".").lower()
    mapped = getattr(_ip_address(host), "ipv4_mapped", None)
    return is_loopback(str(mapped or host)) or host in ANY_ADDRESSES


def is_loopback_or_ip(host: str) -> bool:
    """Whether ``host`` means the same machine whatever a DNS server says.

    True for loopback names and for every IP address; a page cannot rebind either.
    """
    return is_loopback(host) or _ip_address(host) is not None


def is_any_address(host: str) -> bool:
    """Whether a server at ``host``, however it is spelled, listens at all of its machine's."""
    if host in ANY_ADDRESSES:
        return True
    address = _ip_address(host)
    return address is not None and address.is_unspecified


def listens_on_loopback_hosts(host: str) -> bool:
    """Whether a server that listens at ``host`` is reached by a name in its certificate."""
    return host in LOOPBACK_HOSTS or is_any_address(host)


def canonical_host(text: str) -> str | None:
    """Return a host's name or address as certificates spell it, None where it is neither.

    Names are lower-case ASCII (IDNA) and may begin with ``*.``; addresses are in their short form.
    """
    text = text.strip().strip("[]").removesuffix(".").lower()
    address = _ip_address(text)
    if address is not None:
        return str(address)
    try:
        name = text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        return None
    return name if len(name) <= _LONGEST_NAME and re.fullmatch(_NAME, name) else None


def _ip_address(host: str) -> "IPv4Address | IPv6Address | None":
    import ipaddress  # late: to import the names alone is cheap

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
