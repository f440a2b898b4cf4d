"""The silence after which a user's turn is taken for ended. Pure.

Two signs are read together. The *turn detector* hears from the sound how likely the speaker has
finished, and takes a list, a number read in groups or a clause with a falling tone for an end now
and then. The *words* show some of those: a comma, "and", "um", half of a telephone number, an "if"
without what follows. Where both say that all is said, the turn ends at the pause itself; where both
are unsure, silence decides. Who went on at once after such an end is a speaker who pauses between
sentences, as readers do: until an end holds, nothing ends that turn at the pause itself.

Figures were chosen on readings aloud, on numbers in groups and on questions of thirty voices
(`tests/benchmarks/turns.py` prints what they do).
"""

import re
from typing import Final

import numpy as np

LONGEST_MS: Final = 2000
"""Of a pause in the middle of a turn, however unfinished it sounds."""
UNJUDGED_MS: Final = 850
"""Where nothing says whether the turn is over. Readers pause 0.4 to 0.8 s between sentences."""
_OPEN_MS: Final = 1300
"""Where the words are unfinished and the sound is not: a speaker who looks for the next word."""
_SHORT_MS: Final = 600
"""Of a whole answer in a word or two: the detector has little to hear and is often wrong."""
_SHORT_WORDS: Final = 3
_LIKELY: Final = 0.8
_PROBABILITIES: Final = (0.3, 0.5, _LIKELY, 0.95)
_SILENCES_MS: Final = (LONGEST_MS, 1000, UNJUDGED_MS, 0)
"""By what the detector hears; between these points along straight lines."""
WENT_ON_S: Final = 1.0
"""Speech so soon after an end shows that it was none."""


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_OPEN_WORDS: Final = _words(
    """
    a an the and or but because if unless with of from into to for my your our their
    um uh erm er
    und oder aber weil dass wenn ein eine einen einem einer mein meine dein deine für von äh ähm
    y o pero porque que el los las un una de del con para por en eh
    """
)
"""Words after which something follows, in English, German and Spanish."""
_OPEN_MARKS: Final = (",", "-", "–", ":", "...", "…")
_OPENERS: Final = _words("if when because although while wenn weil obwohl si cuando")
"""Words that begin a clause which another has to follow, unless it asks."""
_OPENED_WORDS: Final = 7
_NUMBERS: Final = _words(
    """
    zero oh one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty
    sixty seventy eighty ninety hundred double
    null eins zwei drei vier fünf sechs sieben acht neun zehn
    cero uno dos tres cuatro cinco seis siete ocho nueve diez
    """
)
_LONG_NUMBER: Final = 3
"""Digits; a time of the day or an age has fewer."""
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")


def silence_for(probability: float, text: str, *, went_on: bool = False) -> int:
    """Return the milliseconds of silence that end the turn, counted from the last speech.

    ``probability``: the turn detector's, that the speaker has finished. ``text``: what was said,
    "" where nothing was understood. ``went_on``: the speech followed within `WENT_ON_S` of an end.
    """
    tokens = _tokens(text)
    if not tokens:
        return UNJUDGED_MS
    if _is_unfinished(text, tokens):
        return LONGEST_MS if probability < _LIKELY else _OPEN_MS
    if went_on:
        return max(UNJUDGED_MS, _by_sound(probability))
    if len(tokens) <= _SHORT_WORDS:
        return min(_SHORT_MS, _by_sound(probability))
    return _by_sound(probability)


def is_unfinished(text: str) -> bool:
    """Return whether the words alone show that more will follow."""
    return _is_unfinished(text, _tokens(text))


def _is_unfinished(text: str, tokens: list[str]) -> bool:
    if not tokens:
        return False
    if text.rstrip().endswith("?"):
        return False
    if len(tokens) > _SHORT_WORDS and text.rstrip().endswith(_OPEN_MARKS):
        return True
    if tokens[-1] in _OPEN_WORDS or _ends_in_digits(tokens):
        return True
    is_one_clause = len(tokens) <= _OPENED_WORDS and "," not in text
    return tokens[0] in _OPENERS and is_one_clause


def _tokens(text: str) -> list[str]:
    return [token.lower() for token in _TOKEN.findall(text)]


def _ends_in_digits(tokens: list[str]) -> bool:
    """Return whether the last words are digits of a number that is read out group by group."""
    last = tokens[-1]
    if last.isdigit() and len(last) >= _LONG_NUMBER:
        return True
    return len(tokens) > 1 and all(token.isdigit() or token in _NUMBERS for token in tokens[-2:])


def _by_sound(probability: float) -> int:
    """Return the silence for a probability: none where it is sure, the longest where it is not."""
    return round(float(np.interp(probability, _PROBABILITIES, _SILENCES_MS)))
