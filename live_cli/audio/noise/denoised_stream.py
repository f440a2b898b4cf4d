"""Beside a stream of sound the same with less noise, wherever that is asked for. Pure.

A denoiser has memory, and is late by some hundredths of a second. `DenoisedStream` keeps what it
gave at the positions of the sound that it was made of; where it rested and begins again, it hears a
second of sound first, from which it learns the noise.
"""

from typing import Final

import numpy as np

from live_cli.audio.noise.denoiser import Denoiser
from live_cli.audio.pcm import Samples
from live_cli.audio.sample_buffer import SampleBuffer
from live_cli.sample_rates import INPUT_SAMPLE_RATE

NOISY_BELOW_DB: Final = 21.0
"""How far speech stands out (`NoiseMeter`) where it is denoised. At a signal-to-noise ratio of
10 dB it is 13 to 19 dB, of 15 dB 18 to 23; clean readings are at 28 and more."""
WARM_UP: Final = INPUT_SAMPLE_RATE
"""Samples before the first that is wanted."""
_STEP: Final = INPUT_SAMPLE_RATE // 100
"""A denoiser that is fed multiples of 10 ms keeps nothing back but what it is late by."""
_NEVER: Final = 2**63
_LEFT: Final = 10 ** (-9 / 20)
"""Noise that stays, 9 dB quieter, covers what the denoiser does to speech."""


class DenoisedStream:
    """One stream at 16 kHz as ``denoiser`` makes it; positions count its samples."""

    def __init__(self, denoiser: Denoiser) -> None:
        self._denoiser = denoiser
        self._fed = 0  # the first sample that the denoiser has not heard
        self._finished_at = _NEVER  # the sound that follows is another stream
        self._denoised = SampleBuffer(-denoiser.delay_samples)

    @property
    def end(self) -> int:
        """The first position that is not denoised yet."""
        return self._denoised.end

    def covers(self, position: int) -> bool:
        """Return whether the sample at ``position`` is denoised, and still kept."""
        return self._denoised.start <= position < self._denoised.end

    def feed(self, sound: SampleBuffer, start: int) -> None:
        """Denoise ``sound`` from ``start`` to its end, where that has not been done."""
        apart = not self._denoised.start <= start <= self._denoised.end or self._fed < sound.start
        if apart or start >= self._finished_at:
            self._finished_at = _NEVER
            self._fed = max(sound.start, start - WARM_UP)
            self._denoised = SampleBuffer(self._fed - self._denoiser.delay_samples)
        whole = (sound.end - self._fed) // _STEP * _STEP
        if whole > 0:
            self._give(sound.between(self._fed, self._fed + whole))

    def finish(self, sound: SampleBuffer) -> None:
        """Denoise ``sound`` to its end at once: it pauses there, and silence follows."""
        rest = sound.between(self._fed, sound.end)
        wanted = rest.size + self._denoiser.delay_samples
        self._give(np.pad(rest, (0, wanted - rest.size + -wanted % _STEP)))
        self._finished_at = sound.end

    def mixed(self, sound: SampleBuffer, start: int, end: int) -> Samples:
        """Return ``sound`` from ``start`` to ``end`` with less noise.

        What is not denoised yet, at most 42 ms, is silence.
        """
        noisy = sound.between(start, end)
        denoised = self._denoised.between(start, min(end, self._denoised.end))
        mixed = denoised + np.float32(_LEFT) * (noisy[: denoised.size] - denoised)
        return np.pad(mixed, (0, noisy.size - denoised.size))

    def forget_before(self, position: int) -> None:
        """Drop what was denoised before ``position``."""
        self._denoised.forget_before(min(position, self._denoised.end))

    def _give(self, samples: Samples) -> None:
        self._denoised.append(self._denoiser.process(samples))
        self._fed += samples.size
