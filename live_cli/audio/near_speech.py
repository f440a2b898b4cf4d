"""Whether somebody speaks at the microphone while the speaker plays. Pure; counts hops of 10 ms.

Theory. The echo filter gives a residual and a predicted echo. In each of some bands the residual
of echo alone lies a certain distance below the prediction, the leakage, learned as it goes. What
stands well above leakage and background noise is somebody; over 130 ms it is speech, or something
the server may judge. Trust is needed first, and lost:

    WAITING   the way is not known: at the start, and after a break. What is heard may be echo.
              After 0.4 s of sound at the microphone the filter knows enough         -> TRUSTED
    TRUSTED   the verdict holds. The microphone no longer contains the predicted echo
              (its projection on it falls below 0.35; speech beside it does not
              lower it): the way has changed                                         -> WAITING
    FREE      the speaker was loud for longer than any echo takes, and the microphone
              heard nothing: headphones. An echo that the filter finds after all     -> TRUSTED
"""

from enum import Enum

import numpy as np
import numpy.typing as npt

from live_cli.audio.echo_filter import HOP_SAMPLES
from live_cli.audio.pcm import Samples

_EDGES = np.array([4, 6, 8, 10, 13, 16, 20, 25, 31, 38, 46, 56, 68, 82, 100])
"""Bins of 50 Hz, 200 Hz to 4.1 kHz."""
_SMOOTHING = 0.3
_ECHO_DECAY = 0.9
_PLAYED_DECAY = 0.97
_LEAK_UP, _LEAK_DOWN = 0.02, 0.04
_LEAST_LEAK_DB = -35.0
_MARGIN_DB = 5.0
_YOUNG_MARGIN_DB, _YOUNG_HOPS = 5.0, 200
_ABOVE_NOISE = 4.0
_NOISE_RISE = 1.003
_LEAST_NOISE = 1.6e-6
"""-80 dBFS of white noise."""
_SETTLING_HOPS = 20
_MOST_DB = 12.0
_SPEECH_DB = 4.0
_WINDOW_HOPS, _SPEECH_HOPS = 13, 11
_LEARNING_HOPS = 40
_BROKEN_BELOW = 0.35
_BROKEN_HOPS = 6
_DOUBTFUL = 0.6
"""At the moment when somebody seems to begin."""
_PATIENCE_HOPS = 150
_PROJECTION_MEMORY = 0.1
_FREE_HOPS = 15
_LOUD_HOPS = 50
_LOUD_POWER = 10 ** (-45 / 10)
_FOUND_HOPS = 20
_FOUND_RATIO = 2.0
_TINY = 1e-9

Bands = npt.NDArray[np.float64]


class Trust(Enum):
    """How much the echo filter's word counts; see the theory above."""

    WAITING = "waiting"
    TRUSTED = "trusted"
    FREE = "free"


