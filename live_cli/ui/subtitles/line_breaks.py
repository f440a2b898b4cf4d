"""Text broken into captions of a few short lines, at the borders of phrases. Pure.

Theory: a break has a price, which is low after a sentence or a clause, middling before a
conjunction or a preposition, and high where it parts an article, a preposition or a pronoun from
what follows; lines that differ in length cost a little, and a further caption costs most. The
cheapest way through the text is found from its end (dynamic programming), which takes as many steps
as there are words times the words of a line. The words that bind are English; other languages have
the punctuation alone. Scripts without spaces break between any two characters, never before closing
punctuation or a combining mark.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

_CAPTION_PRICE = 30.0
_UNEVEN_PRICE = 6.0
_BREAK_IN_CAPTION = 0.5
"""A break between two lines of a caption disturbs less than one between two captions."""
_AFTER_SENTENCE, _AFTER_CLAUSE, _BEFORE_PHRASE, _ELSEWHERE, _BINDING, _INSIDE_WORD = (
    0,
    1,
    3,
    6,
    12,
    20,
)

_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]」』]*$")
_CLAUSE_END = re.compile(r"[,;:–—，、；：][\"'”’)\]」』]*$")
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_CLOSING = "、。，．：；！？）］｝〉》」』】〕…—～ー"
_UNSPACED_PIECES = re.compile(
    rf"[「『（［【〈《]*[{_UNSPACED}][{_CLOSING}]*|[^{_UNSPACED}]+?(?=[{_UNSPACED}]|$)"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PHRASE_STARTS = _words(
    "and but or nor so because although though unless until while when where who which that than "
    "if as to of in on at by for with from into about after before between through over under "
    "without against during"
)
_BINDING_WORDS = _PHRASE_STARTS | _words(
    "a an the this these those my your his her its our their no every each any some i you he she "
    "it we they is are was were am be been will would can could shall should may might must do "
    "does did have has had not very more most mr mrs dr"
)


@dataclass(frozen=True, slots=True)
class CaptionLimits:
    """The size and speed of a caption: characters in a line, lines, and characters a second."""

    line_length: int = 42
    lines: int = 2
    characters_per_s: float = 20.0


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word, or a part of one; ``joined``: it follows the piece before without a space."""

    text: str
    joined: bool = False


def broken(text: str, limits: CaptionLimits) -> list[list[str]]:
    """Return the captions of ``text``, each as its lines; no line is longer than the limit."""
    pieces = _pieces(text, limits.line_length)
    plan = _cheapest(pieces, limits)
    captions: list[list[str]] = []
    at, line = 0, 0
    while at < len(pieces):
        end, ends_caption = plan[at][line]
        if line == 0:
            captions.append([])
        captions[-1].append(_joined(pieces[at:end]))
        at, line = end, 0 if ends_caption else line + 1
    return captions


def _cheapest(pieces: list[_Piece], limits: CaptionLimits) -> list[list[tuple[int, bool]]]:
    """Return for each first piece and place in a caption where the line ends, and the caption."""
    count = len(pieces)
    prices = [[0.0] * limits.lines for _ in range(count + 1)]
    plan = [[(count, True)] * limits.lines for _ in range(count)]
    for at in range(count - 1, -1, -1):
        ends = _line_ends(pieces, at, limits.line_length)
        for line in range(limits.lines):
            best = float("inf")
            for end, length in ends:
                uneven = _UNEVEN_PRICE * (1 - length / limits.line_length) ** 2
                price = _break_price(pieces, end)
                ways = [(price + prices[end][0] + (_CAPTION_PRICE if end < count else 0), True)]
                if line + 1 < limits.lines and end < count:
                    ways.append((_BREAK_IN_CAPTION * price + prices[end][line + 1], False))
                for whole, ends_caption in ways:
                    if uneven + whole < best:
                        best, plan[at][line] = uneven + whole, (end, ends_caption)
            prices[at][line] = best
    return plan


def _line_ends(pieces: list[_Piece], at: int, longest: int) -> list[tuple[int, int]]:
    """Return where a line that begins with piece ``at`` may end, each with the line's length."""
    ends: list[tuple[int, int]] = []
    length = 0
    for end in range(at + 1, len(pieces) + 1):
        piece = pieces[end - 1]
        length += len(piece.text) + (not piece.joined if end - 1 > at else 0)
        if length > longest and ends:
            break
        ends.append((end, length))
    return ends


def _break_price(pieces: list[_Piece], end: int) -> float:
    if end == len(pieces):
        return 0.0
    before, after = pieces[end - 1], pieces[end]
    if _SENTENCE_END.search(before.text):
        return _AFTER_SENTENCE
    if _CLAUSE_END.search(before.text):
        return _AFTER_CLAUSE
    if after.joined and not _is_unspaced(after.text):
        return _INSIDE_WORD
    return _price_between(_bare(before.text), _bare(after.text))


@cache
def _price_between(before: str, after: str) -> float:
    if before in _BINDING_WORDS:
        return _BINDING
    return _BEFORE_PHRASE if after in _PHRASE_STARTS else _ELSEWHERE


def _bare(word: str) -> str:
    return word.strip("\"'“”‘’()[]").casefold()


def _is_unspaced(text: str) -> bool:
    return re.search(f"[{_UNSPACED}]", text) is not None


def _pieces(text: str, longest: int) -> list[_Piece]:
    found: list[_Piece] = []
    for word in text.split():
        parts = _UNSPACED_PIECES.findall(word) if _is_unspaced(word) else [word]
        short = [short for part in parts for short in _cut(part, longest)]
        found += [_Piece(each, joined=number > 0) for number, each in enumerate(short)]
    return found


def _cut(word: str, longest: int) -> list[str]:
    """Return ``word`` in parts of ``longest`` characters at most; marks stay with their letter."""
    parts: list[str] = []
    while len(word) > longest:
        end = longest
        while end > 1 and unicodedata.combining(word[end]):
            end -= 1
        parts.append(word[:end])
        word = word[end:]
    return [*parts, word]


def _joined(pieces: list[_Piece]) -> str:
    text = ""
    for piece in pieces:
        text += piece.text if piece.joined or not text else f" {piece.text}"
    return text
