"""The silence around pieces of synthesized speech. Pure; samples at 24 kHz.

A synthesizer pads each piece by a quarter of a second on either side. Before the first word that is
waiting time; between two pieces of one sentence it is a stumble, between two sentences too long.
"""

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

_SILENT = 0.0005
"""-66 dBFS: below the softest consonants at the end of a word."""
_NOISE = 0.0016
"""-56 dBFS: below the softest at its beginning, above the hiss that a synthesizer begins with."""
_BEFORE = OUTPUT_SAMPLE_RATE * 10 // 1000
_PAUSES_MS = ((".!?…。！？\n", 350), (",;:—", 160))
_CUT_MS = 40
"""Within a phrase that was cut for its length."""
_CLOSING = " \t\"'”’)]*_"


def pause_after(text: str) -> int:
    """Return the samples of silence after ``text``, by the mark at its end."""
    last = text.rstrip(_CLOSING)[-1:]
    for marks, pause_ms in _PAUSES_MS:
        if last and last in marks:
            return OUTPUT_SAMPLE_RATE * pause_ms // 1000
    return OUTPUT_SAMPLE_RATE * _CUT_MS // 1000


def without_padding(speech: Samples, pause: int) -> Samples:
    """``speech`` from its first sound, with at most ``pause`` samples of silence after its last."""
    level = np.abs(speech)
    begins, sounding = np.flatnonzero(level > _NOISE), np.flatnonzero(level > _SILENT)
    if not begins.size:
        return speech[:0]
    return speech[max(0, begins[0] - _BEFORE) : sounding[-1] + 1 + pause]
