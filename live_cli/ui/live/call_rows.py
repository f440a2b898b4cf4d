"""The calls of tools that are open, as rows of the live view. Pure."""

from collections.abc import Sequence
from typing import Final

from rich.cells import set_cell_size
from rich.text import Text

from live_cli.ui.live.wrap import cells, wrap
from live_cli.ui.transcript.call_line import call_text, running_text
from live_cli.ui.view import CallStatus

WIDE: Final = 60
"""Columns from which there is room for a margin and longer names."""
_ANSWERS: Final = (("y", "once"), ("a", "in this session"), ("n", "no"), ("N", "never"))
_SHORT_ANSWERS: Final = (("y", "once"), ("a", "always"), ("n", "no"), ("N", "never"))
_KEYS: Final = (("y", ""), ("a", ""), ("n", ""), ("N", ""))


def call_rows(calls: Sequence[CallStatus], width: int, room: int) -> list[Text]:
    """Return at most ``room`` rows: the calls that run, and the one that is asked about, last.

    Who asks, the call's name and the keys that answer stay in the lowest and narrowest window;
    what does not fit of the arguments ends in an ellipsis.
    """
    asked = [call for call in calls if call.state == "asked"]
    question = _question_rows(asked, width, room) if asked else []
    running = [call for call in calls if call.state == "running"]
    rows = [*_running_rows(running, width, room - len(question)), *question][: max(room, 0)]
    return [Text(_margin(width)).append_text(row) for row in rows]


def wanted_rows(calls: Sequence[CallStatus], width: int) -> int:
    """Return how many rows the question takes where there is room; 0: nothing is asked."""
    asked = [call for call in calls if call.state == "asked"]
    return len(_question_rows(asked, width, 1_000)) if asked else 0


def _margin(width: int) -> str:
    return " " if width >= WIDE else ""


def _running_rows(calls: Sequence[CallStatus], width: int, room: int) -> list[Text]:
    if len(calls) > room:
        shown = max(room - 1, 0)
        more = f"{len(calls) - shown} more run" if shown else f"{len(calls)} tools run"
        if room < 1:
            return []
        return [*_running_rows(calls[:shown], width, shown), Text().append(more, "dim")]
    room = width - 1 - len(_margin(width))
    return [Text().append(_fitting(call, room), "dim") for call in calls]


def _fitting(call: CallStatus, width: int) -> str:
    """Return a call that runs with its time within ``width`` cells, whatever it is called with."""
    room = width
    while cells(text := running_text(call, room).partition(" · ")[0]) > width and room > 1:
        room -= max((cells(text) - width) // 2, 1)
    whole = running_text(call, room)
    return whole if whole.startswith(text) else text


def _question_rows(asked: Sequence[CallStatus], width: int, room: int) -> list[Text]:
    width -= len(_margin(width))
    keys = _keys(width, len(asked) - 1)
    text = call_text(asked[0])
    if room < 2:
        return [Text.assemble(keys, " ", (text, "yellow"))]
    rows = [text[start:end].rstrip() for start, end in wrap(text, max(width - 1, 1))]
    if len(rows) > room - 1:
        rows = rows[: room - 1]
        rows[-1] = set_cell_size(rows[-1], min(cells(rows[-1]), max(width - 2, 0))).rstrip() + "…"
    return [*(Text().append(row, "yellow") for row in rows), keys]


def _keys(width: int, more: int) -> Text:
    """Return the keys with what each answers, as far as there is room for it."""
    count = f"   ({more} more)" if more else ""
    rows = (
        _key_row("Run it?   ", _ANSWERS, "   "),
        _key_row("Run? ", _SHORT_ANSWERS, "  "),
        _key_row("Run? ", _KEYS, "/"),
    )
    for row in rows:
        if row.cell_len < width:
            fits = row.cell_len + len(count) < width
            return row.append(count, "dim") if fits else row
    return _key_row("", _KEYS, "/")


def _key_row(asks: str, answers: Sequence[tuple[str, str]], gap: str) -> Text:
    row = Text().append(asks, "bold yellow")
    for index, (key, meaning) in enumerate(answers):
        row.append(gap if index else "", "dim").append(key, "bold")
        row.append(f" {meaning}" if meaning else "", "dim")
    return row
