"""Calls of tools on the screen: what is asked is seen in every window, and nothing breaks a row."""

from typing import Any

import pytest
from rich.cells import cell_len

from live_cli.protocol.events import InputTranscript, OutputTranscript, SessionOpened
from live_cli.ui.live import live_view
from live_cli.ui.live.call_rows import call_rows
from live_cli.ui.live.live_view import LiveView
from live_cli.ui.terminal.line_editor import InputLine
from live_cli.ui.transcript.call_line import call_text, call_with
from live_cli.ui.view import CallStatus, ShownCallState

SIZES = [(width, height) for width in (14, 20, 40, 100) for height in (1, 2, 3, 5, 8, 24)]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "none": {},
    "short": {"room": "kitchen"},
    "long": {"text": "word " * 9_000, "and": "x" * 9_000},
    "many": {f"argument_{number}": number for number in range(3_000)},
    "deep": {"a": {"b": {"c": {"d": {"e": [[[[[1]]]]]}}}}},
    "wide": {"城市": "台北市" * 60, "emoji": "👩‍🚀🇹🇼☔️" * 40},
    "marks": {"text": "a" + "\u0301" * 500},
    "controls": {"a\x1b[2J\r\n": "\x1b]0;x\x07\u202e\u2066\x9b\n\t"},
}


def call(
    state: ShownCallState,
    arguments: dict[str, Any] | None = None,
    *,
    key: str = "1",
    name: str = "lamp",
    said: str = "",
    seconds: float = 2.0,
) -> CallStatus:
    return CallStatus(key, name, arguments or {}, "house.py", state, seconds, said)


