"""A linear adaptive filter that learns the echo path and takes the echo out. Pure.

Theory. The echo is what was played, convolved with the response of devices and room. The response
is estimated in the frequency domain, in partitions of one hop each, by a Kalman filter with a
diagonal covariance (Enzner and Vary 2006; partitioned: Kuech, Mabande and Enzner 2014). Each bin of
each partition has a weight and an uncertainty; the gain of an update is the uncertainty's share of
what was heard, so the filter learns fast while it knows little, and hardly moves while somebody
speaks over the playback: no double-talk detector is needed. The weights are constrained to a
response that is causal and one partition long (overlap-save), every third partition in each hop:
that costs a third, and at most 0.4 dB.

All of it is linear: what somebody says meanwhile passes unharmed. What is not linear (a clipping
speaker), later than the partitions reach, or faster than the filter follows, stays in the residual.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

HOP_SAMPLES = INPUT_SAMPLE_RATE // 50
"""20 ms at 16 kHz."""
PARTITIONS = 24
"""480 ms of device latency, flight of the sound and reverberation."""

_LEAST_FIRST, _MOST_FIRST = 0.005, 0.2
"""Bounds of the uncertainty of a weight nothing is known of: as large as the weight may be. Too
small, and a loud echo is learned slowly; too large, and a faint one overshoots."""
_OF_COUPLING = 4.0
"""Factor over an equal share of the coupling: the weights crowd into some of the partitions."""
_COUPLING_HOPS = 100
"""Hops of loud playback from which the coupling is estimated; later ones may hold speech."""
_LOUD_POWER = 1e-5
_LEVEL_STEP = 0.19
_SLIP = 0.1
"""Uncertainty after a shift, by a weight's power: a jump is of whole samples at the device's rate,
not at 16 kHz."""
_LEAST_UNCERTAINTY = 4e-6
_FORGETTING = 0.9995**4
_NOISE_MEMORY = 0.5
_CONSTRAINED_IN_TURN = 3
_TINY = 1e-9

Spectra = npt.NDArray[np.complex64]


class EchoFilter:
    """Predicts and subtracts the echo, hop by hop of 20 ms at 16 kHz; single-threaded."""

    def __init__(self, partitions: int = PARTITIONS) -> None:
        bins = HOP_SAMPLES + 1
        self._partitions = partitions
        self._last_far: Samples = np.zeros(HOP_SAMPLES, dtype=np.float32)
        # a ring written twice, so that the newest partitions are always one slice
        self._far: Spectra = np.zeros((2 * partitions, bins), dtype=np.complex64)
        self._far_power: Samples = np.zeros((2 * partitions, bins), dtype=np.float32)
        self._newest = self._constrained = 0
        self._skipped: deque[Samples] = deque(maxlen=partitions)
        self._weights: Spectra = np.zeros((partitions, bins), dtype=np.complex64)
        self._uncertainty: Samples = np.full((partitions, bins), _LEAST_FIRST, np.float32)
        self._first_uncertainty = _LEAST_FIRST
        self._loud_hops = 0
        self._far_level = self._near_level = 0.0
        self._most_far, self._most_near = _TINY, 0.0
        self._noise: Samples = np.full(bins, _TINY, dtype=np.float32)

    def process(self, far: Samples, near: Samples) -> tuple[Samples, Samples]:
        """Return the microphone's hop without the echo, and the echo; each (HOP_SAMPLES,).

        ``far`` was played, ``near`` was heard; the echo of ``far`` may come up to ``partitions``
        hops later, never earlier.
        """
        for each in (*self._skipped, far):
            self._push(each)
        self._skipped.clear()
        if self._loud_hops < _COUPLING_HOPS:
            self._estimate_coupling(far, near)
        window = slice(self._newest, self._newest + self._partitions)
        spectrum = np.sum(self._weights * self._far[window], axis=0)
        echo = np.fft.irfft(spectrum)[HOP_SAMPLES:].astype(np.float32)
        residual = near - echo
        self._learn(residual, self._far[window], self._far_power[window])
        return residual, echo

    def skip(self, far: Samples) -> None:
        """Take a hop that was played where nothing is heard, and so nothing to be learned."""
        self._skipped.append(far)

    def relearn(self) -> None:
        """Raise the uncertainty where the echo path has changed: the weights stay, and adapt."""
        np.maximum(self._uncertainty, self._first_uncertainty, out=self._uncertainty)

    def shift(self, samples: int) -> None:
        """Shift the response: the echo comes ``samples`` later from now on; negative: earlier."""
        response = np.fft.irfft(self._weights, axis=1)[:, :HOP_SAMPLES].astype(np.float32)
        pieces = shifted(response.reshape(-1), samples).reshape(-1, HOP_SAMPLES)
        self._weights = np.fft.rfft(pieces, 2 * HOP_SAMPLES, axis=1).astype(np.complex64)
        self._uncertainty = np.roll(self._uncertainty, round(samples / HOP_SAMPLES), axis=0)
        slips = np.float32(_SLIP) * _power(self._weights)
        np.maximum(self._uncertainty, slips, out=self._uncertainty)

    def _estimate_coupling(self, far: Samples, near: Samples) -> None:
        """Scale the first uncertainty by the coupling of the ends: a loud echo needs more."""
        self._far_level += _LEVEL_STEP * (mean_power(far) - self._far_level)
        self._near_level += _LEVEL_STEP * (mean_power(near) - self._near_level)
        self._most_far = max(self._most_far, self._far_level)
        self._most_near = max(self._most_near, self._near_level)
        if self._most_far < _LOUD_POWER:
            return
        self._loud_hops += self._far_level > _LOUD_POWER
        coupling = self._most_near / self._most_far
        wanted = min(_OF_COUPLING * coupling / self._partitions, _MOST_FIRST)
        if wanted > self._first_uncertainty:
            self._uncertainty *= np.float32(wanted / self._first_uncertainty)
            self._first_uncertainty = wanted

    def _push(self, far: Samples) -> None:
        self._newest = (self._newest - 1) % self._partitions
        both = np.concatenate((self._last_far, far))
        spectrum = np.fft.rfft(both).astype(np.complex64, copy=False)
        self._last_far = far
        for place in (self._newest, self._newest + self._partitions):
            self._far[place] = spectrum
            self._far_power[place] = _power(spectrum)

    def _learn(self, residual: Samples, far: Spectra, far_power: Samples) -> None:
        padded = np.zeros(2 * HOP_SAMPLES, dtype=np.float32)
        padded[HOP_SAMPLES:] = residual
        error = np.fft.rfft(padded).astype(np.complex64)
        self._noise += np.float32(1 - _NOISE_MEMORY) * (_power(error) - self._noise)
        unknown = np.float32(0.5) * np.einsum("pk,pk->k", self._uncertainty, far_power)
        gain = self._uncertainty / (unknown + self._noise + np.float32(_TINY))
        self._weights += np.conj(far) * (gain * error)
        self._constrain()
        self._forget(gain, far_power)

    def _constrain(self) -> None:
        some = slice(self._constrained, None, _CONSTRAINED_IN_TURN)
        self._constrained = (self._constrained + 1) % _CONSTRAINED_IN_TURN
        response = np.fft.irfft(self._weights[some], axis=1)[:, :HOP_SAMPLES]
        self._weights[some] = np.fft.rfft(response, 2 * HOP_SAMPLES, axis=1)

    def _forget(self, gain: Samples, far_power: Samples) -> None:
        known = np.float32(1) - np.float32(0.5) * gain * far_power
        drift = _power(self._weights) + np.float32(_LEAST_UNCERTAINTY / (1 - _FORGETTING))
        self._uncertainty = (
            np.float32(_FORGETTING) * known * self._uncertainty
            + np.float32(1 - _FORGETTING) * drift
        )


def mean_power(hop: Samples) -> float:
    """Return the mean of the squares of ``hop``, (HOP_SAMPLES,)."""
    return float(np.dot(hop, hop)) / HOP_SAMPLES


def _power(spectra: Spectra) -> Samples:
    """Return the squares of the amplitudes; the amplitudes themselves would cost a root each."""
    power: Samples = spectra.real**2 + spectra.imag**2
    return power


def shifted(sound: Samples, samples: int) -> Samples:
    """Return ``sound`` later by ``samples`` (negative: earlier), same size, filled with silence."""
    later = np.zeros_like(sound)
    kept = max(0, sound.size - abs(samples))
    since = max(0, -samples)
    later[sound.size - kept - since : sound.size - since] = sound[since : since + kept]
    return later
