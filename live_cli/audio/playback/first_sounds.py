"""When each turn was first heard: its first sample that is loud enough, not its first sample."""

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.audio.playback.playout import Span
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

AUDIBLE = 0.005
"""-46 dBFS: above the hiss of a synthesizer, below the softest consonant; the ends of the user's
speech are taken at about the same level (`SpeechEndMeter`)."""
_TURNS_KEPT = 64


class FirstSounds:
    """Keeps the times of the last 64 turns; one thread writes, others read ``times``."""

    def __init__(self) -> None:
        self.times: dict[int, float] = {}
        """By turn, in seconds; replaced, never changed."""

    def note(self, block: Samples, spans: list[Span], at: float) -> None:
        """Take a block that begins to sound ``at``, and which of its samples are whose."""
        for span in spans:
            if span.turn in self.times:
                continue
            loud = np.abs(block[span.offset : span.offset + span.length]) >= AUDIBLE
            if loud.any():
                sounds_at = at + (span.offset + int(loud.argmax())) / OUTPUT_SAMPLE_RATE
                kept = list(self.times.items())[1 - _TURNS_KEPT :]
                self.times = {**dict(kept), span.turn: sounds_at}
