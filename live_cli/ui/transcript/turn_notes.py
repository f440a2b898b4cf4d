"""Notes beside an answer: its sources, pages that were read, code that ran. Pure.

Theory: sources may come with any message of a turn, in several parts, before the text that they
support, or after the turn. So the text of the turn is kept as the server sent it, for the offsets
count its bytes; marks are computed whenever they are asked for; and the sources are listed once
the turn is over, each once. Code comes as two parts: the program, then what came of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from live_cli.protocol import events
from live_cli.protocol.grounding import MOST_SOURCES, Citation, Source
from live_cli.ui.printable import printable
from live_cli.ui.transcript.links import address_text, link_of

MOST_LISTED: Final = 20
"""Sources that one turn lists; ``--json`` has all."""
_MOST_TEXT: Final = 100_000
"""Characters of an answer in which citations are placed."""
_MOST_PLACED: Final = 200
_MOST_PLACES: Final = 1_000
"""Times that one cited part is looked at in the text, of which the nearest counts."""
_LONGEST_TITLE: Final = 100
_LONGEST_QUOTE: Final = 60
_LONGEST_OUTPUT: Final = 160


@dataclass(frozen=True, slots=True)
class TurnNote:
    """One line beside an answer, safe to print. ``link``: where it leads."""

    kind: Literal["source", "code"]
    text: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class TurnNotes:
    """The sources and the code of the present turn.

    ``quotes``: a listed source quotes what it supports, for a view that cannot mark it in the text.
    ``short``: addresses are cut, for a view that makes links of them.
    """

    quotes: bool = False
    short: bool = False
    turn: int = 0
    ended: bool = False
    text: str = ""
    sources: tuple[Source, ...] = ()
    """Their numbers are their places, from 1."""
    cited: tuple[tuple[Citation, tuple[int, ...]], ...] = ()
    """Citations, each with the numbers of its sources."""
    listed: int = 0
    others: tuple[TurnNote, ...] = ()
    """Lines that wait for the end of the turn: pages read, what was searched for."""
    code: events.CodeWritten | None = None

    def after(self, event: events.Event) -> tuple["TurnNotes", tuple[TurnNote, ...]]:
        """Return the notes after ``event``, and the lines that are to be shown now."""
        shown: tuple[TurnNote, ...] = ()
        match event:
            case events.TextChunk(turn, text) | events.OutputTranscript(turn, text):
                after, shown = self._of(turn)
                return replace(after, text=(after.text + text)[:_MOST_TEXT]), shown
            case events.AnswerGrounded():
                after, shown = self._of(event.turn)
                after = after._grounded(event)
            case events.PagesRead(turn, pages):
                after, shown = self._of(turn)
                lines = tuple(_page(page.uri, page.failure) for page in pages[:MOST_LISTED])
                after = replace(after, others=(*after.others, *lines))
            case events.CodeWritten(turn) | events.CodeRan(turn):
                after, shown = self._of(turn)
                after, ran = after._with_code(event)
                return after, (*shown, *ran)
            case events.ToolCallRequested():
                # some models show a call as code before they make it (reference §9)
                return replace(self, code=None), ()
            case events.TurnComplete(turn) if turn == self.turn:
                after = replace(self, ended=True)
            case events.SessionClosed() | events.Reconnecting():
                after = replace(self, ended=True)
            case _:
                return self, ()
        if not after.ended:
            return after, shown
        after, listed = after._list()
        return after, (*shown, *listed)

    def marks(self) -> tuple[tuple[int, str], ...]:
        """Return the marks of the text, such as ``[1][2]``, each with the character it follows.

        Characters are those of the shown text: safe to print, without spaces at its start.
        """
        if not self.cited:
            return ()
        raw = self.text.encode("utf-8", "surrogatepass")
        numbers: dict[int, list[int]] = {}
        for citation, given in self.cited:
            if (end := _end_of(citation, self.text, raw)) is not None:
                numbers.setdefault(end, []).extend(n for n in given)
        shown = printable(self.text, newlines=True)
        stripped = len(shown) - len(shown.lstrip())
        marks = []
        for end, found in sorted(numbers.items()):
            place = len(printable(self.text[:end], newlines=True)) - stripped
            marks.append((place, "".join(f"[{number}]" for number in dict.fromkeys(found))))
        return tuple(mark for mark in marks if mark[0] > 0)

    # --- how it changes ---

    def _of(self, turn: int) -> tuple["TurnNotes", tuple[TurnNote, ...]]:
        """Return the notes of ``turn``, and what the turn before it had not shown yet."""
        if turn == self.turn:
            return self, ()
        _, rest = self._list()
        return TurnNotes(self.quotes, self.short, turn), rest

    def _grounded(self, event: events.AnswerGrounded) -> "TurnNotes":
        places = {source: number for number, source in enumerate(self.sources, start=1)}
        numbers: dict[int, int] = {}
        for index, source in enumerate(event.sources):
            if (source.uri or source.title) and (source in places or len(places) < MOST_SOURCES):
                numbers[index] = places.setdefault(source, len(places) + 1)
        cited = [
            (citation, tuple(numbers[index] for index in citation.sources if index in numbers))
            for citation in event.citations
        ]
        others = self.others
        if event.queries:
            asked = "; ".join(
                _short(query, _LONGEST_TITLE) for query in event.queries[:MOST_LISTED]
            )
            note = TurnNote("source", f"searched for: {asked}")
            others = others if note in others else (*others, note)
        known = (*self.cited, *(pair for pair in cited if pair[1] and pair not in self.cited))
        return replace(self, sources=tuple(places), cited=known[:_MOST_PLACED], others=others)

    def _with_code(
        self, event: events.CodeWritten | events.CodeRan
    ) -> tuple["TurnNotes", tuple[TurnNote, ...]]:
        if isinstance(event, events.CodeWritten):
            shown = () if self.code is None else (TurnNote("code", _written(self.code)),)
            return replace(self, code=event), shown
        return replace(self, code=None), (TurnNote("code", _ran(self.code, event)),)

    def _list(self) -> tuple["TurnNotes", tuple[TurnNote, ...]]:
        """Return the notes once everything is listed, and the lines of the list."""
        lines = list(self.others)
        if self.code is not None:
            lines.insert(0, TurnNote("code", _written(self.code)))
        lines += self._listed_sources()
        return replace(self, listed=len(self.sources), others=(), code=None), tuple(lines)

    def _listed_sources(self) -> Iterator[TurnNote]:
        for number, source in enumerate(self.sources, start=1):
            if self.listed < number <= MOST_LISTED:
                address = address_text(source.uri, short=self.short)
                parts = (_short(source.title, _LONGEST_TITLE), address)
                text = f"[{number}] {' · '.join(part for part in parts if part)}"
                if self.quotes and (quotes := self._quotes(number)):
                    text += f" (for {quotes})"
                yield TurnNote("source", text, link_of(source.uri))
        if self.listed < len(self.sources) > MOST_LISTED:
            yield TurnNote("source", f"and {len(self.sources) - MOST_LISTED:,} more sources")

    def _quotes(self, number: int) -> str:
        raw = self.text.encode("utf-8", "surrogatepass")
        texts = [
            citation.text or raw[citation.start : citation.end].decode("utf-8", "ignore")
            for citation, numbers in self.cited
            if number in numbers
        ]
        quotes = [f'"{_short(text, _LONGEST_QUOTE)}"' for text in texts if text.strip()]
        return ", ".join(quotes[:3]) + (", …" if len(quotes) > 3 else "")


def _end_of(citation: Citation, text: str, raw: bytes) -> int | None:
    """Return the character of ``text`` at which a cited part ends; None where it is not there.

    The offsets hold where the part that they name is the one that is told; else it is searched for.
    """
    wanted = citation.text.strip()
    if not wanted and citation.end > len(raw):
        return None
    part = raw[citation.start : citation.end].decode("utf-8", "ignore")
    before = len(raw[: citation.end].decode("utf-8", "ignore"))
    if not wanted or part.strip() == wanted:
        return before - (len(part) - len(part.rstrip()))
    starts = list(_places(text, wanted))
    if not starts:
        return None
    near = len(raw[: citation.start].decode("utf-8", "ignore"))
    return min(starts, key=lambda start: abs(start - near)) + len(wanted)


def _places(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    for _ in range(_MOST_PLACES):
        if at < 0:
            return
        yield at
        at = text.find(wanted, at + len(wanted))


# --- lines ---


def _page(uri: str, failure: str) -> TurnNote:
    address = address_text(uri, short=False)
    if failure:
        return TurnNote("source", f"could not read {address} ({_short(failure, 40)})", link_of(uri))
    return TurnNote("source", f"read {address}", link_of(uri))


def _written(code: events.CodeWritten) -> str:
    return f"wrote {_program(code)}"


def _ran(code: events.CodeWritten | None, event: events.CodeRan) -> str:
    """Return a program and the first line of its output, in one line."""
    lines = [line.strip() for line in event.output.splitlines() if line.strip()]
    first = _short(lines[0], _LONGEST_OUTPUT) if lines else "(no output)"
    more = f" (and {len(lines) - 1:,} more lines)" if len(lines) > 2 else ""
    more = " (and 1 more line)" if len(lines) == 2 else more
    ran = f"ran {_program(code)}"
    match event.outcome:
        case "OUTCOME_FAILED":
            # the last line of a traceback says what went wrong
            return f"{ran}, which failed: {_short(lines[-1], _LONGEST_OUTPUT) if lines else '?'}"
        case "OUTCOME_DEADLINE_EXCEEDED":
            return f"{ran}, which took too long → {first}{more}"
        case _:
            return f"{ran} → {first}{more}"


def _program(code: events.CodeWritten | None) -> str:
    if code is None:
        return "a program"
    count = len([line for line in code.code.splitlines() if line.strip()])
    known = code.language not in (None, "", "LANGUAGE_UNSPECIFIED")
    language = _short(str(code.language).capitalize(), 20) if known else "code"
    return f"{count:,} {'line' if count == 1 else 'lines'} of {language}"


def _short(text: str, most: int) -> str:
    """Return ``text`` in one line of at most ``most`` characters, safe to print."""
    flat = printable(" ".join(text[: 4 * most].split()))
    return flat if len(flat) <= most else flat[: most - 1] + "…"
