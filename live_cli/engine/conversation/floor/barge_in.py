"""Is what the user says over the answer an interruption? Pure.

Listeners say "mm-hmm", "yeah" and "right" to show that they listen: backchannels. They are short,
and they are few. What is none of them interrupts: at once where it is a command ("wait", "no"), or
begins as only a question or an objection does; otherwise where it just goes on.

The first third of a second of speech is little for a transcriber, which makes words of a hum; its
own confidence tells them apart. Of a hum it is below -0.4 in the mean of its tokens, of a short
word that was said above -0.35 (`tests/engine/conversation/floor/test_overhearing.py`).

What a transcriber thinks of for the first word tells more, and sooner, than the word it writes: the
rest of a sentence that has only begun is guessed. Measured on thirty voices: of sixteen kinds of
backchannels (135 clips) the words that are commands are never likelier than 0.05 together, where it
is no hum; of "stop", "wait" and "hold on" mostly above 0.25 after the first 0.3 s. And where it
writes "Sorry." or "Sour." for "Sure.", "sure" is at least 0.05.
"""

import math
import re
from enum import Enum
from typing import Final

from live_cli.engine.stages import Confidence

EARLY_MS: Final = 190
"""Of voice, before anything is read."""
GOES_ON_MS: Final = 520
"""Of voice, beyond which it is more than a backchannel."""
WORDLESS_MS: Final = 1500
"""Of voice in which no word was understood: laughter is shorter."""
_SHORT_MS: Final = 450
_TWO_WORDS_MS: Final = 380
_QUITE_CLEAR: Final = -0.25
_CLEAR: Final = -0.35
_HALF_CLEAR: Final = -0.55
_MANY_WORDS: Final = 3
_MANY_WORDS_CLEAR: Final = -1.0
_LIKELY: Final = 0.25
_LIKELY_THOUGH_HUM_LIKE: Final = 0.5
_SOUNDS_LIKE: Final = 0.05
"""Probabilities of the first word: a command; a command that a hum is taken for; a backchannel that
was written as another word."""
_RATHER: Final = 3.0
"""So many times likelier than a backchannel: in babble both are possible."""
"""A hum becomes one word or two; of a sentence whose sounds are guessed the words are many."""

_BACKCHANNELS: Final = frozenset(
    """
    mm mhm mmm hm hmm hmmm mm-hmm uh huh uh-huh uhuh aha ah oh o ooh wow ha haha hehe um uh
    yeah yea yah yep yet yup ya yes ok okay k right alright all sure i see got it good great nice
    cool fine really true exactly indeed absolutely definitely totally interesting of course well
    ja genau stimmt okay aha ach so gut klar
    sí si claro vale ya bueno exacto
    """.split()  # noqa: SIM905 - a list of words is read as text
)
_HUM: Final = re.compile(r"m+[aeou]*r?a?m*[aeou]?h?|mamm?a|h+m+")
"""A hum as a transcriber writes it: "Mm.", "Mum.", "Mama."."""
_COMMANDS: Final = frozenset(
    """
    stop wait no nope halt hold hang quiet enough never listen excuse pause silence shut
    what what's how why who where when which actually but can could would are do does did
    tell speak talk let let's give show look skip repeat change cancel mute forget again next
    hey please
    nein warte stopp moment halt aber was wie warum wer wo wann sag erzähl kannst
    no para espera pero qué cómo quién dónde cuándo oye dime puedes
    """.split()  # noqa: SIM905
)
"""Words that no backchannel begins with."""
_HUM_LIKE: Final = frozenset({"no", "nope", "who", "how", "why", "when", "para", "was", "wo"})
"""Of these: what a hum is taken for."""
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")


class Overlap(Enum):
    """A kind of speech over an answer, as far as it is known."""

    INTERRUPTION = "interruption"
    BACKCHANNEL = "backchannel"
    OPEN = "open"


def is_backchannel(text: str) -> bool:
    """Return whether ``text`` is nothing but signs of listening."""
    return all(token in _BACKCHANNELS or _HUM.fullmatch(token) for token in _tokens(text))


