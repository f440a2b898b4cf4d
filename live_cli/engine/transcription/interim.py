"""When to say what somebody is saying before they have finished: interim transcriptions. Pure.

A preview transcribes the open segment from its start, so it is dear: at most one a second, and none
while sound comes faster than it is spoken, from a file, where the final text is soon there.
"""

EVERY_S = 1.0
_AHEAD_S = 1.0
"""How much more sound than time there may be where somebody speaks live: clients send in bursts."""


class InterimSchedule:
    """One stream's. Told ``now`` in seconds on any steady clock."""

    def __init__(self) -> None:
        self._began_at: float | None = None
        self._sound_s = 0.0
        self._last_at: float | None = None

    def hear(self, seconds: float, now: float) -> None:
        """So much sound came."""
        if self._began_at is None or now - self._began_at > self._sound_s:
            # the first, or after a pause of the sender: what it did not send is no lead
            self._began_at, self._sound_s = now, 0.0
        self._sound_s += seconds
        if self._last_at is None:
            self._last_at = now  # too early to tell how fast it comes

    def are_due(self, now: float) -> bool:
        """Whether it is time for one; it counts as given then."""
        if self._began_at is None or self._last_at is None or now - self._last_at < EVERY_S:
            return False
        if self._sound_s - (now - self._began_at) > _AHEAD_S:
            return False
        self._last_at = now
        return True
