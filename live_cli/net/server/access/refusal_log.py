"""Lines for the log about what was refused: the first at once, then one a minute. Pure."""

from dataclasses import dataclass
from typing import Final

from live_cli.net.server.close_reason import CloseReason

EVERY_S: Final = 60.0
_MOST_KNOWN: Final = 256
"""Addresses and kinds told apart at a time; the rest share a line for each kind."""
_OTHERS: Final = "other addresses"


@dataclass(slots=True)
class _Told:
    """What was refused since the last line: how often, the last reason, and when the line was."""

    at: float
    why: CloseReason
    untold: int = 0


class RefusalLog:
    """Counts refusals by address and kind, and says when a line about them is due."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], _Told] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no address is remembered: then `due` need not be asked."""
        return not self._told

    def note(self, address: str, why: CloseReason, now: float) -> str | None:
        """Count a refusal; return the line for it where none has been in the last minute."""
        key = address, why.kind
        if key not in self._told and len(self._told) >= _MOST_KNOWN:
            key = _OTHERS, why.kind
        told = self._told.get(key)
        if told is not None:
            told.untold += 1
            told.why = why
            return None
        self._told[key] = _Told(now, why)
        return f"refused {key[0]}: {why.code} {why.reason!r}"

    def due(self, now: float, *, closing: bool = False) -> list[str]:
        """Return a line for each address that was refused again, a minute after its last line.

        ``closing``: also for those whose last line was later, since none comes after this.
        """
        lines = []
        for key, told in list(self._told.items()):
            if now - told.at < EVERY_S and not closing:
                continue
            if not told.untold:
                del self._told[key]
                continue
            lines.append(
                f"refused {key[0]} {told.untold} more times in {now - told.at:.0f} s: "
                f"{told.why.code} {told.why.reason!r}"
            )
            told.at, told.untold = now, 0
        return lines
