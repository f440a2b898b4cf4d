"""The preview of images that leave, in the live view of a terminal."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from live_cli.protocol.events import OutputTranscript, SessionOpened
from live_cli.ui.live.live_view import LiveView
from live_cli.ui.live.preview import Preview
from live_cli.ui.live.styles import Styles
from live_cli.ui.terminal.line_editor import InputLine
from live_cli.ui.transcript.state import ViewState, with_images
from live_cli.ui.view import CallStatus, ImageStatus

RED = np.full((180, 320, 3), (255, 0, 0), np.uint8)
ON = ImageStatus("camera", "camera 0 (Webcam \x1b[2J)", "on", 12, 48, 3096, preview=RED)


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


def shown(screen, width: int, height: int, *told: ImageStatus, preview: bool = True, **status):
    terminal = screen(width, height)
    view = LiveView(stdout=terminal, size=lambda: (width, height), preview=preview)
    view.event(SessionOpened())
    view.status(may_show_images=True, **status)
    for each in told:
        view.images(each)
        view.draw()
    return terminal


def test_what_leaves_is_shown_with_its_source_and_its_counts(screen) -> None:
    text = "\n".join(shown(screen, 100, 30, ON).text)
    assert text.count("▀" * 25) == 7
    assert "● camera 0 (Webcam ␛[2J)" in text
    assert "12 images sent (3,096 tokens)" in text
    assert "48 not sent" in text
    assert "v stop camera" in text


def test_muting_is_said_not_to_stop_images(screen) -> None:
    assert "muting does not" in "\n".join(shown(screen, 100, 30, ON, muted=True).text)


@pytest.mark.parametrize(
    ("width", "height", "preview"), [(50, 30, True), (100, 14, True), (100, 30, False)]
)
def test_without_room_or_wish_the_dot_and_the_count_stay(
    screen, width: int, height: int, preview: bool
) -> None:
    text = "\n".join(shown(screen, width, height, ON, preview=preview).text)
    assert "▀" not in text
    assert "● camera" in text
    assert "12 images" in text


@pytest.mark.parametrize(
    ("then", "mark"),
    [(replace(ON, state="lost"), "○ camera lost"), (replace(ON, state="off"), "")],
)
def test_the_preview_goes_when_nothing_leaves(screen, then: ImageStatus, mark: str) -> None:
    text = "\n".join(shown(screen, 100, 30, ON, then).text)
    assert "▀" not in text
    assert "● camera" not in text
    assert mark in text


@pytest.mark.parametrize("calls", [0, 1, 6])
@pytest.mark.parametrize("typing", [None, InputLine("hello", 5)])
def test_the_preview_never_takes_more_than_the_window_has(screen, calls: int, typing) -> None:
    for height in range(12, 40):
        terminal = screen(80, height)
        view = LiveView(stdout=terminal, size=lambda height=height: (80, height))
        view.event(SessionOpened())
        view.status(typing=typing)
        for number in range(calls):
            view.tool_call(CallStatus(str(number), "lamp", {"room": "hall"}, "house.py", "running"))
        view.event(OutputTranscript(1, "word " * 300))
        for _ in range(3):
            view.images(replace(ON, preview=RED.copy()))
            view.draw()
        assert sum("mic" in row for row in terminal.text) == 1, height


def test_leaving_takes_the_preview_along(screen) -> None:
    terminal = screen(100, 30)
    with LiveView(stdout=terminal, size=lambda: (100, 30)) as view:
        view.images(ON)
        view.draw()
        assert any("▀" in row for row in terminal.text)
    assert terminal.text == []


def rows_of(graphics: str, cell: tuple[int, int] | None = (10, 20)) -> tuple[Preview, list[str]]:
    styles = Styles(Console(file=io.StringIO()))
    preview = Preview(styles, "true", lambda: cell)
    state = replace(with_images(ViewState(), ON), graphics=graphics)
    return preview, [row.ansi for row in preview.rows(state, 100, 30)]


def test_sixels_are_drawn_over_blank_cells_once_all_rows_are_there() -> None:
    _, rows = rows_of("sixel")
    assert len(rows) == 8
    assert all("▀" not in row and "\x1bP" not in row for row in rows[:-1])
    assert re.search(r'\x1b7\x1b\[6A\r\x1b\[1C\x1bP0;1;0q"1;1;250;140.*\x1b\\\x1b8$', rows[-1])


def test_without_the_size_of_a_cell_there_are_blocks() -> None:
    _, rows = rows_of("sixel", None)
    assert "▀" in rows[1]


def test_kitty_is_told_to_forget_the_image_at_the_end() -> None:
    preview, rows = rows_of("kitty")
    assert rows[1].count("\x1b_G") >= 1
    assert "\U0010eeee" in rows[7]
    assert preview.removal().startswith("\x1b_Ga=d")
    assert preview.removal() == ""


def test_the_rows_are_made_once_for_an_image() -> None:
    preview, rows = rows_of("blocks")
    state = with_images(ViewState(), replace(ON, preview=None))
    kept = with_images(with_images(ViewState(), ON), replace(ON, preview=None, sent=13))
    assert preview.rows(state, 100, 30) == []
    assert [row.ansi for row in preview.rows(kept, 100, 30)][1] == rows[1]