class NearSpeech:
    """Told each hop while the speaker sounds; `present` and `trust` are the verdict."""

    def __init__(self) -> None:
        none = np.zeros(_EDGES.size - 1)
        self._heard, self._residual, self._echo = none.copy(), none.copy(), none.copy()
        self._late_echo, self._played = none.copy(), none.copy()
        self._noise = np.full(none.size, _LEAST_NOISE)
        self._leak_db = none.copy()
        self._hops = 0
        self._hits: list[bool] = [False] * _WINDOW_HOPS
        self._shared = self._predicted = 0.0
        self._waiting_hops = _LEARNING_HOPS
        self._since_break = 0
        self._broken_hops = self._free_hops = self._found_hops = 0
        self._far_power, self._loud_hops = 0.0, 0
        self._trust = Trust.WAITING
        self._was_present = False

    @property
    def trust(self) -> Trust:
        return self._trust

    @property
    def present(self) -> bool:
        """Somebody speaks, or makes as much noise as one who does."""
        return self._trust is not Trust.WAITING and sum(self._hits) >= _SPEECH_HOPS

    @property
    def echo_heard(self) -> bool:
        """The echo stands above the background noise."""
        return bool(np.mean(self._echo > _ABOVE_NOISE * self._noise) > 0.3)

    def listen(self, heard: Samples) -> None:
        """A hop without playback: what the background sounds like."""
        self._note_heard(heard)
        self._hits = [False] * _WINDOW_HOPS

    def note(self, far: Samples, heard: Samples, residual: Samples, echo: Samples) -> bool:
        """A hop with playback. True: the way has changed, let the filter doubt."""
        self._note_heard(heard)
        self._residual += _SMOOTHING * (_bands(residual) - self._residual)
        self._echo += _SMOOTHING * (_bands(echo) - self._echo)
        self._late_echo = np.maximum(self._echo, self._late_echo * _ECHO_DECAY)
        self._played = np.maximum(_bands(far), self._played * _PLAYED_DECAY)
        self._hits = [*self._hits[1:], self._stands_out()]
        self._learn_leak()
        projection = self._projection(heard, echo)
        self._note_far(far)
        self._wait_and_find(projection)
        return self._breaks(projection)

    def distrust(self) -> None:
        """Wait for the filter to learn the way anew."""
        self._trust = Trust.WAITING
        self._waiting_hops = _LEARNING_HOPS
        self._since_break = self._broken_hops = self._free_hops = self._found_hops = 0
        self._leak_db[:] = 0.0

    # --- parts -------------------------------------------------------------------------------

    def _note_heard(self, heard: Samples) -> None:
        self._hops += 1
        self._heard += _SMOOTHING * (_bands(heard) - self._heard)
        rising = self._noise * _NOISE_RISE if self._hops > _SETTLING_HOPS else self._heard
        self._noise = np.maximum(np.minimum(rising, self._heard), _LEAST_NOISE)

    def _is_loud(self) -> bool:
        return bool(np.mean(self._heard > _ABOVE_NOISE * self._noise) > 0.3)

    def _stands_out(self) -> bool:
        young = max(0.0, 1 - self._since_break / _YOUNG_HOPS)
        margin_db = _MARGIN_DB + _YOUNG_MARGIN_DB * young
        # a sound that the filter has not met yet it does not predict: then its coupling elsewhere
        coupling = self._late_echo.sum() / (self._played.sum() + _TINY)
        echo = np.maximum(self._late_echo, young * coupling * self._played)
        leaked = 10 ** ((self._leak_db + margin_db) / 10) * echo
        above = 10 * np.log10(self._residual / (leaked + _ABOVE_NOISE * self._noise) + _TINY)
        return bool(np.clip(above, 0.0, _MOST_DB).mean() > _SPEECH_DB)

    def _learn_leak(self) -> None:
        ratio_db = 10 * np.log10((self._residual + _TINY) / (self._late_echo + _TINY))
        off_db = np.clip(ratio_db, _LEAST_LEAK_DB, 0.0) - self._leak_db
        step = np.where(off_db > 0, _LEAK_UP, _LEAK_DOWN) * off_db
        self._leak_db += np.where(self._late_echo > _ABOVE_NOISE * self._noise, step, 0.0)

    def _projection(self, heard: Samples, echo: Samples) -> float:
        """How much of the predicted echo is in what was heard: 1 where the way is known."""
        memory = _PROJECTION_MEMORY
        self._shared += memory * (float(np.dot(heard, echo)) - self._shared)
        self._predicted += memory * (float(np.dot(echo, echo)) - self._predicted)
        return self._shared / (self._predicted + _TINY)

    def _note_far(self, far: Samples) -> None:
        self._far_power += 0.1 * (float(np.dot(far, far)) / HOP_SAMPLES - self._far_power)
        self._loud_hops = self._loud_hops + 1 if self._far_power > _LOUD_POWER else 0

    def _wait_and_find(self, projection: float) -> None:
        loud = self._is_loud()
        if self._trust is Trust.WAITING:
            self._waiting_hops -= loud
            if self._waiting_hops <= 0:
                self._trust = Trust.TRUSTED
        less = float(self._heard.sum()) > _FOUND_RATIO * float(self._residual.sum())
        found = less and abs(projection - 1) < 0.5 and self.echo_heard
        self._found_hops += found
        if self._found_hops >= _FOUND_HOPS:
            self._trust = Trust.TRUSTED if self._trust is Trust.FREE else self._trust
            return
        unheard = self._loud_hops > _LOUD_HOPS and not loud
        self._free_hops = self._free_hops + 1 if unheard else 0 if loud else self._free_hops
        if self._free_hops >= _FREE_HOPS:
            self._trust = Trust.FREE

    def _breaks(self, projection: float) -> bool:
        self._since_break += self._is_loud()
        off = self.echo_heard and projection < _BROKEN_BELOW
        was_present, self._was_present = self._was_present, self.present
        doubtful = self.present and not was_present and self.echo_heard and projection < _DOUBTFUL
        self._broken_hops = self._broken_hops + 1 if off else max(0, self._broken_hops - 1)
        if (
            self._trust is not Trust.TRUSTED
            or not (doubtful or self._broken_hops >= _BROKEN_HOPS)
            or self._since_break < _PATIENCE_HOPS
        ):
            return False
        self.distrust()
        return True


def _bands(hop: Samples) -> Bands:
    """Mean power in each band."""
    power = np.abs(np.fft.rfft(hop, 2 * HOP_SAMPLES)) ** 2
    sums: Bands = np.add.reduceat(power.astype(np.float64), _EDGES)[:-1]
    return sums / np.diff(_EDGES)
