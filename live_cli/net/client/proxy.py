"""The proxy on the way to a server: which one it is, and in plain words what is wrong with it.

It is the one that `websockets` would choose: of the variables ``WSS_PROXY``, ``SOCKS_PROXY`` and
``HTTPS_PROXY`` (for ``ws://`` also ``HTTP_PROXY``) or the system's settings, the first that is set,
unless ``NO_PROXY`` names the server. ``ALL_PROXY``, which curl knows, counts after these. There is
never one on the way to this machine.
"""

import socket
import ssl
import urllib.request
from importlib.util import find_spec
from typing import Final

from websockets.exceptions import (
    InvalidProxy,
    InvalidProxyMessage,
    InvalidProxyStatus,
    ProxyError,
)
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from live_cli.errors import ConnectError, Retry
from live_cli.loopback import reaches_this_machine
from live_cli.net.address import Address
from live_cli.proxies import NamedProxy, named_proxy

_NEEDED_BY_SOCKS: Final = "python_socks"
_GOES_ROUND: Final = "or name the server's host in NO_PROXY."


def proxy_to(address: Address) -> NamedProxy | None:
    """Return the proxy on the way to ``address``; None: there is none.

    Raises ConnectError where it cannot be used as things are.
    """
    server = parse_uri(address.endpoint)
    if reaches_this_machine(server.host):
        return None
    url = get_proxy(server)
    if url is None and not urllib.request.proxy_bypass(f"{server.host}:{server.port}"):
        url = urllib.request.getproxies().get("all")
    if not url:
        return None
    proxy = named_proxy(url)
    if proxy.is_socks and find_spec(_NEEDED_BY_SOCKS) is None:
        raise ConnectError(
            f"The way to {address.place} leads through the SOCKS proxy {proxy}, which needs a "
            f"package: pip install 'live-cli[socks]'. Install it, {_GOES_ROUND}",
            retry=Retry.NEVER,
        )
    return proxy


def why_not_through(exc: Exception, proxy: NamedProxy, address: Address) -> str | None:
    """Return what is wrong with the proxy and what to do; None: the fault is not the proxy's."""
    place = address.place
    match exc:
        case InvalidProxyStatus():
            return _why_status(exc.response.status_code, proxy, place)
        case InvalidProxy():
            written = f"Write it as http://host:port, {_GOES_ROUND}"
            return f"The proxy {proxy} is not usable: {exc.msg}. {written}"
        case InvalidProxyMessage():
            return f"What answers at {proxy} is no HTTP proxy. Correct it, {_GOES_ROUND}"
        case ProxyError():
            why = str(exc.__cause__ or exc).rstrip(".")
            return f"The proxy {proxy} does not lead to {place}: {why}. Check it, {_GOES_ROUND}"
        case TimeoutError():
            return f"Nothing came through the proxy {proxy} in time. Check it, {_GOES_ROUND}"
        case socket.gaierror():
            return f"The name of the proxy {proxy} cannot be found. Correct it, {_GOES_ROUND}"
        case ssl.SSLError():
            return None
        case OSError():
            return f"Nothing answers at the proxy {proxy}. Start it, unset it, {_GOES_ROUND}"
        case _:
            return None


def _why_status(status: int, proxy: NamedProxy, place: str) -> str:
    if status == 407:
        scheme = proxy.url.partition("://")[0]
        return (
            f"The proxy {proxy} wants a name and a password (HTTP 407). "
            f"Write them into its address: {scheme}://NAME:PASSWORD@host:port."
        )
    said = f"The proxy {proxy} does not lead to {place} (HTTP {status})."
    return f"{said} Ask who runs it, {_GOES_ROUND}"


def may_pass(exc: InvalidProxyStatus) -> bool:
    """Return whether a proxy may answer otherwise in a moment."""
    return exc.response.status_code >= 500
