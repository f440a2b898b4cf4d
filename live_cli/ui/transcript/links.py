"""Addresses from outside, as text and as links that cannot be ended from within. Pure."""

import re
from typing import Final
from urllib.parse import quote

from live_cli.ui.printable import printable

_LONGEST_LINK: Final = 2_083
"""Characters: what VTE, and with it most terminals, takes of a link."""
_LONGEST_TEXT: Final = 2_083
_SHORT_PATH: Final = 24
_LINK: Final = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_HOST: Final = re.compile(r"[^/?#]*")
_KEPT: Final = "".join(map(chr, range(0x21, 0x7F)))


def link_of(uri: str) -> str | None:
    """Return the link for an http or https address, in visible ASCII alone; else None.

    What is beyond ASCII is percent-encoded, as browsers do; an address with control characters,
    blanks or characters that do not show leads nowhere.
    """
    uri = uri.strip(" ")
    if len(uri) > _LONGEST_LINK or printable(uri) != uri or " " in uri:
        return None
    link = quote(uri, safe=_KEPT)
    return link if len(link) <= _LONGEST_LINK and _LINK.fullmatch(link) else None


def address_text(uri: str, *, short: bool) -> str:
    """Return an address to read, safe to print. ``short``: what has a link is cut after its host.

    The host is always whole: it tells where a link leads.
    """
    text = printable(uri.strip()[:_LONGEST_TEXT])
    if not short or link_of(uri) is None:
        return text
    rest = text.partition("://")[2]
    host = _HOST.match(rest)
    end = host.end() if host else 0
    path = rest[end:]
    return rest[:end] + (path if len(path) <= _SHORT_PATH else path[: _SHORT_PATH - 1] + "…")
