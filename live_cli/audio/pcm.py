"""Converts samples between PCM16 little-endian, as on the wire, and float32, as in computations.

The scale is 32768 both ways, so bytes -> samples -> bytes gives the same bytes back.
"""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Mono sound: shape (n,), float32, full scale is [-1, 1]."""

_SCALE = 32768.0
_FROM_PCM16 = np.array(1.0 / _SCALE, np.float32)  # a power of two: exact; no scalar: 0.3 µs less
_PCM16 = np.dtype("<i2")


def float_from_pcm16(data: bytes) -> Samples:
    """Return the samples of little-endian PCM16; half a sample at the end is left out."""
    samples = np.frombuffer(data, _PCM16, len(data) // 2).astype(np.float32)
    return np.multiply(samples, _FROM_PCM16, samples)


def pcm16_from_float(samples: Samples) -> bytes:
    """Return ``samples`` as little-endian PCM16: rounded, clipped at full scale, NaN as silence."""
    scaled = np.rint(np.clip(finite(samples), -1.0, 1.0) * _SCALE)
    data: bytes = np.minimum(scaled, _SCALE - 1.0).astype("<i2").tobytes()
    return data


def finite(samples: Samples) -> Samples:
    """Return ``samples``, with silence in place of NaN and the largest numbers for infinity."""
    # nan_to_num alone takes six times as long where all are finite
    return samples if np.isfinite(samples).all() else np.nan_to_num(samples)


def mono(samples: npt.NDArray[np.float32]) -> Samples:
    """Return the mean over the channels, shape (n,), of sound of shape (n,) or (n, channels)."""
    if samples.ndim == 1:
        return samples
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    return np.asarray(samples.mean(axis=1), dtype=np.float32)
