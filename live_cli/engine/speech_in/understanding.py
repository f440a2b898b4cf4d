"""Whether a transcriber understood what it heard: the judge of one stream. Pure.

Theory. A transcriber of one language makes sentences of any speech, and of another language it
makes nonsense. What tells was measured on Moonshine tiny-en, 400 segments, 16 languages; median,
and the range of nine in ten:

                                     log probability      two decodings      words     not
    segments                         of a token           agree              a second  understood
    other languages, people's (48)   -1.27 (-1.74 -0.53)  0.11 (0.00 1.00)   0.9-5.8   43
    other languages, machines' (110) -1.17 (-1.73 -0.66)  0.14 (0.00 1.00)   0.5-6.6   107
    English, clean (78)              -0.12 (-0.45 -0.02)  1.00 (0.50 1.00)   1.2-4.1   1
    English by telephone (84)        -0.17 (-0.65 -0.03)  1.00 (0.80 1.00)   1.1-3.9   1
    English in noise, a hall (80)    -0.21 (-0.73 -0.04)  0.98 (0.33 1.00)   1.1-4.1   2
    English of a formant synthesizer,
      clean to 5 dB of noise (90)    -0.45 (-0.91 -0.05)  0.67 (0.00 1.00)   1.2-4.4   20

Two decodings of nonsense agree often enough, and of good English not always; words a second
overlap; loops are in one of ten segments of other languages. The probability parts them, and where
English falls below the limit its words are wrong, too.

One segment may hold three words, so the ones before count too, at half their weight: an English
file with a bad moment stays whole, and so does the nonsense before a lucky guess. Not every segment
is asked about, since that costs a third of its transcription: the first, then every sixth, and all
from a doubt on until there is none; a loop is a doubt of its own.
"""

from collections import deque

from live_cli.engine.stages import Confidence

UNSURE = -0.65
"""Mean log probability of a token below which speech was not understood."""
_SURE = -0.35
"""Above it speech was understood, whatever was before: nonsense was never seen so likely."""
_FIRST_ASKED = 3
_ASKED_EVERY = 6
_TOKENS_BEFORE = 24
"""Of what was heard before: about two sentences."""
_WEIGHT_BEFORE = 0.5
_LEAST_TOKENS, _LEAST_TOKENS_AMONG_GOOD = 4, 7
"""Fewer are a word or two and show nothing; where all before was understood, a few more are none,
either."""


class UnderstandingJudge:
    """Judges the segments of one stream, in order."""

    def __init__(self) -> None:
        self._segments = 0
        self._doubts = False
        self._before: deque[Confidence] = deque()

    def wants_to_know(self, *, loops: bool) -> bool:
        """Return whether the next segment's confidence is needed; called once for each segment."""
        self._segments += 1
        regular = self._segments <= _FIRST_ASKED or self._segments % _ASKED_EVERY == 0
        return regular or loops or self._doubts

    def understood(self, confidence: Confidence) -> bool:
        """Return whether a segment of that confidence was understood."""
        tokens_before = sum(each.tokens for each in self._before)
        total_before = sum(each.mean * each.tokens for each in self._before)
        tokens = confidence.tokens + tokens_before * _WEIGHT_BEFORE
        total = confidence.mean * confidence.tokens + total_before * _WEIGHT_BEFORE
        among_good = bool(self._before) and total_before >= UNSURE * tokens_before
        least = _LEAST_TOKENS_AMONG_GOOD if among_good else _LEAST_TOKENS
        self._remember(confidence)
        sure = confidence.mean >= _SURE or confidence.tokens < least
        understood = sure or total / tokens >= UNSURE
        self._doubts = not understood or confidence.mean < UNSURE
        return understood

    def _remember(self, confidence: Confidence) -> None:
        self._before.append(confidence)
        while sum(each.tokens for each in self._before) > _TOKENS_BEFORE and len(self._before) > 1:
            self._before.popleft()
