"""Whether an image of a camera or a screen is worth sending. Pure.

Every image costs the same tokens, whatever it shows (258, reference §4.9). So it is sent when it
differs from the one sent last, and else only once in a while, so that the model knows that it still
looks at the same. Two images differ where their thumbnails do: grey, 32 by 32, so that noise of a
sensor, a clock in a corner or a blinking cursor drown and a hand that moves does not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

THUMBNAIL_SIDE: Final = 32
LONGEST_PAUSE_S: Final = 10.0
_CELL_STEP: Final = 14.0
"""Grey levels, of 255, by which a cell has to differ: three times the noise of a dim webcam, whose
cells average some 20 by 15 pixels."""
_CELLS: Final = 6
"""Cells of 1024 that have to: a hand at two metres covers about ten."""
_EXPOSURE_STEP: Final = 25.0
"""Grey levels by which a camera's automatic exposure wanders; a lamp makes more."""

Thumbnail = NDArray[np.uint8]
"""Grey levels of 32 by 32 cells."""


@dataclass(slots=True)
class SendOnChange:
    """Decides for one camera. ``sent`` and ``saved`` count what it let pass and held back."""

    longest_pause_s: float = LONGEST_PAUSE_S
    sent: int = 0
    saved: int = 0
    _last: Thumbnail | None = None
    _last_at: float = 0.0

    def wants(self, thumbnail: Thumbnail, now: float) -> bool:
        """Return whether the image of this thumbnail is to be sent, at ``now`` in seconds."""
        last, is_due = self._last, now - self._last_at >= self.longest_pause_s
        if last is not None and not is_due and not differs(last, thumbnail):
            self.saved += 1
            return False
        self._last, self._last_at = thumbnail, now
        self.sent += 1
        return True

    def forget(self) -> None:
        """Let the next image pass: the model has lost what it saw."""
        self._last = None


def differs(one: Thumbnail, other: Thumbnail) -> bool:
    """Whether two thumbnails show something different.

    A change of exposure, by which all cells grow a little alike, is none.
    """
    step = other.astype(np.float32) - one.astype(np.float32)
    step -= np.clip(np.median(step), -_EXPOSURE_STEP, _EXPOSURE_STEP)
    return int(np.count_nonzero(np.abs(step) > _CELL_STEP)) >= _CELLS
