"""The lines of the transcript as rows for a given width, and those that scroll away. Pure."""

from dataclasses import dataclass, replace
from functools import lru_cache

from rich.style import Style
from rich.text import Text

from live_cli.ui.live.call_rows import WIDE
from live_cli.ui.live.wrap import wrap
from live_cli.ui.transcript.line import TranscriptLine, trim
from live_cli.ui.transcript.state import ViewState

MAX_OPEN_ROWS = 10
"""Rows of the lines that still grow; more scroll away."""
NARROW = 20
"""Columns under which a speaker is told by one letter."""
_NAMES = {
    "you": "you",
    "model": "model",
    "thought": "thinks",
    "tool": "tool",
    "code": "code",
    "source": "·",
    "note": "·",
    "error": "error",
}
_NAME_STYLES = {"you": "bold cyan", "model": "bold magenta", "error": "bold red"}
_TEXT_STYLES = {
    "thought": "dim italic",
    "tool": "dim",
    "code": "dim",
    "source": "dim",
    "note": "dim",
    "error": "red",
}
_CUT = " [interrupted] "
_NOT_HEARD = "[not heard]"


@dataclass(frozen=True, slots=True)
class LineRow:
    """A row of a transcript line; ``end`` is the index in its text at which the next row begins."""

    text: Text
    end: int
    settled: bool
    """Whether no later event can change this row."""


def line_rows(line: TranscriptLine, width: int, *, heard_matters: bool = False) -> list[LineRow]:
    """Return ``line`` as rows of at most ``width - 1`` cells, the speaker's name before the first.

    ``heard_matters``: text that has not been heard yet is dimmed.
    """
    gutter = _gutter_cells(width)
    body = _body(line, heard_matters=heard_matters)
    ranges = wrap(body.plain, max(width - gutter - 1, 2))
    sure = line.heard if heard_matters and line.heard is not None else len(line.text)
    rows = []
    for index, (start, end) in enumerate(ranges):
        text = _gutter(line, gutter, first=index == 0 and line.offset == 0)
        piece = body[start:end]
        piece.rstrip()
        text.append_text(piece)
        last = index + 1 == len(ranges)
        following = _without_marks(line, end if last else ranges[index + 1][0])
        rows.append(LineRow(text, following, settled=not last and following <= sure))
    return rows


def _gutter_cells(width: int) -> int:
    return 9 if width >= WIDE else 6 if width >= NARROW else 2


def _body(line: TranscriptLine, *, heard_matters: bool) -> Text:
    if line.is_unheard:
        return Text(_NOT_HEARD, style="yellow")
    if line.cut is not None:
        rest = line.text[line.cut :].lstrip()
        text = _marked(line, 0, len(line.text[: line.cut].rstrip()))
        text.append(_CUT if rest else _CUT.rstrip(), "yellow")
        unheard = _marked(line, len(line.text) - len(rest), len(line.text))
        unheard.stylize("dim")
        return text.append_text(unheard)
    end = len(line.text)
    if heard_matters and line.heard is not None:
        end = min(line.heard, end)
    text = _marked(line, 0, end)
    unheard = _marked(line, end, len(line.text))
    unheard.stylize("dim")
    text.append_text(unheard)
    if style := _TEXT_STYLES.get(line.speaker, ""):
        text.stylize(style)
    if line.link is not None:
        text.stylize(_link_style(line.link))
    return text.append(line.preview, "dim italic")


@lru_cache(maxsize=64)  # each style made gives its link another id
def _link_style(link: str) -> Style:
    return Style(link=link)


def _marked(line: TranscriptLine, start: int, end: int) -> Text:
    """Return a part of the line's text with the marks that stand behind its characters."""
    text = Text()
    for at, mark in _marks(line):
        if start < at <= end:
            text.append(line.text[start:at].replace("\t", " ")).append(mark, "cyan")
            start = at
    return text.append(line.text[start:end].replace("\t", " "))


def _marks(line: TranscriptLine) -> list[tuple[int, str]]:
    """Return the marks with their places in the text that has not scrolled away."""
    places = ((at - line.offset, mark) for at, mark in line.marks)
    return [(at, mark) for at, mark in places if 0 < at <= len(line.text)]


def _without_marks(line: TranscriptLine, index: int) -> int:
    """Return the index in the line's text of an index in its text with marks."""
    for at, mark in _marks(line):
        if at < index:
            index = max(at, index - len(mark))
    return index


def _gutter(line: TranscriptLine, gutter: int, *, first: bool) -> Text:
    if not first:
        return Text(" " * gutter)
    margin = " " if gutter > 6 else ""
    name = f"{margin}{_NAMES[line.speaker]}"[: gutter - 1]
    style = _NAME_STYLES.get(line.speaker, "dim")
    return Text.assemble((name, style), " " * (gutter - len(name)))


def gap_before(line: TranscriptLine, previous: str | None) -> bool:
    """Return whether an empty row stands before ``line``: before a question, as a parting."""
    return line.offset == 0 and line.speaker == "you" and previous not in (None, "you")


def overflow(state: ViewState, width: int, most: int) -> tuple[ViewState, list[Text]]:
    """Return the rows to scroll away where the open lines take more than ``most`` rows.

    Only settled rows of the first line scroll away; the new state has the line without their text.
    """
    if not state.lines:
        return state, []
    line = state.lines[0]
    matters = _hearing_matters(state, line)
    rows = line_rows(line, width, heard_matters=matters)
    count = len(rows) + sum(
        len(line_rows(other, width, heard_matters=_hearing_matters(state, other)))
        for other in state.lines[1:]
    )
    leaving = 0
    while leaving < len(rows) and rows[leaving].settled and count - leaving > most:
        leaving += 1
    if not leaving or line.cut is not None:
        return state, []
    rest = (trim(line, rows[leaving - 1].end), *state.lines[1:])
    return replace(state, lines=rest), [row.text for row in rows[:leaving]]


def open_rows(state: ViewState, width: int, most: int, previous: str | None) -> list[Text]:
    """Return the lines that still grow as at most ``most`` rows."""
    rows: list[Text] = []
    for line in state.lines:
        shown = line_rows(line, width, heard_matters=_hearing_matters(state, line))
        if shown and gap_before(line, previous):
            rows.append(Text())
        rows += [row.text for row in shown]
        previous = line.speaker if shown else previous
    if len(rows) <= most:
        return rows
    if most < 2:
        return rows[:most]
    more = Text(" " * _gutter_cells(width) + "…", style="dim")
    if state.lines[-1].speaker == "you":
        return [more, *rows[len(rows) - most + 1 :]]
    return [*rows[: most - 1], more]


def _hearing_matters(state: ViewState, line: TranscriptLine) -> bool:
    return state.plays and line.speaker == "model" and line.turn == state.turn


def room_for_lines(height: int, bottom: int) -> int:
    """Return how many rows the lines that grow may take above ``bottom`` rows."""
    return max(0, min(MAX_OPEN_ROWS, max(height - 6, 2), height - bottom))
