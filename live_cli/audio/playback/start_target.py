"""Learns how much sound to hold before a turn starts to play, from how the turns arrive.

Theory: the useful depth of a jitter buffer is a high quantile of the lateness it meets. Instead of
a histogram (NetEq) two rules do here: an underrun raises the target at once by what was missing
plus a margin (attack), a turn without one lowers it by a part of what was never needed (decay).
Attack at once and decay slowly: an underrun is heard, 100 ms of delay hardly.
"""


class StartTarget:
    """The start target in milliseconds, within [60, 600], 120 at first."""

    FIRST_MS = 120.0
    MIN_MS = 60.0
    MAX_MS = 600.0
    MARGIN_MS = 40.0
    DECAY_PER_TURN = 0.15

    def __init__(self) -> None:
        self.ms = self.FIRST_MS

    def raise_for(self, missing_ms: float) -> None:
        """Raise the target after an underrun, in which sound came ``missing_ms`` too late."""
        self._set(self.ms + missing_ms + self.MARGIN_MS)

    def lower_for(self, lowest_ms: float) -> None:
        """Lower the target after a turn without an underrun, which never held < ``lowest_ms``."""
        self._set(self.ms - self.DECAY_PER_TURN * (lowest_ms - self.MARGIN_MS))

    def _set(self, ms: float) -> None:
        self.ms = min(self.MAX_MS, max(self.MIN_MS, ms))
