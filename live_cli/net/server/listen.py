"""Opens listening sockets and makes a one-time key.

Cheap to import: a child process listens first, lets its client connect into the backlog, and loads
its models and its HTTP stack meanwhile.
"""

import contextlib
import errno
import os
import secrets
import socket

from live_cli.errors import ConnectError
from live_cli.loopback import is_any_address

_BACKLOG = 128


def one_time_key() -> str:
    """Return a key for one run of a server: 256 random bits, safe in headers and URLs."""
    return secrets.token_urlsafe(32)


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of ``host``, all at one port; 0 takes a free one.

    ``::`` is every address of the machine, those of IPv4 too. Raises ConnectError when the host is
    unknown or the port is taken.
    """
    opened: list[socket.socket] = []
    failure: OSError | None = None
    for family, address in _addresses(host):
        try:
            opened.append(_listen(family, (address, port)))
        except OSError as exc:
            failure = exc
            if exc.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                continue  # such as ::1 for localhost on a machine without IPv6
            break
        port = port_of(opened)
    else:
        if opened:
            return opened
    for listener in opened:
        listener.close()
    raise ConnectError(_explain(host, port, failure)) from failure


def port_of(listeners: list[socket.socket]) -> int:
    """Return the port that `listen` took."""
    return int(listeners[0].getsockname()[1])


def addresses_of(listeners: list[socket.socket]) -> list[str]:
    """Return the addresses by which this machine, and others, reach what `listen` returned.

    Of a socket at every address these are the loopback's and the one that this machine has in its
    network, as far as it is in one. Nothing is sent to find that out.
    """
    found: list[str] = []
    for listener in listeners:
        at = str(listener.getsockname()[0])
        if at not in _REACHED:
            found.append(at)
            continue
        loopback, elsewhere = _REACHED[at]
        found.append(loopback)
        with contextlib.suppress(OSError), socket.socket(listener.family, socket.SOCK_DGRAM) as out:
            out.connect((elsewhere, 9))
            found.append(str(out.getsockname()[0]))
    return list(dict.fromkeys(found))


_REACHED = {"0.0.0.0": ("127.0.0.1", "192.0.2.1"), "::": ("::1", "2001:db8::1")}  # noqa: S104
"""By a socket's address where it is every address: the loopback's, and one far away (RFC 5737,
RFC 3849) to which the machine's own address is asked for."""


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if is_any_address(host):
        every = [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]  # noqa: S104 - asked for
        return every if ":" in host else every[:1]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as exc:
        raise ConnectError(
            f"Cannot listen on {host!r}: no such host. Try --host 127.0.0.1."
        ) from exc
    return list(dict.fromkeys((family, str(at[0])) for family, _, _, _, at in found))


def _listen(family: socket.AddressFamily, at: tuple[str, int]) -> socket.socket:
    # The protocol is named: asyncio turns off Nagle's delay only on sockets that say they are TCP,
    # and an accepted socket says what its listener does. Otherwise writes wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows this would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(at)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _explain(host: str, port: int, failure: OSError | None) -> str:
    code = failure.errno if failure else None
    if code == errno.EADDRINUSE:
        return f"Port {port} is in use. Stop what uses it, or choose another: --port N."
    if code == errno.EACCES:
        return f"Port {port} needs more rights. Choose one from 1024 on: --port N."
    if code == errno.EADDRNOTAVAIL:
        return f"This machine has no address {host!r}. Try --host 127.0.0.1."
    return f"Cannot listen on {host!r} port {port}: {failure}. Try --host 127.0.0.1 --port 0."
