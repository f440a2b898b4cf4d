"""Makes one channel of several: their mean, or the louder side where the sides cancel.

A plug wired the wrong way round, or a "wide" effect, records one side as the negative of the other;
their mean is silence. Whether that is so is seen by the energy of the mean: of channels that have
nothing to do with each other it is the sum of theirs divided by their number squared, of equal ones
more, of opposite ones next to nothing.
"""

import numpy as np
import numpy.typing as npt

from live_cli.audio.pcm import Samples, mono

_CANCELLING = 0.25
"""Energy of the mean, as a part of what unrelated channels have: below, the sides cancel (a
correlation of -0.75 between two equal ones)."""
_RELATED = 0.7
"""From here on they do not any more."""
_SILENT = 1e-10
"""Mean square of full scale (-100 dBFS): below, nothing can be said about a block."""
SIDES_CANCEL = (
    "has sides that cancel each other out (one is the other turned over): the louder one was taken"
)
"""What is said of such a recording, after its name."""


class Downmix:
    """Makes one channel of several, block by block. ``cancelled``: the sides have cancelled.

    In between blocks that say otherwise the choice stays, so that words are not cut.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self._cancelling = False
        self._energy: npt.NDArray[np.float64] = np.zeros(1)

    def process(self, frames: npt.NDArray[np.float32]) -> Samples:
        """Return one channel of ``frames``, float32 of shape (n,) or (n, channels)."""
        if frames.ndim == 1 or frames.shape[1] == 1 or not frames.size:
            return mono(frames)
        mean = mono(frames)
        energy = np.einsum("ij,ij->j", frames, frames, dtype=np.float64)
        total = float(energy.sum())
        if np.isfinite(total) and total > _SILENT * frames.size:
            self._energy = self._energy + energy
            related = float(np.dot(mean, mean)) * frames.shape[1] ** 2 / total
            self._cancelling = related < (_RELATED if self._cancelling else _CANCELLING)
        if not self._cancelling:
            return mean
        self.cancelled = True
        return np.ascontiguousarray(frames[:, int(np.argmax(self._energy))])