def _may_be_hum(text: str) -> bool:
    """Return whether a transcriber writes ``text`` for a hum: such words begin as it sounds."""
    first = _tokens(text)[0]
    return first[0] in "mn" or first in _HUM_LIKE


def needs_confidence(text: str, spoken_ms: float) -> bool:
    """Return whether `OverlapJudge` asks how sure the transcriber is of ``text``."""
    return bool(_tokens(text)) and not is_backchannel(text) and spoken_ms < WORDLESS_MS


class OverlapJudge:
    """Judges the speech over one answer, which is read again as it grows."""

    def __init__(self) -> None:
        self._before: tuple[str, float] | None = None  # the first word read before, and how surely

    def judge(
        self,
        text: str,
        confidence: Confidence | None,
        spoken_ms: float,
        *,
        ended: bool,
        hummed: bool = False,
    ) -> Overlap:
        """Return what the speech is.

        ``text``: of all that was said so far; ``confidence``: the transcriber's in it, None where
        it tells none; ``spoken_ms``: from the first to the last voice; ``ended``: nothing follows;
        ``hummed``: it sounds so (`hum.py`), and words that a hum is taken for are none.
        """
        if is_backchannel(text) or (hummed and _may_be_hum(text)):
            self._before = None
            if ended:
                return Overlap.BACKCHANNEL
            return Overlap.INTERRUPTION if spoken_ms >= WORDLESS_MS else Overlap.OPEN
        tokens = _tokens(text)
        if confidence is not None and not hummed:
            if _begins_a_command(confidence):
                return Overlap.INTERRUPTION
            if ended and len(tokens) == 1 and _may_be_backchannel(confidence):
                return Overlap.BACKCHANNEL
        sure = self._smoothed(tokens[0], 0.0 if confidence is None else confidence.mean)
        if sure >= _least_confidence(tokens, spoken_ms, ended=ended):
            return Overlap.INTERRUPTION
        return Overlap.BACKCHANNEL if ended else Overlap.OPEN

    def _smoothed(self, word: str, sure: float) -> float:
        """Return how sure the transcriber is, over two readings where they begin alike.

        A hum is taken for a word with all certainty now and then, and seldom twice.
        """
        before, self._before = self._before, (word, sure)
        return (sure + before[1]) / 2 if before is not None and before[0] == word else sure


def _begins_a_command(confidence: Confidence) -> bool:
    rather = _RATHER * _likely(confidence, _BACKCHANNELS)
    command = _likely(confidence, _COMMANDS - _HUM_LIKE)
    hum_like = _likely(confidence, _COMMANDS & _HUM_LIKE)
    return command >= max(_LIKELY, rather) or hum_like >= max(_LIKELY_THOUGH_HUM_LIKE, rather)


def _may_be_backchannel(confidence: Confidence) -> bool:
    return _likely(confidence, _BACKCHANNELS) >= _SOUNDS_LIKE


def _likely(confidence: Confidence, words: frozenset[str]) -> float:
    """Return how likely the first word is one of ``words``."""
    return sum(likely for word, likely in confidence.first_words if word.lower() in words)


def _least_confidence(tokens: list[str], spoken_ms: float, *, ended: bool) -> float:
    """Return how sure the transcriber has to be of words that are no backchannel."""
    limits = [math.inf]
    if tokens[0] in _COMMANDS:
        is_hum_like = len(tokens) == 1 and tokens[0] in _HUM_LIKE
        limits.append(_CLEAR if is_hum_like else _HALF_CLEAR)
    if len(tokens) > 1 and spoken_ms >= _TWO_WORDS_MS:
        limits.append(_QUITE_CLEAR)
    if spoken_ms >= GOES_ON_MS or (ended and spoken_ms >= _SHORT_MS):
        limits.append(_HALF_CLEAR if len(tokens) < _MANY_WORDS else _MANY_WORDS_CLEAR)
    if ended:
        limits.append(_CLEAR)
    if spoken_ms >= WORDLESS_MS:
        limits.append(-math.inf)
    return min(limits)


def _tokens(text: str) -> list[str]:
    return [token.lower() for token in _TOKEN.findall(text)]
