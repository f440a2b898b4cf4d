import io
import os
import re
import subprocess
import sys
import threading

import pytest

from live_cli.protocol.events import (
    AnswerGrounded,
    AudioChunk,
    InputTranscript,
    Interrupted,
    OutputTranscript,
    SessionOpened,
    TurnComplete,
)
from live_cli.protocol.grounding import Citation, Source
from live_cli.ui.choose import choose_view
from live_cli.ui.json_lines import JsonView
from live_cli.ui.live.hyperlinks import has_links
from live_cli.ui.live.live_view import LiveView
from live_cli.ui.plain import PlainView
from live_cli.ui.terminal.line_editor import InputLine
from live_cli.ui.view import Summary


def conversation(view: LiveView) -> None:
    view.status(label="Gemini · gemini-3.8-live · Kore")
    view.event(SessionOpened())
    view.event(InputTranscript(" How are you?"))
    view.event(OutputTranscript(1, " Fine, \x1b[2Jthanks."))


def test_the_view_shows_both_sides_and_who_speaks(screen) -> None:
    terminal = screen(80, 24)
    view = LiveView(stdout=terminal, size=lambda: (80, 24))
    conversation(view)
    view.draw()
    assert terminal.text[:2] == [" you     How are you?", " model   Fine, ␛[2Jthanks."]
    assert "listening" in terminal.text[3]
    assert terminal.text[-1] == " m mute   t type   q leave"


def test_complete_lines_stay_in_the_scrollback_and_the_region_goes(screen) -> None:
    terminal = screen(80, 8)
    with LiveView(stdout=terminal, size=lambda: (80, 8)) as view:
        view.event(SessionOpened())
        for turn in range(1, 6):
            view.event(InputTranscript(f"Question {turn}?"))
            view.draw()
            view.event(OutputTranscript(turn, f"Answer {turn}."))
            view.draw()
            view.event(TurnComplete(turn))
            view.draw()
        view.event(InputTranscript("Bye"))
        view.close(Summary(72, 5, 0, 820, 1204))
    expected = []
    for turn in range(1, 6):
        expected += [f" you     Question {turn}?", f" model   Answer {turn}.", ""]
    expected += [" you     Bye", ""]
    assert terminal.text == [
        *expected,
        "5 turns in 1 min 12 s · median latency 820 ms · 1,204 tokens",
    ]
    assert terminal.cursor_shows


def test_a_cut_answer_keeps_its_mark_in_the_scrollback(screen) -> None:
    terminal = screen(80, 24)
    with LiveView(stdout=terminal, size=lambda: (80, 24)) as view:
        view.levels(-100, -100, False, 0)
        view.event(OutputTranscript(1, "One two three four"))
        view.event(AudioChunk(1, bytes(48_000), 24_000))
        view.levels(-100, -20, True, 500)
        view.event(Interrupted(1))
        view.event(TurnComplete(1, interrupted=True))
    assert terminal.text == [" model   One two three [interrupted] four"]


def test_typing_shows_the_line_with_the_cursor_in_it(screen) -> None:
    terminal = screen(80, 24)
    view = LiveView(stdout=terminal, size=lambda: (80, 24))
    conversation(view)
    view.status(typing=InputLine("你好 there", 3))
    view.draw()
    row = next(i for i, text in enumerate(terminal.text) if "type › 你好 there" in text)
    assert (terminal.row, terminal.column) == (row, len(" type › ") + 5)
    assert terminal.cursor_shows
    view.status(typing=None)
    view.sent("你好 there")
    view.draw()
    assert " you     你好 there" in terminal.text
    assert not terminal.cursor_shows


def test_a_window_that_changes_is_drawn_anew() -> None:
    out, size = io.StringIO(), [(100, 30)]
    view = LiveView(stdout=out, size=lambda: size[0])
    conversation(view)
    view.draw()
    size[0] = (40, 10)
    out.seek(0)
    out.truncate()
    view.draw()
    rows = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", out.getvalue()).split("\r\n")
    assert "you   How are you?" in rows[0]
    assert all(len(row) < 40 for row in rows)


@pytest.mark.parametrize("no_color", [True, False])
def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch, no_color: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    view = LiveView(stdout=out, size=lambda: (80, 24))
    conversation(view)
    view.status(muted=True)
    view.draw()
    codes = {
        int(code)
        for found in re.findall(r"\x1b\[([0-9;]+)m", out.getvalue())
        for code in found.split(";")
    }
    colors = {code for code in codes if 30 <= code <= 49 or 90 <= code <= 107}
    assert not colors & {30, 37, 40, 47, 90, 97}, "black and white are the background's business"
    assert bool(colors) is not no_color
    assert {1, 2, 7} <= codes, "bold, dim and reverse stay"


def test_a_terminal_without_block_characters_gets_others() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    view = LiveView(stdout=out, size=lambda: (80, 24))
    conversation(view)
    view.levels(-10, -10, True, 0)
    view.draw()
    assert b"mic" in raw.getvalue()
    assert b"####" in raw.getvalue()


