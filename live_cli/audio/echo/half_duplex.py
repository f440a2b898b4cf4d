"""For rooms where nothing else helps: while the speaker sounds, the microphone is silence. Pure."""

import numpy as np

from live_cli.audio.echo.canceller import EchoStats, is_audible
from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_HANGOVER_SAMPLES = INPUT_SAMPLE_RATE * 6 // 10
"""600 ms: devices' latency, the way back, and the room."""


class HalfDuplex:
    """Told what is played and given the microphone, at 16 kHz, as an `EchoCanceller` is."""

    def __init__(self) -> None:
        self._deaf_samples = 0

    @property
    def stats(self) -> EchoStats:
        return EchoStats()

    def play(self, samples: Samples) -> None:
        if is_audible(samples):
            self._deaf_samples = _HANGOVER_SAMPLES

    def process(self, microphone: Samples) -> Samples:
        deaf = min(self._deaf_samples, microphone.size)
        self._deaf_samples -= deaf
        if not deaf:
            return microphone
        return np.concatenate((np.zeros(deaf, dtype=np.float32), microphone[deaf:]))
