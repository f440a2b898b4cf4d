"""How fast a client may send, and how much in one message. Pure.

Media is never refused for its speed. A client that uploads a file as fast as it can is slowed by
back pressure: its frames wait in a bounded inbox, and while that is full its socket is not read,
so TCP makes the sender wait. Only messages too small for that, below the size of any audio frame
that is worth sending, are counted, and only a flood of them ends a session: they cost a server
more than a client, and mean nothing.

JSON costs by its values more than by its bytes: sixteen megabytes of empty lists take a second to
parse, in which no other session is served. Media is one long string, so a message of many values
is refused before it is parsed.
"""

from typing import Final

SMALL_BYTES: Final = 256
"""5 ms of 16 kHz sound with their JSON are larger."""
_BURST_S: Final = 5.0
_MOST_VALUES: Final = 200_000
"""Parsed in some 40 ms; a long document has fewer commas."""


class SmallMessageRate:
    """A token bucket that holds five seconds' worth. ``per_s`` 0: no limit. ``now`` in seconds."""

    def __init__(self, per_s: float, now: float) -> None:
        self._per_s = per_s
        self._left = self._most = per_s * _BURST_S
        self._at = now

    def admit(self, size: int, now: float) -> bool:
        """Whether a message of ``size`` bytes may still be taken."""
        if size >= SMALL_BYTES or not self._per_s:
            return True
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def has_too_many_values(frame: bytes | str) -> bool:
    """Whether a frame may hold more than 200,000 values, by what separates and opens them."""
    if len(frame) < 2 * _MOST_VALUES:
        return False
    if isinstance(frame, str):
        found = frame.count(",") + frame.count("[") + frame.count("{")
    else:
        found = frame.count(b",") + frame.count(b"[") + frame.count(b"{")
    return found > _MOST_VALUES


def too_many(per_s: float) -> str:
    """Why a flood is ended."""
    return f"More than {per_s:g} messages a second below {SMALL_BYTES} bytes."