@pytest.mark.parametrize("links", [True, False])
def test_sources_are_numbered_in_the_answer_and_linked_below_it(
    screen, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    monkeypatch.setenv("FORCE_HYPERLINK", str(int(links)))
    terminal = screen(70, 24)
    address = "https://a.org/" + "long/" * 8
    escape = Source("Escapes", "https://b.org/\x1b\\\x1b]0;gone\x07")
    with LiveView(stdout=terminal, size=lambda: (70, 24)) as view:
        view.event(OutputTranscript(1, " It is warm. It rains."))
        cited = (Citation(1, 12, "It is warm.", (0, 1)),)
        sources = (Source("Weather \u202eof today", address), escape)
        view.event(AnswerGrounded(1, sources, cited, (), {}))
        view.event(TurnComplete(1))
    assert set(terminal.links) == ({address} if links else set())
    shown = "\n".join(terminal.text)
    assert terminal.text[0] == " model   It is warm.[1][2] It rains."
    assert "[1] Weather ‹U+202E›of today ·" in shown
    assert ("a.org/long/long/long/long/lo…" in shown) is links
    assert "[2] Escapes · https://b.org/␛\\␛]0;gone␇" in shown


def test_marks_stay_with_their_words_where_an_answer_scrolls_away(screen) -> None:
    sentences = [f"今天第{number}句話說到這裡。" for number in range(40)]
    text = "".join(sentences)
    cited, start = [], 0
    for number, sentence in enumerate(sentences):
        end = start + len(sentence.encode())
        cited.append(Citation(start, end, sentence, (number % 3,)))
        start = end
    sources = tuple(Source(name, f"https://{name}.org") for name in "abc")
    terminal = screen(44, 12)
    with LiveView(stdout=terminal, size=lambda: (44, 12)) as view:
        view.event(AnswerGrounded(1, sources, tuple(cited), (), {}))
        for at in range(0, len(text), 7):
            view.event(OutputTranscript(1, text[at : at + 7]))
            view.event(AnswerGrounded(1, sources, (), (), {}))
            view.draw()
        view.event(TurnComplete(1))
    rows = [row[6:] for row in terminal.text]
    answer = "".join(rows[: next(i for i, row in enumerate(rows) if row.startswith("[1] a"))])
    expected = "".join(f"{s}[{n % 3 + 1}]" for n, s in enumerate(sentences))
    assert answer == expected
    assert not any(row.startswith("[1]") for row in rows if not row.startswith("[1] a"))


@pytest.mark.parametrize(
    ("variables", "known"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7402"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4601"}, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "?"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "tmux-256color"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"WT_SESSION": "1"}, True),
        ({"WT_SESSION": "1", "FORCE_HYPERLINK": "0"}, False),
        ({"TERM": "linux", "FORCE_HYPERLINK": "1"}, True),
    ],
)
def test_a_terminal_says_whether_it_has_links(variables: dict[str, str], known: bool) -> None:
    assert has_links(variables) is known


class Slow(io.StringIO):
    """A terminal that is held, as by Ctrl-S."""

    def __init__(self) -> None:
        super().__init__()
        self.held = threading.Event()
        self.goes_on = threading.Event()

    def flush(self) -> None:
        if self.held.is_set():
            self.goes_on.wait(20)


def test_a_terminal_that_is_held_does_not_hold_the_caller() -> None:
    out = Slow()
    with LiveView(stdout=out, size=lambda: (80, 24)) as view:
        out.held.set()
        done = threading.Event()

        def tell() -> None:
            for number in range(200):
                view.note(f"note {number}")
                view.levels(-30, -30, True, number)
            done.set()

        threading.Thread(target=tell, daemon=True).start()
        assert done.wait(10)
        out.goes_on.set()
    assert "note 199" in out.getvalue()


def test_a_terminal_that_is_gone_ends_quietly() -> None:
    class Gone(io.StringIO):
        gone = False

        def write(self, text: str) -> int:
            if self.gone:
                raise OSError(5, "Input/output error")
            return len(text)

    out = Gone()
    with LiveView(stdout=out, size=lambda: (80, 24)) as view:
        out.gone = True
        view.note("nobody reads this")


def test_a_failure_while_drawing_is_told_to_the_caller(monkeypatch) -> None:
    view = LiveView(stdout=io.StringIO(), size=lambda: (80, 24))
    failed = threading.Event()

    def fail(*args: object, **options: object) -> None:
        failed.set()
        raise ZeroDivisionError

    with view:
        monkeypatch.setattr("live_cli.ui.live.layout.bottom_rows", fail)
        view.note("draw")
        assert failed.wait(10)
        threads = [thread for thread in threading.enumerate() if thread.name == "view"]
        for thread in threads:
            thread.join(10)
        with pytest.raises(ZeroDivisionError):
            view.levels(-100, -100, False, 0)
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("json", "tty", "term", "wanted", "kind"),
    [
        (True, True, "xterm", "conversation", JsonView),
        (False, True, "xterm", "conversation", LiveView),
        (False, True, "dumb", "conversation", PlainView),
        (False, False, "xterm", "conversation", PlainView),
        (False, True, "xterm", "reply", PlainView),
    ],
)
def test_the_view_fits_the_stream(monkeypatch, json, tty, term, wanted, kind) -> None:
    monkeypatch.setenv("TERM", term)
    view = choose_view(json=json, stdout_is_tty=tty, wanted=wanted, stdout=io.StringIO())
    assert type(view) is kind


def test_a_pipe_does_not_pay_for_rich() -> None:
    code = (
        "import sys\n"
        "from live_cli.ui.choose import choose_view\n"
        "choose_view(json=False, stdout_is_tty=False)\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('rich', 'asyncio')]\n"
    )
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ)).returncode == 0
