"""Loops of a transcriber: the same words over and over, which nobody said. Pure.

Theory: a transcriber that understands nothing falls into a loop, since what it wrote makes the same
words likely again; it writes on to the end of its room. A phrase of several words that stands three
times in a row or more is one, and so is a single word from the fifth time on (what is said
three or four times in a row is mostly "no" and "very"). The first two stay. Numbers are left
alone up to the length of a long account number: "five five five five" is somebody's telephone.
"""

import re

_LONGEST_PHRASE = 16
_MOST_PHRASES, _MOST_WORDS, _MOST_NUMBERS = 2, 4, 20
_KEPT = 2
_BARE = re.compile(r"[\W_]+")
_WITHIN_WORD = re.compile(r"(\w{1,12}-)\1{4,}(\w*)")
_NUMBERS = frozenset(
    ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
)


def without_loops(text: str) -> str:
    """Return ``text`` with what is repeated over and over said twice at most."""
    shorter = _WITHIN_WORD.sub(r"\1\2", text)
    words = shorter.split()
    keys = [_BARE.sub("", word).casefold() or word for word in words]
    kept: list[int] = []
    at = 0
    while at < len(words):
        size, times = _loop_at(keys, at)
        if not size:
            kept.append(at)
            at += 1
            continue
        kept += range(at, at + _KEPT * size)
        at += size * times
        at += _rest(keys, at, size)
    return " ".join(words[place] for place in kept) if len(kept) < len(words) else shorter


def _loop_at(keys: list[str], at: int) -> tuple[int, int]:
    """Return the words in the phrase that loops at ``at``, and how often; (0, 0) for none."""
    for size in range(1, min(_LONGEST_PHRASE, (len(keys) - at) // 3) + 1):
        phrase = keys[at : at + size]
        times = 1
        while keys[at + times * size : at + (times + 1) * size] == phrase:
            times += 1
        if times > _allowed(phrase):
            return size, times
    return 0, 0


def _allowed(phrase: list[str]) -> int:
    if all(word.isdecimal() or word in _NUMBERS for word in phrase):
        return max(_MOST_NUMBERS // len(phrase), _MOST_PHRASES)
    return _MOST_WORDS if len(set(phrase)) == 1 else _MOST_PHRASES


def _rest(keys: list[str], at: int, size: int) -> int:
    """Return how many words behind a loop are the begin of its phrase once more, at the very end.

    The room was full in the middle of it.
    """
    left = len(keys) - at
    return left if 0 < left < size and keys[at:] == keys[at - size : at - size + left] else 0
