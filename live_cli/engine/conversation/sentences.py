"""From a stream of text to clauses that a synthesizer can speak one by one. Pure.

The first clause of a reply ends early, at a comma or at the end of a phrase, because the listener
waits for it, and so does a clause that would come too late for the end of the one before. Others
are whole sentences, because they sound better. A full stop ends a sentence only when it does not
belong to an abbreviation, an initial, a number (3.14) or a domain name. The next characters tell
which: a full stop at the end of the text so far is not decided yet.

A clause has two texts. ``text`` is what the model wrote: joined, the texts of all clauses are the
reply, and transcripts and the history carry them, so that nothing written is lost. ``speech`` is
what is spoken: markdown marks, code fences, links' addresses and emoji are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ABBREVIATIONS = frozenset({
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "etc", "approx",
    "dept", "est", "inc", "ltd", "co", "corp", "gen", "col", "sgt", "capt", "e.g", "i.e", "a.m",
    "p.m", "u.s", "u.k", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct",
    "nov", "dec",
})  # fmt: skip
_BEFORE_NUMBERS = frozenset({"no", "vol", "fig", "nr", "pp"})
_TERMINAL = re.compile(r"[.!?…]+[\"'”’)\]*_]*|\n+|[。！？]+")
_SOFT = re.compile(r"[,;:—][\"'”’)\]*_]*(?=\s)")
_SOFT_WORDS = 3
_PHRASE_WORDS = 4
_LONG_WORDS = 12
_BEGINNERS = """
    and but or because although while when if unless until since so which who that where whose
    with without for in on at by from about into onto over through during between before after as
    than under
    und oder aber weil dass wenn mit für auf bei nach über durch ohne
    y pero porque cuando con para por sin desde hasta como que
    et ou mais avec pour dans sur sans quand qui
    ma perché che quando per com mas sem
    """.split()  # noqa: SIM905 - a list of words is read as text
"""Words with which a phrase begins, before which a speaker may draw breath, in six languages."""
_EARLY = re.compile(
    rf"(?<=[^\W\d_])[,;]|{_SOFT.pattern}|(?<=\S)(?=\s+(?P<begins>{'|'.join(_BEGINNERS)})\s)",
    re.IGNORECASE,
)
"""Where a clause in a hurry may end; a comma after a letter waits for nothing."""
_LATER_LONG_CHARACTERS = 240
_LONGEST_CHARACTERS = 1000
"""Of a clause: no sentence is this long without a space or a comma to cut it at."""
_PIECE_CHARACTERS = 200
"""How much text is looked through at a time: what is held is looked through again with each."""

_CODE_FENCE = re.compile(r"```\w*")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)?\)")
_LINE_MARK = re.compile(
    r"(?m)^[^\S\n]*(?:#{1,6}\s+|>\s+|[-*+•]\s+|\d+[.)]\s+(?=\S)|-{3,}[^\S\n]*$)"
)
_EMPHASIS = re.compile(r"\*{1,3}|(?<!\w)_{1,3}|_{1,3}(?!\w)|`+|~~")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d]"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: ``text`` as written, with its spaces; ``speech`` as spoken, "" for nothing."""

    text: str
    speech: str


def speakable(text: str) -> str:
    """Return ``text`` without what cannot be spoken: markdown, addresses of links, emoji."""
    text = _CODE_FENCE.sub(" ", text)
    text = _LINK.sub(r"\1", text)
    text = _LINE_MARK.sub("", text)
    text = _EMPHASIS.sub("", text)
    text = " ".join(_EMOJI.sub(" ", text).split())
    return text if any(character.isalnum() for character in text) else ""


class ClauseSplitter:
    """Cuts the deltas of one reply into clauses."""

    def __init__(self) -> None:
        self._held = ""
        self._first = True

    def push(self, delta: str, *, hurried: bool = False) -> list[Clause]:
        """Return the clauses that ``delta`` completes.

        ``hurried``: the clauses before will soon have been heard, and their listener waits.
        """
        clauses: list[Clause] = []
        for start in range(0, len(delta), _PIECE_CHARACTERS):
            self._held += delta[start : start + _PIECE_CHARACTERS]
            while (end := self._boundary(hurried=hurried and not clauses)) is not None:
                clauses.append(self._taken(end))
        return clauses

    def flush(self) -> list[Clause]:
        """Return the rest as a clause, at the end of the reply."""
        if not self._held:
            return []
        return [self._taken(len(self._held))]

    def _taken(self, end: int) -> Clause:
        text, self._held = self._held[:end], self._held[end:]
        clause = Clause(text, speakable(text))
        if clause.speech:
            self._first = False
        return clause

    def _boundary(self, *, hurried: bool) -> int | None:
        """Return the index at which the next clause ends, None where that is not certain yet."""
        sentences = _TERMINAL.finditer(self._held)
        end = next((mark.end() for mark in sentences if _ends_sentence(self._held, mark)), None)
        if self._first:
            end = min(filter(None, (end, *self._phrase_ends(), self._many_words())), default=None)
        elif end is None and hurried:
            end = max(self._phrase_ends(), default=None) or self._many_words()
        elif end is None:
            end = self._overlong()
        return _LONGEST_CHARACTERS if end is None and len(self._held) > _LONGEST_CHARACTERS else end

    def _phrase_ends(self) -> Iterator[int]:
        """Yield where a clause may end whose listener waits."""
        for match in _EARLY.finditer(self._held):
            before = self._held[: match.start()]
            words = before.split()
            if match["begins"] is None:
                is_phrase = len(words) >= _SOFT_WORDS
            else:
                is_phrase = len(words) >= _PHRASE_WORDS and words[-1].lower() not in _BEGINNERS
            if is_phrase and not _is_within(before):
                yield match.end()

    def _many_words(self) -> int | None:
        ends = [word.end() for word in re.finditer(r"\S+", self._held)]
        return ends[_LONG_WORDS - 1] if len(ends) > _LONG_WORDS else None  # the last may go on

    def _overlong(self) -> int | None:
        if len(self._held) < _LATER_LONG_CHARACTERS:
            return None
        soft = [match.end() for match in _SOFT.finditer(self._held)]
        return soft[-1] if soft else self._held.rfind(" ", 1) if " " in self._held[1:] else None


def _is_within(text: str) -> bool:
    """Return whether ``text`` ends within brackets, quotes or code, which are read as a whole."""
    opened = any(text.count(opening) > text.count(closing) for opening, closing in ("[]", "()"))
    return opened or any(text.count(mark) % 2 for mark in '"`')


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    """Return whether the mark at ``match`` ends a sentence; False while more text has to tell."""
    mark, rest = match.group(), text[match.end() :]
    if "\n" in mark:
        return bool(text[: match.start()].strip())
    if mark[0] in "。！？":
        return True
    if not rest or not rest[0].isspace():
        return False
    following = rest.lstrip()
    if mark.startswith((".", "…")) and (not following or following[0].islower()):
        return False
    if mark[0] != "." or mark.startswith(".."):
        return True
    words = text[: match.start()].split()
    word = words[-1].lstrip("(\"'“‘*_") if words else ""
    if len(word) == 1 and word.isupper() and word != "I":  # an initial
        return False
    if word.isdigit() and len(words) == 1:  # "1. First of all": a list's number
        return False
    if word.lower() in _BEFORE_NUMBERS and following[0].isdigit():
        return False
    return word.lower() not in _ABBREVIATIONS
