"""Detects speech at the near end while the far end plays. Pure; counts hops of 20 ms.

Theory. The echo filter gives a residual and a predicted echo. In each of some bands the residual
of echo alone lies a certain distance below the prediction, the leakage, learned as it goes. What
stands well above leakage and background noise is somebody; over 160 ms it is speech, or something
the server may judge. Whether the prediction can be relied on is for `convergence.py` to say.
"""

import numpy as np
import numpy.typing as npt

from live_cli.audio.pcm import Samples

_EDGES = np.array([4, 6, 8, 10, 13, 16, 20, 25, 31, 38, 46, 56, 68, 82, 100])
"""Bins of 50 Hz, 200 Hz to 4.1 kHz."""
_WIDTHS = np.diff(_EDGES)
_SMOOTHING = 0.5
_ECHO_DECAY = 0.81
_PLAYED_DECAY = 0.94
_LEAK_UP, _LEAK_DOWN = 0.04, 0.08
_LEAST_LEAK_DB = -35.0
_MARGIN_DB = 5.0
_YOUNG_MARGIN_DB, _YOUNG_HOPS = 5.0, 100
_ABOVE_NOISE = 4.0
_MOST_QUIET_BANDS = 0.3 * (_EDGES.size - 1)
_NOISE_RISE = 1.006
_LEAST_NOISE = 3.2e-6
"""-80 dBFS of white noise."""
_SETTLING_HOPS = 10
_MOST_DB = 12.0
_SPEECH_DB = 4.0
_WINDOW_HOPS, _SPEECH_HOPS, _GOING_ON_HOPS = 8, 7, 2
_TINY = 1e-9

Bands = npt.NDArray[np.float64]


class DoubleTalkDetector:
    """Judges every hop by how much of it stands out of the predicted echo and the background."""

    def __init__(self) -> None:
        none = np.zeros(_EDGES.size - 1)
        self._smoothed: Bands = np.zeros((3, none.size))  # heard, residual and echo
        self._heard, self._residual, self._echo = self._smoothed  # views of its rows
        self._late_echo, self._played = none.copy(), none.copy()
        self._noise = np.full(none.size, _LEAST_NOISE)
        self._leak_db = none.copy()
        self._hops = self._loud_hops = 0
        self._hits: list[bool] = [False] * _WINDOW_HOPS
        self.is_loud = False
        """True: the microphone's sound stands above the background noise."""
        self.echo_heard = False
        """True: the predicted echo stands above the background noise."""

    @property
    def present(self) -> bool:
        """Return whether 7 of the last 8 hops stand out: speech, or an echo predicted wrong."""
        return self.hits >= _SPEECH_HOPS

    @property
    def goes_on(self) -> bool:
        """Return whether speech that was `present` may go on: softer sounds between louder ones."""
        return self.hits >= _GOING_ON_HOPS

    @property
    def hits(self) -> int:
        """Number of the last 8 hops that stand out."""
        return sum(self._hits)

    @property
    def erle(self) -> float:
        """Echo return loss enhancement: power at the microphone by power of the residual."""
        return float(self._heard.sum()) / (float(self._residual.sum()) + _TINY)

    def note_background(self, heard: Samples) -> None:
        """Take a hop without playback: learn the background noise from it."""
        self._heard += _SMOOTHING * (_bands(heard) - self._heard)
        self._note_noise()
        self._hits = [False] * _WINDOW_HOPS

    def note(self, far: Samples, heard: Samples, residual: Samples, echo: Samples) -> None:
        """Take a hop with playback: judge it, and learn the leakage."""
        by_band = _bands(np.stack((heard, residual, echo, far)))
        self._smoothed += _SMOOTHING * (by_band[:3] - self._smoothed)
        self._note_noise()
        self._late_echo = np.maximum(self._echo, self._late_echo * _ECHO_DECAY)
        self._played = np.maximum(by_band[3], self._played * _PLAYED_DECAY)
        self._hits = [*self._hits[1:], self._stands_out()]
        self._learn_leak()
        self._loud_hops += self.is_loud

    def reset(self, *, same_room: bool) -> None:
        """Forget what stood out: a filter that was shifted or relearns had predicted it wrong.

        ``same_room`` False forgets the leakage, too.
        """
        self._hits = [False] * _WINDOW_HOPS
        self._loud_hops = 0
        if not same_room:
            self._leak_db[:] = 0.0

    # --- parts -------------------------------------------------------------------------------

    def _note_noise(self) -> None:
        self._hops += 1
        rising = self._noise * _NOISE_RISE if self._hops > _SETTLING_HOPS else self._heard
        self._noise = np.maximum(np.minimum(rising, self._heard), _LEAST_NOISE)
        above = np.add.reduce(self._smoothed > _ABOVE_NOISE * self._noise, axis=1)
        self.is_loud, _, self.echo_heard = (above > _MOST_QUIET_BANDS).tolist()

    def _stands_out(self) -> bool:
        young = max(0.0, 1 - self._loud_hops / _YOUNG_HOPS)
        margin_db = _MARGIN_DB + _YOUNG_MARGIN_DB * young
        # a sound that the filter has not met yet it does not predict: then its coupling elsewhere
        coupling = self._late_echo.sum() / (self._played.sum() + _TINY)
        echo = np.maximum(self._late_echo, young * coupling * self._played)
        leaked = 10 ** ((self._leak_db + margin_db) / 10) * echo
        above = 10 * np.log10(self._residual / (leaked + _ABOVE_NOISE * self._noise) + _TINY)
        excess = np.minimum(np.maximum(above, 0.0), _MOST_DB)
        return bool(excess.sum() > _SPEECH_DB * excess.size)

    def _learn_leak(self) -> None:
        ratio_db = 10 * np.log10((self._residual + _TINY) / (self._late_echo + _TINY))
        off_db = np.minimum(np.maximum(ratio_db, _LEAST_LEAK_DB), 0.0) - self._leak_db
        step = np.where(off_db > 0, _LEAK_UP, _LEAK_DOWN) * off_db
        self._leak_db += np.where(self._late_echo > _ABOVE_NOISE * self._noise, step, 0.0)


def _bands(hops: Samples) -> Bands:
    """Return the mean power in each band, of one hop or of several: shape (..., bands)."""
    spectrum = np.fft.rfft(hops)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float64)
    sums: Bands = np.add.reduceat(power, _EDGES, axis=-1)[..., :-1]
    return sums / _WIDTHS
