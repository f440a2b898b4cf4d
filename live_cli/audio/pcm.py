"""Samples as the wire carries them (PCM16 little-endian) and as we compute with them (float32).

The scale is 32768 both ways, so bytes -> samples -> bytes gives the same bytes back.
"""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Mono sound: shape (n,), float32, full scale is [-1, 1]."""

_SCALE = 32768.0
_FROM_PCM16 = np.float32(1.0 / _SCALE)  # a power of two: exact
_PCM16 = np.dtype("<i2")


def float_from_pcm16(data: bytes) -> Samples:
    """Samples of little-endian PCM16; half a sample at the end, if any, is left out."""
    ints = np.frombuffer(data, _PCM16, len(data) // 2)
    return np.multiply(ints, _FROM_PCM16, dtype=np.float32)


def pcm16_from_float(samples: Samples) -> bytes:
    """Little-endian PCM16 of ``samples``: rounded, clipped at full scale, NaN as silence."""
    scaled = np.rint(np.clip(np.nan_to_num(samples, nan=0.0), -1.0, 1.0) * _SCALE)
    data: bytes = np.minimum(scaled, _SCALE - 1.0).astype("<i2").tobytes()
    return data


def mono(samples: npt.NDArray[np.float32]) -> Samples:
    """Shape (n,) of shape (n,) or (n, channels): the mean over the channels."""
    if samples.ndim == 1:
        return samples
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    return np.asarray(samples.mean(axis=1), dtype=np.float32)
