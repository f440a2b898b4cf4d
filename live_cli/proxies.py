"""The proxies that the environment or the system names: how to call one, and HTTP through them.

There is never one on the way to this machine: a proxy cannot reach what listens on the loopback of
the machine that asks it, and most who set one forget to name localhost in ``NO_PROXY``.
"""

import os
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from live_cli.loopback import reaches_this_machine

_SYSTEM = "the system's settings"


@dataclass(frozen=True, slots=True)
class NamedProxy:
    """``url``: its address, with the name and password for it. ``source``: where it is set."""

    url: str = field(repr=False)
    source: str

    @property
    def is_socks(self) -> bool:
        return self.url.lower().startswith("socks")

    def __str__(self) -> str:
        """Its address without name and password, and where it is set."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]} ({self.source})"


def named_proxy(value: str) -> NamedProxy:
    """Return the proxy that a setting's ``value`` means.

    A bare ``host:port`` is an HTTP proxy, as for curl; ``socks://``, as GNOME writes it, is SOCKS 5
    that looks names up itself, since the networks that need one want that.
    """
    scheme, parted, rest = value.partition("://")
    if not parted:
        return NamedProxy(f"http://{value}", _source_of(value))
    return NamedProxy(f"socks5h://{rest}" if scheme == "socks" else value, _source_of(rest))


def _source_of(place: str) -> str:
    """Return the variable whose value has ``place``, or words for the system's settings."""
    for name, value in os.environ.items():
        if name.lower().endswith("_proxy") and name.lower() != "no_proxy" and place in value:
            return name
    return _SYSTEM


def proxy_of_http(url: str) -> NamedProxy | None:
    """Return the proxy by which an `http_opener` gets at ``url``; None: it needs none."""
    parts = urlsplit(url)
    value = urllib.request.getproxies().get(parts.scheme)
    host = parts.hostname or ""
    if not value or reaches_this_machine(host) or urllib.request.proxy_bypass(parts.netloc):
        return None
    return named_proxy(value)


def http_opener(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """Return an opener with ``handlers`` beside those that urllib brings along.

    Its errors are urllib's; a SOCKS proxy, which urllib would take for one of HTTP, is a URLError.
    """
    return urllib.request.build_opener(_ProxyElsewhere, *handlers)


class _ProxyElsewhere(urllib.request.ProxyHandler):
    """Takes the proxy of the system's settings for all hosts but this machine."""

    def proxy_open(self, req: urllib.request.Request, proxy: str, type: str) -> Any:
        if reaches_this_machine(urlsplit(f"//{req.host}").hostname or ""):
            return None
        if urllib.request.proxy_bypass(req.host):
            return None
        if (named := named_proxy(proxy)).is_socks:
            raise urllib.error.URLError(
                f"the SOCKS proxy {named} cannot be used for this: set one of HTTP there"
            )
        return super().proxy_open(req, proxy, type)
