"""The addresses of a stage behind OpenAI-compatible endpoints, and the order they are used in.

Pure. Theory of operation
=========================

``openai:http://a/v1#model,http://b/v1`` names two addresses; the second has the first one's model.
They are used in turn. One that fails is left out, 5 s at first and twice as long each time that it
fails again, up to a minute; then the next request tries it, and one success makes it as good as
new. One that is left out is only tried last, the one first whose time comes first: where no other
takes the request, it may be back already, and an error should tell of what was asked just now.

One that is merely busy (HTTP 429 or 503) is left out for a second.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from live_cli.errors import EngineError

_NEXT: Final = re.compile(r"\s*,\s*(?:openai:)?(?=https?://)", re.IGNORECASE)
_FIRST_S, _LONGEST_S = 5.0, 60.0
_BUSY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """One endpoint: its ``base`` URL without a slash at the end, and the name behind the ``#``."""

    base: str
    name: str

    @property
    def host(self) -> str:
        """Return host and port, as an error names them."""
        return urlsplit(self.base).netloc


def addresses_of(spec: str, *, key: str, needs_name: bool = True) -> tuple[EndpointAddress, ...]:
    """Return the addresses in ``spec``. Raises EngineError for what is none.

    ``key``: the variable of the environment that holds the key. ``needs_name``: something has to
    stand behind the ``#``.
    """
    found: list[EndpointAddress] = []
    for text in _NEXT.split(spec.strip()):
        base, _, name = text.partition("#")
        if "@" in base or "?" in base:  # before anything is said that would show it
            raise EngineError(f"put the endpoint's key into {key}, not into its address")
        try:
            parts = urlsplit(base)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
            _ = parts.port
        except ValueError:
            is_address = False
        name = name.strip() or (found[-1].name if found else "")
        if not is_address or (needs_name and not name):
            raise EngineError(
                f"{text!r} is not an endpoint: write openai:http://127.0.0.1:11434/v1#model"
            )
        found.append(EndpointAddress(base.strip().rstrip("/"), name))
    return tuple(dict.fromkeys(found))


class AddressRotation:
    """Says which of ``addresses`` to use. ``now`` in seconds, monotonic."""

    def __init__(self, addresses: tuple[EndpointAddress, ...]) -> None:
        self._addresses = addresses
        self._next = 0
        self._out_until = dict.fromkeys(addresses, 0.0)
        self._penalty_s = dict.fromkeys(addresses, 0.0)

    def in_order(self, now: float) -> list[EndpointAddress]:
        """Return the addresses in the order in which one request tries them."""
        start, self._next = self._next, (self._next + 1) % len(self._addresses)
        turned = self._addresses[start:] + self._addresses[:start]
        return sorted(turned, key=lambda address: max(now, self._out_until[address]))

    def worked(self, address: EndpointAddress) -> None:
        """Note that ``address`` answered."""
        self._penalty_s[address] = self._out_until[address] = 0.0

    def failed(self, address: EndpointAddress, now: float) -> None:
        """Note that ``address`` could not be reached, or broke off."""
        penalty_s = min(max(2 * self._penalty_s[address], _FIRST_S), _LONGEST_S)
        self._penalty_s[address] = penalty_s
        self._out_until[address] = now + penalty_s

    def busy(self, address: EndpointAddress, now: float) -> None:
        """Note that ``address`` has too much to do just now."""
        self._out_until[address] = max(self._out_until[address], now + _BUSY_S)
