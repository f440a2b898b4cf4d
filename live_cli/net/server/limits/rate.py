"""A limit on how fast a client may send what weighs nothing. Pure.

Media is never refused for its speed. A client that uploads a file as fast as it can is slowed by
back pressure: its payloads wait in a bounded inbox, and while that is full its socket is not read,
so TCP makes the sender wait. Only messages too small for that, below the size of any audio frame
that is worth sending, are counted, and only a flood of them ends a session: they cost a server
more than a client, and mean nothing. A message in fragments is as many, and so are pings and pongs.
"""

from typing import Final

SMALL_BYTES: Final = 256
"""A payload of 5 ms of 16 kHz audio is larger."""
_BURST_S: Final = 5.0


class SmallMessageRate:
    """A token bucket that holds five seconds' worth of small messages.

    ``per_s`` 0: no limit. ``now`` in seconds on any monotonic clock.
    """

    def __init__(self, per_s: float, now: float) -> None:
        self._per_s = per_s
        self._left = self._most = per_s * _BURST_S
        self._at = now

    def admit(self, size: int, now: float) -> bool:
        """Take a message of ``size`` bytes from the bucket; False when the bucket is empty."""
        if size >= SMALL_BYTES or not self._per_s:
            return True
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def too_many_messages_reason(per_s: float) -> str:
    """Return the close reason for more than ``per_s`` small messages a second."""
    return f"More than {per_s:g} messages a second below {SMALL_BYTES} bytes."
