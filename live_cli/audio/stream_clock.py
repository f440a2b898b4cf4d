"""Estimates when each sample of a device's stream passed the converter, from its blocks' times.

Theory: a device tells, block by block, when a block's first sample passed the converter; the
sample's place in the stream, divided by the rate, and that time differ by the stream's start. The
start is the same for all blocks but for the noise of the telling (a callback that waited for its
turn, a driver that rounds), for the drift of the device's crystal (under 100 ppm: 0.1 ms in a
second), and for steps, where blocks were lost. The median of the last half second of differences
is robust to the noise and follows drift and steps. A step of a quarter of a second is no noise: the
device was away, and its clock begins anew.
"""

from collections import deque
from statistics import median

BLOCKS_KEPT = 25
NEW_START_S = 0.25


class StreamClock:
    """Maps a position in a stream to its time, from the times of blocks. All in seconds."""

    def __init__(self) -> None:
        self._starts: deque[float] = deque(maxlen=BLOCKS_KEPT)

    def note(self, position_s: float, at: float) -> None:
        """Add a block: the sample at ``position_s`` of the stream passed the device ``at``."""
        start = at - position_s
        if self._starts and abs(start - self._starts[-1]) > NEW_START_S:
            self._starts.clear()
        self._starts.append(start)

    def at(self, position_s: float) -> float:
        """Return when ``position_s`` passes the device. Raises StatisticsError before any note."""
        return position_s + median(self._starts)
