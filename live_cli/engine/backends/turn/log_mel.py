"""Log-mel features of speech, as Whisper defines them: what Smart Turn was trained on. Pure.

Windows of 25 ms (400 samples, Hann) every 10 ms, their power in 80 bands on Slaney's mel scale from
0 to 8 kHz, as log10, not below 8 (80 dB) under the loudest, then ``(x + 4) / 4``.
Source: the paper "Robust Speech Recognition via Large-Scale Weak Supervision" (§2.2) and the
documentation of transformers' WhisperFeatureExtractor; Slaney's scale: Auditory Toolbox, 1998.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

BANDS: Final = 80
HOP_SAMPLES: Final = 160
_WINDOW_SAMPLES: Final = 400
_QUIETEST: Final = 1e-10
_RANGE: Final = 8.0
_VARIANCE_FLOOR: Final = 1e-7
_LINEAR_HZ: Final = 200 / 3
"""Hz of one mel below 1 kHz, above which 27 mels are a factor of 6.4."""
_KNEE_HZ: Final = 1000.0
_MELS_PER_E: Final = 27 / np.log(6.4)


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """Return the features of ``samples`` (16 kHz), ``(80, len(samples) // 160)``.

    The sound is brought to a mean of 0 and a variance of 1 before.
    """
    centred = samples - samples.mean()
    normal = centred / np.sqrt(centred.var() + _VARIANCE_FLOOR)
    padded = np.pad(normal, _WINDOW_SAMPLES // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW_SAMPLES)[::HOP_SAMPLES]
    count = len(samples) // HOP_SAMPLES  # the last, which begins at the end, is left out
    spectrum = np.fft.rfft(windows[:count] * _hann(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    logs = np.log10(np.maximum(power @ _mel_bands(), _QUIETEST)).T
    logs = np.maximum(logs, logs.max() - _RANGE)
    return np.ascontiguousarray((logs + 4.0) / 4.0, dtype=np.float32)


@cache
def _hann() -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW_SAMPLES) / _WINDOW_SAMPLES)


@cache
def _mel_bands() -> NDArray[np.float64]:
    """Return the share that each band takes of each frequency, ``(201, 80)``: triangles of area 1.

    A band reaches from the middle of the one below to the middle of the one above.
    """
    nyquist = INPUT_SAMPLE_RATE / 2
    edges = _hertz(np.linspace(0.0, _mel(nyquist), BANDS + 2))
    frequencies = np.linspace(0.0, nyquist, _WINDOW_SAMPLES // 2 + 1)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    bands: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (high - low)
    return bands


def _mel(hertz: float) -> float:
    if hertz < _KNEE_HZ:
        return hertz / _LINEAR_HZ
    return float(_KNEE_HZ / _LINEAR_HZ + _MELS_PER_E * np.log(hertz / _KNEE_HZ))


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE_HZ / _LINEAR_HZ
    above = _KNEE_HZ * np.exp(np.maximum(0.0, mels - knee) / _MELS_PER_E)
    return np.where(mels < knee, mels * _LINEAR_HZ, above)
