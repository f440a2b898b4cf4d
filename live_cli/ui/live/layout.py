"""The layout of the live view: its state as rows of styled text for a given width. Pure.

Only the terminal's own sixteen colours and dim, bold and reverse are used, so that light and dark
backgrounds both work; nothing is told by colour alone. Where a row is too narrow, parts are left
out in this order: the echo figure, the label's last parts, token counts, dBFS figures, the latency.
The activity (who speaks), the mark of a muted microphone and the meters always stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rich.style import Style
from rich.text import Text

from live_cli.ui.live.call_rows import WIDE, call_rows, wanted_rows
from live_cli.ui.live.meter_bar import BLOCK_BARS, Bars, dbfs
from live_cli.ui.live.wrap import cells, wrap
from live_cli.ui.printable import printable
from live_cli.ui.terminal.line_editor import InputLine, next_stop, previous_stop
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

_ACTIVITIES = {
    "connecting": ("yellow", "○", "connecting …"),
    "reconnecting": ("yellow", "○", "reconnecting …"),
    "closed": ("red", "○", "closed"),
    "you": ("bold cyan", "●", "you are speaking"),
    "model": ("bold magenta", "●", "model is speaking"),
    "thinking": ("yellow", "●", "thinking …"),
    "listening": ("green", "●", "listening"),
    "stalled": ("red", "○", "no sign of the server"),
}


# --- the transcript ----------------------------------------------------------------------------


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
    """Whether an empty row stands before ``line``: before a question, to part the exchanges."""
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


# --- the bottom --------------------------------------------------------------------------------


def status_row(state: ViewState, width: int, *, usage: bool) -> Text:
    """Return the status: the activity, the label of the session, and its figures at the right."""
    left = _activity(state).append_text(_image_mark(state))
    room = width - 2 - left.cell_len
    right = Text()
    for part in _figures(state, usage=usage):
        needed = part.cell_len + (3 if right else 0)
        if right.cell_len + needed + 2 <= room:
            right.append(" · " if right else "", "dim").append_text(part)
    label = _label(state.label, room - right.cell_len - 6)
    if state.erle_db is not None and label == state.label:
        learning = "" if state.echo_converged else ", learning"
        echo = Text(f"echo {-state.erle_db:.0f} dB{learning}", style="dim")
        if right.cell_len + echo.cell_len + 3 + cells(label) + 6 <= room:
            right = Text(" · ", "dim").join([echo, right] if right else [echo])
    row = Text(" " if width >= WIDE else "").append_text(left)
    if label:
        row.append("   ").append(label, "dim")
    return row.append(" " * max(width - 1 - row.cell_len - right.cell_len, 1)).append_text(right)


def _activity(state: ViewState) -> Text:
    if state.muted and state.connection == "connected":
        text = Text(" MUTED ", style="").append("")
        text.stylize("bold reverse yellow", 0, 7)
        if state.activity in ("model", "thinking", "stalled"):
            style, _, words = _ACTIVITIES[state.activity]
            text.append(f" {words}", style)
        return text
    style, dot, words = _ACTIVITIES[state.activity]
    if state.push_to_talk and state.activity == "listening":
        act = "hold" if state.hold_to_talk else "press"
        style, dot, words = "dim", "○", f"{act} space to talk"
    return Text.assemble((f"{dot} ", style), (words, style))


def _image_mark(state: ViewState) -> Text:
    """Return the sign that images are sent: it stays where there is no room for a preview."""
    if state.images is None:
        return Text()
    role = state.images.role
    if state.images.state == "lost":
        return Text(f"  ○ {role} lost", "yellow")
    return Text.assemble(("  ● ", "bold red"), (role, "red"))


def _figures(state: ViewState, *, usage: bool) -> list[Text]:
    """Return the figures at the right, the most important first."""
    figures = []
    if state.dropped_frames:
        figures.append(Text(f"{state.dropped_frames:,} dropped", style="yellow"))
    if state.latency_ms is not None:
        figures.append(Text(f"{state.latency_ms:,.0f} ms"))
    if state.images is not None and state.images.sent:
        count = state.images.sent
        figures.append(Text(f"{count:,} image{'' if count == 1 else 's'}", style="dim"))
    if usage and state.tokens.total is not None:
        figures.append(Text(f"{state.tokens.total:,} tokens", style="dim"))
    if usage and state.tokens.estimate is not None:
        figures.append(Text(str(state.tokens.estimate), style="dim"))
    return figures


def _label(label: str, room: int) -> str:
    """Return ``label`` with as many of its parts as fit into ``room`` cells."""
    parts = label.split(" · ")
    while parts and cells(" · ".join(parts)) > room:
        parts.pop()
    return " · ".join(parts)


def meter_row(state: ViewState, width: int, bars: Bars = BLOCK_BARS) -> Text:
    """Return both levels as bars from -60 to 0 dBFS."""
    wide = width >= WIDE
    figures = width >= 72
    names = ("mic ", "speaker ") if wide else ("mic ", "out ")
    fixed = sum(len(name) for name in names) + 4 + 3 + (20 if figures else 0) + int(wide)
    cells_each = max(4, min(24, (width - 1 - fixed) // 2))
    row = Text(" " if wide else "")
    row.append(names[0], "dim")
    silent = state.muted or (state.push_to_talk and not state.held)
    mic = bars.draw(None if silent else state.microphone_dbfs, cells_each)
    row.append(bars.left, "dim").append(mic, "green").append(bars.right, "dim")
    if figures:
        row.append("  muted   " if state.muted else dbfs(state.microphone_dbfs), "dim")
    row.append("   ").append(names[1], "dim")
    speaker = bars.draw(state.speaker_dbfs, cells_each)
    row.append(bars.left, "dim").append(speaker, "magenta").append(bars.right, "dim")
    if figures:
        row.append(dbfs(state.speaker_dbfs), "dim")
    row.rstrip()
    return row


def legend_row(state: ViewState, width: int) -> Text:
    """Return the keys with what each does now; a narrow window lacks the last ones."""
    if state.typing is not None:
        keys = [("Enter", "send"), ("Esc", "cancel")]
    else:
        keys = [("m", "unmute" if state.muted else "mute")]
        if state.push_to_talk:
            keys.append(_talk_key(state))
        elif state.model_speaking:
            keys.append(("Enter", "interrupt"))
        if state.images is not None:
            keys.append(("v", f"stop {state.images.role}"))
        elif state.may_show_images:
            keys.append(("v", "show images"))
        keys += [("t", "type"), ("q", "leave")]
    row = Text(" " if width >= WIDE else "")
    for index, (key, act) in enumerate(keys):
        row.append("   " if index else "").append(key, "bold").append(f" {act}", "dim")
    return row


def _talk_key(state: ViewState) -> tuple[str, str]:
    if state.hold_to_talk:
        return ("release space", "stop") if state.held else ("hold space", "talk")
    return ("space", "stop" if state.held else "talk")


def input_row(line: InputLine, width: int) -> tuple[Text, int]:
    """Return the line being typed and its caret's column; a long line scrolls with the caret."""
    prompt = " type › " if width >= WIDE else "› "
    room = max(width - len(prompt) - 2, 4)
    text, start = line.text, 0
    while cells(printable(text[start : line.caret])) > room - 1:
        start = next_stop(text, start)
    shown = printable(text[start:])
    end = len(shown)
    while cells(shown[:end]) > room:
        end = previous_stop(shown, end)
    row = Text.assemble((prompt, "bold cyan"), shown[:end])
    return row, len(prompt) + cells(printable(text[start : line.caret]))


