"""The layout of the live view: its state as rows of styled text for a given width. Pure.

Only the terminal's own sixteen colours and dim, bold and reverse are used, so that light and dark
backgrounds both work; nothing is told by colour alone. Where a row is too narrow, parts are left
out in this order: the echo figure, the label's last parts, token counts, dBFS figures, the latency.
The activity (who speaks), the mark of a muted microphone and the meters always stay.
"""

from collections.abc import Sequence

from rich.text import Text

from live_cli.ui.live.call_rows import WIDE, call_rows, wanted_rows
from live_cli.ui.live.meter_bar import BLOCK_BARS, Bars, dbfs
from live_cli.ui.live.wrap import cells, wrap
from live_cli.ui.printable import printable
from live_cli.ui.terminal.line_editor import InputLine, next_stop, previous_stop
from live_cli.ui.transcript.state import ViewState

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
