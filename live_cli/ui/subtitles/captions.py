"""Captions from subtitles as they come: cut at phrases, and shown long enough to be read. Pure.

A caption has the time of its words: by the words' own times where they are known, else its share of
the subtitle by characters. One that would be too fast to read stays longer, into the silence behind
it or the next one's time, which then begins later; never by more than `LATEST_S`, since text that
lags behind the voice is harder to follow than text that is fast.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from live_cli.ui.subtitles.line_breaks import CaptionLimits, broken

LATEST_S = 3.0
"""By how much a caption may outlast its words."""
_ROUNDING_S = 0.002
"""What start and end may lose together when they are written in milliseconds."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as the engine heard it, from ``start_s`` to ``end_s`` seconds of the file."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Subtitle:
    """Words spoken from ``start_s`` to ``end_s`` seconds of the file.

    ``words``: the same with times, where the engine tells them. ``language``: a code, where known.
    """

    text: str
    start_s: float
    end_s: float
    words: tuple[TimedWord, ...] = ()
    language: str | None = None


class CaptionMaker:
    """Makes captions of one file's subtitles, in their order; the text of each has its lines."""

    def __init__(self, limits: CaptionLimits) -> None:
        self._limits = limits
        self._shown_until_s = 0.0

    def captions(self, subtitle: Subtitle) -> Iterator[Subtitle]:
        """Yield the captions of the next subtitle."""
        texts = ["\n".join(lines) for lines in broken(subtitle.text, self._limits)]
        for text, (start_s, end_s) in zip(texts, _times(subtitle, texts), strict=True):
            if self._shown_until_s - start_s <= LATEST_S + _ROUNDING_S:  # else two speak at once
                start_s = max(start_s, self._shown_until_s)
            readable_s = start_s + len(text) / self._limits.characters_per_s + _ROUNDING_S
            end_s = max(start_s, end_s, min(readable_s, end_s + LATEST_S))
            self._shown_until_s = max(self._shown_until_s, end_s)
            yield Subtitle(text, start_s, end_s)


def _times(subtitle: Subtitle, texts: list[str]) -> list[tuple[float, float]]:
    counts = [len(text.split()) for text in texts]
    if len(subtitle.words) == sum(counts):
        ends = list(accumulate(counts))
        groups = [
            subtitle.words[end - count : end] for end, count in zip(ends, counts, strict=True)
        ]
        return [(group[0].start_s, group[-1].end_s) for group in groups]
    total = sum(map(len, texts)) or 1
    length_s = subtitle.end_s - subtitle.start_s
    borders = [0, *accumulate(map(len, texts))]
    places = [subtitle.start_s + length_s * border / total for border in borders]
    places[-1] = subtitle.end_s
    return list(pairwise(places))
