"""Mutes the microphone while the speaker sounds, where no cancellation helps. Pure."""

import numpy as np

from live_cli.audio.echo.canceller import EchoStats, is_audible
from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_HANGOVER_SAMPLES = INPUT_SAMPLE_RATE * 6 // 10
"""600 ms: device latency, flight of the sound, and reverberation."""


class HalfDuplex:
    """Replaces the microphone, 16 kHz, by silence during playback and 600 ms after it.

    The methods are those of `EchoCanceller`.
    """

    def __init__(self) -> None:
        self._muted_samples = 0

    @property
    def stats(self) -> EchoStats:
        """No figures: nothing is cancelled."""
        return EchoStats()

    def play(self, samples: Samples) -> None:
        """Take what was written to the speaker, at any rate."""
        if is_audible(samples):
            self._muted_samples = _HANGOVER_SAMPLES

    def process(self, microphone: Samples) -> Samples:
        """Return what is to be sent: ``microphone``, with silence while the speaker sounds."""
        muted = min(self._muted_samples, microphone.size)
        self._muted_samples -= muted
        if not muted:
            return microphone
        return np.concatenate((np.zeros(muted, dtype=np.float32), microphone[muted:]))
