"""Queues what was written to the speaker, to pair it with what the microphone hears. Pure.

Theory. An echo canceller wants one hop of reference with each hop of the microphone, and the
distance between the two streams never to change. Both come in bursts, from clocks and threads of
their own, so the reference waits in a queue, and the level of the queue is the distance:

    START     500 ms of pairs: the two streams have begun at different moments. Then, once, the
              level is set to 40 ms: the oldest sound is dropped, or silence put before it.
    STEADY    a hop that is not there when it is wanted is silence, and so is what makes the level
              40 ms again: one re-alignment for all that was missing, instead of one for each
              hop of it, as a level that stays low would give. A level over 100 ms for two
              seconds on end is trimmed to 50 ms; at once where it follows a pad within a second:
              what was missing has come after all, and the pad is taken back.
    GONE      after a second without anything the speaker is not late but away, and the first sound
              that comes begins at START again.

How much later the reference has become by all of it is known to the sample, so that what was
learned of the echo path can be shifted by it. Owing back every padded hop by itself was tried and
is worse: hundreds of re-alignments a minute.
"""

from collections import deque

import numpy as np

from live_cli.audio.echo.filter import HOP_SAMPLES
from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_PER_MS = INPUT_SAMPLE_RATE // 1000
_START_HOPS = 25
_START_LEVEL = 40 * _PER_MS
_HIGH_LEVEL = 100 * _PER_MS
_HIGH_HOPS = 100
_TRIMMED_LEVEL = 50 * _PER_MS
_GONE_HOPS = 50
_SETTLED_HOPS = 50
_MAX_LEVEL = 2000 * _PER_MS


class ReferenceQueue:
    """Takes the reference in pieces of any size, gives it in hops of 20 ms, at 16 kHz."""

    def __init__(self) -> None:
        self._pieces: deque[Samples] = deque()
        self._level = 0
        self._hops_to_start = _START_HOPS
        self._high_hops = 0
        self._unfed_hops = 0
        self._hops_since_pad = _SETTLED_HOPS
        self.pads = 0
        """Count of hops that were not there in time, after which the level was set again."""
        self.trims = 0
        """Count of levels that had grown and were brought back."""
        self.later = 0
        """Samples by which pads and trims have made the reference later."""

    @property
    def level_ms(self) -> float:
        """Reference in the queue."""
        return self._level / _PER_MS

    @property
    def has_hop(self) -> bool:
        """Return whether a whole hop is in the queue."""
        return self._level >= HOP_SAMPLES

    @property
    def starting(self) -> bool:
        """Return whether the level has not been set yet."""
        return self._hops_to_start > 0

    @property
    def gone(self) -> bool:
        """Return whether nothing has come for a second or more."""
        return self._unfed_hops >= _GONE_HOPS and not self.has_hop

    def push(self, samples: Samples) -> None:
        """Append what was written to the speaker next. Beyond two seconds the oldest is dropped."""
        if not samples.size:
            return
        if self.gone:
            self._hops_to_start = _START_HOPS
        self._unfed_hops = 0
        self._pieces.append(samples)
        self._level += samples.size
        if self._level > _MAX_LEVEL:
            self._drop_to(_MAX_LEVEL)

    def pull(self, behind: int = 0) -> Samples:
        """Return the hop that belongs to the next one of the microphone, silence where none is.

        ``behind``: how many more hops of the microphone wait already; a pad sets the level for
        those, too.
        """
        self._unfed_hops += 1
        self._hops_since_pad += 1
        if not self.has_hop:
            return self._pad(behind)
        hop = self._take(HOP_SAMPLES)
        if self._hops_to_start == 0:
            self._watch_level(self._level - behind * HOP_SAMPLES)
            return hop
        self._hops_to_start -= 1
        if self._hops_to_start == 0:
            self._fill_to(_START_LEVEL)
            self._drop_to(_START_LEVEL)
        return hop

    def _pad(self, behind: int) -> Samples:
        self._high_hops = 0
        if not self.starting and not self.gone:
            self.pads += self._hops_since_pad > self._unfed_hops
            self._hops_since_pad = 0
            before = self._level
            self._fill_to(_START_LEVEL + behind * HOP_SAMPLES)
            self.later += HOP_SAMPLES + self._level - before
        return np.zeros(HOP_SAMPLES, dtype=np.float32)

    def _take(self, count: int) -> Samples:
        taken = np.empty(count, dtype=np.float32)
        filled = 0
        while filled < count:
            piece = self._pieces.popleft()
            used = piece[: count - filled]
            taken[filled : filled + used.size] = used
            filled += used.size
            if used.size < piece.size:
                self._pieces.appendleft(piece[used.size :])
        self._level -= count
        return taken

    def _fill_to(self, level: int) -> None:
        """Put silence before what is queued, up to ``level`` samples."""
        if self._level < level:
            self._pieces.appendleft(np.zeros(level - self._level, dtype=np.float32))
            self._level = level

    def _watch_level(self, level: int) -> None:
        self._high_hops = self._high_hops + 1 if level > _HIGH_LEVEL else 0
        patience = _HIGH_HOPS if self._hops_since_pad >= _SETTLED_HOPS else 1
        if self._high_hops >= patience:
            self._high_hops = 0
            self.trims += 1
            self.later -= level - _TRIMMED_LEVEL
            self._drop_to(self._level - level + _TRIMMED_LEVEL)

    def _drop_to(self, level: int) -> None:
        if self._level > level:
            self._take(self._level - level)