def shown(*calls: CallStatus, width: int = 80, room: int = 50) -> list[str]:
    return [row.plain.removeprefix(" ") for row in call_rows(calls, width, room)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("typing", [None, InputLine("你好", 2)])
def test_the_question_is_seen_in_every_window(
    screen: Any, width: int, height: int, typing: InputLine | None
) -> None:
    for kind in ARGUMENTS:
        check_question(screen(width, height), kind, width, height, typing)


def check_question(
    terminal: Any, kind: str, width: int, height: int, typing: InputLine | None
) -> None:
    view = LiveView(stdout=terminal, size=lambda: (width, height))
    view.event(SessionOpened())
    view.event(InputTranscript("Is it on?"))
    view.tool_call(call("running", ARGUMENTS["wide"], key="0", said="page 1\x1b[2J"))
    view.tool_call(call("asked", ARGUMENTS[kind], name="lamp"))
    view.tool_call(call("asked", key="2"))
    view.status(typing=typing)
    for _ in range(2):
        view.draw()
        view.event(OutputTranscript(1, "Wait, I am looking. "))
    seen = terminal.text[terminal.top :]
    assert len(seen) <= height
    assert all(cell_len(row) < width for row in seen)
    assert sum("y" in row and "N" in row for row in seen) == 1, terminal.text
    if height > 1 + (typing is not None):
        assert any(row.lstrip().startswith("lamp") for row in seen)
    # the screen is drawn in place: nothing of it has scrolled away
    assert sum("y" in row and "N" in row for row in terminal.text) == 1


@pytest.mark.parametrize(
    ("width", "keys"),
    [
        (80, "Run it?   y once   a in this session   n no   N never   (2 more)"),
        (60, "Run it?   y once   a in this session   n no   N never"),
        (50, "Run? y once  a always  n no  N never   (2 more)"),
        (40, "Run? y once  a always  n no  N never"),
        (30, "Run? y/a/n/N   (2 more)"),
        (20, "Run? y/a/n/N"),
        (10, "y/a/n/N"),
    ],
)
def test_the_keys_are_all_there_however_narrow(width: int, keys: str) -> None:
    asked = [call("asked", key=str(number)) for number in range(3)]
    assert shown(*asked, width=width)[-1] == keys


def test_what_is_asked_stands_out_from_what_runs(screen: Any) -> None:
    terminal = screen(80, 24)
    view = LiveView(stdout=terminal, size=lambda: (80, 24))
    view.tool_call(call("running", key="1"))
    view.tool_call(call("asked", key="2"))
    view.draw()
    rows = dict(zip(terminal.text, terminal.ansi, strict=True))
    assert "\x1b[2m" in rows[" lamp() … 2 s"]
    assert "\x1b[33m" in rows[" lamp (house.py) wants to run"]


def test_what_does_not_fit_of_a_question_ends_in_an_ellipsis() -> None:
    asked = call("asked", {"text": "word " * 40})
    whole = shown(asked, width=40)
    assert whole[0] == "lamp (house.py) wants to run with"
    assert whole[-2].endswith("'")
    for room in range(2, len(whole)):
        rows = shown(asked, width=40, room=room)
        assert len(rows) == room
        assert rows[-2].endswith("…")
        assert rows[-2].startswith(whole[room - 2][:20])
        assert rows[:-2] == whole[: room - 2]


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("kind", ARGUMENTS)
def test_the_seconds_of_a_call_that_runs_stay_on_its_row(kind: str, width: int) -> None:
    (row,) = shown(call("running", ARGUMENTS[kind], seconds=123.4), width=width)
    assert row.startswith("lamp")
    assert row.endswith("… 123 s")
    assert cell_len(row) < width


def test_calls_that_run_are_counted_where_there_is_no_room_for_each() -> None:
    running = [call("running", key=str(number)) for number in range(5)]
    assert shown(*running, room=3) == ["lamp() … 2 s", "lamp() … 2 s", "3 more run"]
    assert shown(*running, room=1) == ["5 tools run"]
    assert shown(*running, room=0) == []


def test_seconds_tick_without_any_news(screen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(live_view.time, "monotonic", lambda: now[0])
    terminal = screen(80, 24)
    view = LiveView(stdout=terminal, size=lambda: (80, 24))
    view.event(SessionOpened())
    view.tool_call(call("running", seconds=1.0))
    for passed in (0.0, 3.0, 75.0):
        now[0] = 100.0 + passed
        view.draw()
        assert f" lamp() … {1 + passed:.0f} s" in terminal.text
    view.tool_call(call("running", seconds=76.5, said="page 2 of 9"))
    now[0] += 1.0
    view.draw()
    assert " lamp() … 78 s · page 2 of 9" in terminal.text
    view.tool_call(call("done", seconds=80.0, said="It is on."))
    view.draw()
    assert terminal.text[0] == " tool    lamp() → It is on. (80.0 s)"


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("lamp", {"room": "hall", "on": True, "n": None}, "lamp(room='hall', on=True, n=None)"),
        ("time__now", {"zone": "Asia/Taipei"}, "time__now(zone='Asia/Taipei')"),
        ("f", {"城市": "台北"}, "f(城市='台北')"),
        # what could pass for a part of the sentence stands in quotes
        ("f(a=1) was not run", {}, "'f(a=1) was not run'()"),
        ("f", {"a='b', c": 1}, 'f("a=\'b\', c"=1)'),
        ("f\u202e", {"\x1b[2J": "\x1b]0;\x07"}, r"'f\u202e'('\x1b[2J'='\x1b]0;\x07')"),
        # both ends of what is long, and how much is between them, outside of the quotes
        ("f", {"t": "a" * 500 + "z"}, f"f(t={'a' * 160!r} + 261 more + {'a' * 79 + 'z'!r})"),
        ("f", {f"k{n}": n for n in range(10)},
         "f(k0=0, k1=1, k2=2, k3=3, k4=4, k5=5, k6=6, k7=7, … 2 more arguments)"),
        ("f", {"a": [[[[[1]]]]]}, "f(a=[[[[[…]]]]])"),
    ],
)  # fmt: skip
def test_a_call_is_written_so_that_it_cannot_pretend(
    name: str, arguments: dict[str, Any], text: str
) -> None:
    assert call_with(name, arguments) == text


@pytest.mark.parametrize(
    ("state", "said", "text"),
    [
        ("asked", "", "lamp (house.py) wants to run with room='hall'"),
        ("running", "", "lamp(room='hall') … 2 s"),
        ("done", "It is on.", "lamp(room='hall') → It is on. (2.0 s)"),
        ("failed", "OSError: no\x1b[2J", "lamp(room='hall') failed: OSError: no␛[2J (2.0 s)"),
        ("refused", "Not allowed.", "lamp(room='hall') was not run: Not allowed."),
        ("cancelled", "", "lamp(room='hall') was cancelled (2.0 s)"),
    ],
)
def test_a_call_says_what_has_become_of_it(state: ShownCallState, said: str, text: str) -> None:
    assert call_text(call(state, {"room": "hall"}, said=said)) == text
