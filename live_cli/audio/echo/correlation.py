"""Tells an echo from other sound by its correlation with what was played. Pure.

Theory. The normalised cross-correlation of an echo with what was played is high at the delay of its
direct path, whatever the room (mostly over 0.38 in simulated ones, over 300 ms; less in its
reverberation); that of somebody's words with another's is low everywhere (0.16 at most). It takes
no learned filter to tell.
"""

import numpy as np

from live_cli.audio.echo.filter import HOP_SAMPLES, PARTITIONS
from live_cli.audio.pcm import Samples

_INAUDIBLE = 1e-3
"""-60 dBFS; a hop as quiet as that counts less than others."""
_SILENT = 0.1
"""Share of the piece's power: a passage quieter than that correlates with nothing."""
_TINY = 1e-9
_WINDOW_HOPS = 15
_LOUD_HOPS, _FEW_HOPS = 12, 5
_FOREIGN_BELOW, _ECHO_ABOVE = 0.15, 0.3
"""Thresholds of the correlation. A sound found to be an echo once stays one: its reverberation
correlates less with what was played."""
_FOREIGN_ANSWERS = 3
_EVERY_HOPS = 2


class NoEchoDetector:
    """Tells from the first loud sound at the microphone that nothing played comes back to it."""

    def __init__(self) -> None:
        self._heard: Samples = np.zeros(_WINDOW_HOPS * HOP_SAMPLES, dtype=np.float32)
        self._played: Samples = np.zeros((_WINDOW_HOPS + PARTITIONS) * HOP_SAMPLES, np.float32)
        self._loud = [False] * _WINDOW_HOPS
        self._hops = self._foreign_answers = 0
        self._is_echo = False

    def note(self, far: Samples, heard: Samples, *, loud: bool) -> None:
        """Take a hop that was played and one that was heard, ``loud`` above the background."""
        self._played = np.concatenate((self._played[HOP_SAMPLES:], whitened(far)))
        self._heard = np.concatenate((self._heard[HOP_SAMPLES:], whitened(heard)))
        self._loud = [*self._loud[1:], loud]
        self._hops += 1
        loud_hops = sum(self._loud)
        if self._hops % _EVERY_HOPS or loud_hops < _FEW_HOPS or self._is_echo:
            return
        alike = float(correlation(self._heard, self._played).max())
        self._is_echo = alike > _ECHO_ABOVE
        foreign = loud_hops >= _LOUD_HOPS and alike < _FOREIGN_BELOW
        self._foreign_answers = self._foreign_answers + 1 if foreign else 0

    @property
    def is_foreign(self) -> bool:
        """Return whether the microphone hears loud sound that is no echo of what was played."""
        return self._foreign_answers >= _FOREIGN_ANSWERS


def whitened(hops: Samples) -> Samples:
    """Return ``hops``, one or several, differentiated and scaled to the same power each."""
    high = np.zeros_like(hops)
    np.subtract(hops[..., 1:], hops[..., :-1], out=high[..., 1:])
    power = np.einsum("...k,...k->...", high, high) / hops.shape[-1]
    high /= np.sqrt(power)[..., np.newaxis] + np.float32(_INAUDIBLE)
    return high


def correlation(piece: Samples, sound: Samples) -> Samples:
    """Return the normalised cross-correlation of ``piece`` with ``sound`` at each lag.

    Index k belongs to the passage of ``sound`` that ends k samples before its end.
    """
    size = 1 << (sound.size + piece.size - 1).bit_length()
    shared = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(piece, size)), size)
    power = np.cumsum(np.concatenate(([0.0], sound.astype(np.float64) ** 2)))
    places = np.arange(sound.size - piece.size + 1)
    own = float(np.dot(piece, piece)) + _TINY
    norm = np.sqrt(np.maximum(power[places + piece.size] - power[places], _SILENT * own) * own)
    alike: Samples = (shared[places] / norm)[::-1].astype(np.float32)
    return alike
