"""The sentences in the text of a segment, each with its start and end in the audio. Pure.

Where the transcriber gives the times of words, the sentences have theirs. Where it gives none, a
sentence boundary is first put where its share of the letters lies, then moved to the quietest
moment near it: people pause between sentences.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SHORTEST_CHARACTERS = 20
_BLOCK = INPUT_SAMPLE_RATE // 100
_WINDOW_BLOCKS = 12
_REACH_BLOCKS = 80
"""Blocks of 10 ms: a pause of 120 ms is looked for within 0.8 s."""


@dataclass(frozen=True, slots=True)
class TimedSentence:
    """A sentence and its times, from the start of the segment or of the session's audio.

    ``words``: start and end of each word, where they are known.
    """

    text: str
    start_s: float
    end_s: float
    words: tuple[tuple[float, float], ...] = ()

    def later(self, seconds: float) -> "TimedSentence":
        """Return the sentence with all times later by ``seconds``."""
        words = tuple((start + seconds, end + seconds) for start, end in self.words)
        return TimedSentence(self.text, self.start_s + seconds, self.end_s + seconds, words)


def sentence_times(
    text: str, samples: Samples, words: Sequence[tuple[float, float]] = ()
) -> list[TimedSentence]:
    """``text`` as sentences of at least 20 characters that cover ``samples`` (16 kHz) in order.

    ``words``: start and end of each word of ``text``; where there are as many, they count.
    """
    sentences = _sentences(text)
    counts = [len(sentence.split()) for sentence in sentences]
    if words and sum(counts) == len(words):
        ends = list(accumulate(counts))
        groups = [tuple(words[end - count : end]) for end, count in zip(ends, counts, strict=True)]
        return [
            TimedSentence(sentence, group[0][0], group[-1][1], group)
            for sentence, group in zip(sentences, groups, strict=True)
        ]
    cuts = _cuts([len(sentence) for sentence in sentences], samples)
    bounds = [
        0.0,
        *(cut * _BLOCK / INPUT_SAMPLE_RATE for cut in cuts),
        len(samples) / INPUT_SAMPLE_RATE,
    ]
    return [
        TimedSentence(sentence, start, end)
        for sentence, start, end in zip(sentences, bounds[:-1], bounds[1:], strict=True)
    ]


def _sentences(text: str) -> list[str]:
    joined: list[list[str]] = []
    length = 0  # of the last one
    for sentence in _SENTENCE_END.split(text.strip()):
        if joined and min(length, len(sentence)) < _SHORTEST_CHARACTERS:
            joined[-1].append(sentence)
            length += 1 + len(sentence)
        else:
            joined.append([sentence])
            length = len(sentence)
    return [" ".join(parts) for parts in joined]


def _cuts(lengths: list[int], samples: Samples) -> list[int]:
    """The borders between sentences of these ``lengths``, as block numbers, strictly rising."""
    lengths_before = list(accumulate(lengths))
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    if len(lengths) < 2 or len(blocks) < _WINDOW_BLOCKS + len(lengths):
        share = len(samples) / _BLOCK / sum(lengths)
        return [int(share * before) for before in lengths_before[:-1]]
    level = np.convolve((blocks**2).mean(axis=1), np.ones(_WINDOW_BLOCKS), mode="same")
    share = len(level) / sum(lengths)
    cuts: list[int] = []
    for count, before in enumerate(lengths_before[:-1], start=1):
        guess = int(share * before)
        highest = len(level) - (len(lengths) - count)  # leaves a block for each that follows
        high = min(guess + _REACH_BLOCKS, highest)
        low = min(max(guess - _REACH_BLOCKS, cuts[-1] + 1 if cuts else 1), highest - 1)
        high = max(high, low + 1)
        cuts.append(low + int(np.argmin(level[low:high])))
    return cuts
