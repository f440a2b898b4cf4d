"""Predicted spectra made to fit another voice. Pure; arrays are bins x columns of a 1200-point FFT.

A vocoder that filters pulses with a predicted envelope learned that envelope only where its
harmonics stood in training: at the multiples of the fundamental that it predicts beside. In
between anything may stand, and in places a peak of 30 dB does. As long as nothing is moved no
harmonic ever meets it; with another pitch or other formants one does, and the voice booms. So the
envelope is read at the harmonics alone, with straight lines between (D. B. Paul, The Spectral
Envelope Estimation Vocoder, 1981), before anything is moved.
"""

import numpy as np
import numpy.typing as npt

from live_cli.audio.pcm import Samples
from live_cli.engine.stages import VoiceTraits

_BIN_HZ = 20.0
_LOWEST_HZ = 80.0
"""A predicted fundamental below it is on its way to 0, unvoiced, and tells no harmonics."""


def harmonics_of(
    magnitudes: Samples, angles: Samples, f0: Samples, voice: VoiceTraits
) -> tuple[Samples, Samples]:
    """Log ``magnitudes`` and ``angles``, predicted for ``f0`` (Hz, per column), for ``voice``'s.

    Magnitudes are read at the multiples of ``f0`` and mixed between. All bins of a harmonic of the
    new voice turn by one angle, the nearest predicted one: two angles in it would cancel. Unvoiced
    columns, which the pulses of their neighbours reach into, go by the nearest voiced column.
    """
    voiced = np.flatnonzero(f0 > _LOWEST_HZ)
    bins, columns = magnitudes.shape
    if not voiced.size:
        return stretched(magnitudes, voice.timbre), moved(angles, voice.timbre)
    spacing = f0[_nearest(voiced, columns)] / np.float32(_BIN_HZ)  # of predicted harmonics, in bins
    last = np.floor((bins - 1) / spacing)
    bin_number = np.arange(bins, dtype=np.float32)[:, None]
    column = np.arange(columns)

    def at(number: Samples) -> npt.NDArray[np.intp]:
        return np.rint(number * spacing).astype(np.intp)

    place = np.clip(bin_number / (spacing * voice.timbre), 1, last)  # in predicted harmonics
    low = np.floor(place)
    high = np.minimum(low + 1, last)
    weight = place - low
    mixed = magnitudes[at(low), column] * (1 - weight) + magnitudes[at(high), column] * weight
    spoken = np.maximum(np.rint(bin_number / (spacing * voice.pitch)), 1)
    nearest = np.clip(np.rint(spoken * (voice.pitch / voice.timbre)), 1, last)
    return mixed.astype(np.float32), angles[at(nearest), column]


def _nearest(voiced: npt.NDArray[np.intp], columns: int) -> npt.NDArray[np.intp]:
    """The voiced column nearest to each of ``columns``."""
    borders = (voiced[:-1] + voiced[1:]) / 2
    return voiced[np.searchsorted(borders, np.arange(columns))]


def stretched(envelope: Samples, factor: float) -> Samples:
    """``envelope`` (log magnitude, bins x columns) with what was at bin k now at k x factor."""
    last = len(envelope) - 1
    source = np.minimum(np.arange(len(envelope), dtype=np.float32) / np.float32(factor), last)
    low = source.astype(np.intp)
    weight = (source - low)[:, None]
    high = np.minimum(low + 1, last)
    mixed: Samples = (envelope[low] * (1 - weight) + envelope[high] * weight).astype(np.float32)
    return mixed


def moved(angles: Samples, factor: float) -> Samples:
    """Like `stretched`, for angles, which must not be mixed: the nearest bin."""
    source = np.rint(np.arange(len(angles)) / factor).astype(np.intp)
    return angles[np.minimum(source, len(angles) - 1)]