def bottom_rows(
    state: ViewState, width: int, height: int, *, usage: bool, bars: Bars = BLOCK_BARS
) -> tuple[list[Text], tuple[int, int] | None]:
    """Return the rows under the open lines, and the caret as (row, column) during typing.

    A low window keeps the status, then the input line, then the meters, then the rest; but what
    the person is asked goes before all of them, and leaves as little as it must.
    """
    asked = wanted_rows(state.calls, width)
    room = height if asked and height < 8 else max(height - 2, min(height, 2))
    typing = state.typing is not None and (room > 1 or not asked)
    has_status = room - typing >= (3 if asked else 1)
    left = room - typing - has_status - asked
    has_meter = height >= 5 and (not asked or left >= 1)
    has_legend = height >= 7 and (not asked or left >= 2)
    has_gap = height >= 8 and (not asked or left >= 3)
    caret: tuple[int, int] | None = None
    rows: list[Text] = [Text()] if has_gap else []
    rest = has_gap + has_status + has_meter + typing + has_legend
    rows += call_rows(state.calls, width, room - rest)
    if has_status:
        rows.append(status_row(state, width, usage=usage))
    if has_meter:
        rows.append(meter_row(state, width, bars))
    if state.typing is not None and typing:
        row, column = input_row(state.typing, width)
        caret = (len(rows), column)
        rows.append(row)
    if has_legend:
        rows.append(legend_row(state, width))
    return [_cropped(row, width - 1) for row in rows], caret


def room_for_lines(height: int, bottom: int) -> int:
    """Return how many rows the lines that grow may take above ``bottom`` rows."""
    return max(0, min(MAX_OPEN_ROWS, max(height - 6, 2), height - bottom))


def _cropped(row: Text, width: int) -> Text:
    row.truncate(width)
    return row


def plain_rows(texts: Sequence[str], width: int, style: str = "") -> list[Text]:
    """Return ``texts`` as rows wrapped to ``width``."""
    safe = (printable(text) for text in texts)
    return [
        Text().append(text[start:end].rstrip(), style)
        for text in safe
        for start, end in wrap(text, width - 1)
    ]
