"""The joint between two parts of speech that was cut because it was long. Pure.

Theory: a transcriber takes each part for a whole utterance. It ends the first with a full stop or a
comma and begins the second with a capital letter, whatever was said. The sound around the cut,
transcribed once more as one piece, shows what belongs there: the words on both sides of the cut are
looked for in it, and the mark between them and the first letter behind it are taken over. Its words
are not, since a piece without its surroundings is heard worse.
"""

import re

ACROSS_S = 3.0
"""Seconds of sound on each side of a cut that are transcribed once more: with two, the recogniser
makes other words of them, and their place is not found."""

_MARKS = re.compile(r"[.,;:!?…。，；：！？—–-]+$")
_LEADING = " .,;:…。，；：—–-"
_WORD = re.compile(r"[\W_]+")
_MOST_WORDS = 4
"""Words on each side that tell one place from another."""


def joined(before: str, after: str, across: str) -> tuple[str, str]:
    """Return the texts of two parts as they follow each other; ``across``: of the sound between.

    Where the place is not found there, the stop that a part always ends with is left away.
    """
    after = after.lstrip(_LEADING)
    ahead, behind, words = before.split(), after.split(), across.split()
    if not ahead or not behind:
        return before, after
    place = _place(ahead, behind, words)
    if place is None:
        return (before[:-1] if _ends_with_one_stop(before) else before), after
    bare, own = _parted(before)
    _, mark = _parted(words[place])
    if not mark and own and _bare(words[place + 1]) != _bare(behind[0]):
        mark = ","  # one of them heard another word: that there was a pause is all that is sure
    return bare + mark, _cased(after, words[place + 1])


def _place(ahead: list[str], behind: list[str], words: list[str]) -> int | None:
    """Return the index of the last word before the cut in ``words``; None where it is not there."""
    wanted_before = [_bare(word) for word in ahead[-_MOST_WORDS:]][::-1]
    wanted_after = [_bare(word) for word in behind[:_MOST_WORDS]]
    bare = [_bare(word) for word in words]
    best: tuple[int, float] | None = None
    found: int | None = None
    for place in range(len(bare) - 1):
        left = _common(bare[place::-1], wanted_before)
        right = _common(bare[place + 1 :], wanted_after)
        sure = (left and right) or max(left, right) > 1
        rank = (left + right, -abs(place + 1 - len(bare) / 2))
        if sure and (best is None or rank > best):
            best, found = rank, place
    return found


def _parted(text: str) -> tuple[str, str]:
    """Return ``text`` without its last mark, and that mark."""
    mark = _MARKS.search(text)
    return (text[: mark.start()], mark[0]) if mark else (text, "")


def _common(words: list[str], wanted: list[str]) -> int:
    count = 0
    for word, other in zip(words, wanted, strict=False):
        if not word or word != other:
            break
        count += 1
    return count


def _bare(word: str) -> str:
    return _WORD.sub("", word).casefold()


def _ends_with_one_stop(text: str) -> bool:
    return text.endswith((".", "。")) and not text.endswith("..")


def _cased(text: str, like: str) -> str:
    """Return ``text`` with its first letter as the first one of ``like``, capital or not."""
    first = next((char for char in like if char.isalpha()), "")
    at = next((place for place, char in enumerate(text) if char.isalpha()), None)
    if at is None or not first:
        return text
    letter = text[at].upper() if first.isupper() else text[at].lower()
    return text[:at] + letter + text[at + 1 :]
