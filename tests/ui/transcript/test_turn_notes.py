"""Sources and code beside an answer: where their marks stand, and the lines that tell of them."""

from functools import reduce as fold

import pytest

from live_cli.protocol.events import (
    AnswerGrounded,
    CodeRan,
    CodeWritten,
    Event,
    Interrupted,
    OutputTranscript,
    PagesRead,
    SessionClosed,
    TextChunk,
    ToolCallRequested,
    TurnComplete,
)
from live_cli.protocol.grounding import Citation, ReadPage, Source
from live_cli.ui.transcript.line import TranscriptLine
from live_cli.ui.transcript.links import address_text, link_of
from live_cli.ui.transcript.reducer import reduce
from live_cli.ui.transcript.state import ViewState, take_closed
from live_cli.ui.transcript.turn_notes import MOST_LISTED, TurnNote, TurnNotes

A, B, C = (Source(name, f"https://{name.lower()}.org/") for name in "ABC")


def grounded(*citations: Citation, sources: tuple[Source, ...] = (A, B, C), turn: int = 1) -> Event:
    return AnswerGrounded(turn, sources, citations, (), {})


def cites(part: str, of: str, *sources: int, text: str | None = None) -> Citation:
    """The citation of ``part`` where it stands in ``of``, in bytes."""
    start = len(of[: of.index(part)].encode())
    return Citation(start, start + len(part.encode()), part if text is None else text, sources)


def after(*told: Event, state: ViewState | None = None) -> ViewState:
    return fold(reduce, told, state or ViewState())


def marked(line: TranscriptLine) -> str:
    text = line.text
    for at, mark in sorted(line.marks, reverse=True):
        text = text[:at] + mark + text[at:]
    return text


TWO = "It is warm. It rains."
CJK = "今天很暖和。下午有雨 ☔️。👩‍🚀 ok."


@pytest.mark.parametrize(
    ("answer", "citations", "shown"),
    [
        (TWO, [cites("It is warm.", TWO, 0)], "It is warm.[1] It rains."),
        (TWO, [cites("It rains.", TWO, 2, 0)], "It is warm. It rains.[3][1]"),
        (TWO, [cites("It is warm.", TWO, 0, text="")], "It is warm.[1] It rains."),
        (TWO, [cites("It is warm. ", TWO, 0)], "It is warm.[1] It rains."),
        (CJK, [cites("今天很暖和。", CJK, 1)], "今天很暖和。[2]下午有雨 ☔️。👩‍🚀 ok."),
        (CJK, [cites("下午有雨 ☔️。", CJK, 0, text="")], "今天很暖和。下午有雨 ☔️。[1]👩‍🚀 ok."),
        (CJK, [cites("👩‍🚀 ok.", CJK, 0, 1)], "今天很暖和。下午有雨 ☔️。👩‍🚀 ok.[1][2]"),
        # two supports of one sentence, and one source twice
        (TWO, [cites("warm.", TWO, 0), cites("It is warm.", TWO, 1, 0)],
         "It is warm.[1][2] It rains."),
        # offsets of another text: the part itself is searched for, the nearest one counts
        (TWO, [Citation(400, 411, "It is warm.", (0,))], "It is warm.[1] It rains."),
        ("No. Yes. No.", [Citation(9, 11, "No.", (0,))], "No. Yes. No.[1]"),
        # what is nowhere, or points to nothing, is passed over
        (TWO, [Citation(0, 11, "It was cold.", (0,))], TWO),
        (TWO, [Citation(0, 400, "", (0,))], TWO),
        (TWO, [cites("It is warm.", TWO, 7)], TWO),
        # the middle of a character
        ("é. b", [Citation(0, 1, "", (0,))], "é. b"),
        # the shown text differs from what was sent
        ("  \n Yes.", [Citation(0, 8, "", (0,))], "Yes.[1]"),
        ("a\x1b[2J\u202eb. c.", [Citation(0, 10, "", (0,))], "a␛[2J‹U+202E›b.[1] c."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_marks_stand_behind_what_is_supported(
    answer: str, citations: list[Citation], shown: str, first: bool
) -> None:
    half = len(answer) // 2
    text = [OutputTranscript(1, answer[:half]), OutputTranscript(1, answer[half:])]
    sources = [grounded(*citations)]
    state = after(*(sources + text if first else text + sources), TurnComplete(1))
    (line,) = [line for line in state.lines if line.speaker == "model"]
    assert marked(line) == shown


def test_sources_are_listed_once_behind_the_answer_under_one_number_each() -> None:
    state = after(
        TextChunk(1, TWO),
        grounded(cites("It is warm.", TWO, 0), sources=(A, B)),
        grounded(cites("It rains.", TWO, 1), sources=(B, C)),
        PagesRead(1, (ReadPage("https://p.org/x"), ReadPage("ftp://q", "error")), {}),
        TurnComplete(1),
        TextChunk(2, "More."),
        grounded(sources=(A,), turn=2),
        TurnComplete(2),
    )
    assert [(line.speaker, marked(line)) for line in state.lines] == [
        ("model", "It is warm.[1] It rains.[3]"),
        ("source", "read https://p.org/x"),
        ("source", "could not read ftp://q (error)"),
        ("source", "[1] A · https://a.org/"),
        ("source", "[2] B · https://b.org/"),
        ("source", "[3] C · https://c.org/"),
        ("model", "More."),
        ("source", "[1] A · https://a.org/"),
    ]
    assert [line.link for line in state.lines[1:4]] == ["https://p.org/x", None, A.uri]
    assert take_closed(state)[0].lines == ()


def test_late_sources_are_listed_at_once_and_those_of_a_cut_turn_too() -> None:
    late = after(TextChunk(1, "Yes."), TurnComplete(1), grounded(sources=(A,)))
    assert [line.speaker for line in late.lines] == ["model", "source"]
    cut = [TextChunk(1, "Yes."), grounded(sources=(A,)), Interrupted(1)]
    for end in (TurnComplete(1, interrupted=True), SessionClosed(1006, "")):
        assert [line.speaker for line in after(*cut, end).lines] == ["model", "source"]
    ignored = after(*cut, TurnComplete(1, interrupted=True), grounded(sources=(B,)))
    assert [line.speaker for line in ignored.lines] == ["model", "source"]


def test_more_sources_than_anybody_reads_are_counted() -> None:
    many = tuple(Source(str(number), f"https://{number}.org") for number in range(MOST_LISTED + 5))
    state = after(TextChunk(1, "Yes."), grounded(sources=many), TurnComplete(1))
    assert len(state.lines) == 1 + MOST_LISTED + 1
    assert state.lines[-1].text == "and 5 more sources"


@pytest.mark.parametrize(
    ("code", "ran", "shown"),
    [
        (CodeWritten(1, "a = 1\n\nprint(a)", "PYTHON"), CodeRan(1, "1\n"),
         "ran 2 lines of Python → 1"),
        (CodeWritten(1, "f()"), CodeRan(1, " \n"), "ran 1 line of code → (no output)"),
        (None, CodeRan(1, "a\nb"), "ran a program → a (and 1 more line)"),
        (CodeWritten(1, "f()", "PYTHON"), CodeRan(1, "a\nb\nc\n"),
         "ran 1 line of Python → a (and 2 more lines)"),
        (CodeWritten(1, "f()", "PYTHON"), CodeRan(1, "Traceback\nNameError: f", "OUTCOME_FAILED"),
         "ran 1 line of Python, which failed: NameError: f"),
        (CodeWritten(1, "f()", "PYTHON"), CodeRan(1, "", "OUTCOME_DEADLINE_EXCEEDED"),
         "ran 1 line of Python, which took too long → (no output)"),
        (CodeWritten(1, "f()", "PYTHON"), None, "wrote 1 line of Python"),
        (CodeWritten(1, "f()", "PY\x1b[2J"), CodeRan(1, "\x1b]0;x\x07\u202ey"),
         "ran 1 line of Py␛[2j → ␛]0;x␇‹U+202E›y"),
    ],
)  # fmt: skip
def test_code_is_folded_into_one_line(
    code: CodeWritten | None, ran: CodeRan | None, shown: str
) -> None:
    told = [event for event in (code, ran) if event is not None]
    state = after(*told, TextChunk(1, "Done."), TurnComplete(1))
    assert [line.text for line in state.lines if line.speaker == "code"] == [shown]
    assert [line.text for line in state.lines if line.speaker == "model"] == ["Done."]


def test_code_that_is_a_call_is_shown_as_the_call_alone() -> None:
    state = after(CodeWritten(1, "print(api.f())"), ToolCallRequested([]), TurnComplete(1))
    assert "code" not in [line.speaker for line in state.lines]


def test_a_view_that_cannot_mark_the_text_quotes_it() -> None:
    notes, shown = TurnNotes(quotes=True), list[TurnNote]()
    for event in (
        TextChunk(1, TWO),
        grounded(cites("It is warm.", TWO, 0, text=""), sources=(A, B)),
        TurnComplete(1),
    ):
        notes, lines = notes.after(event)
        shown += lines
    assert [note.text for note in shown] == [
        '[1] A · https://a.org/ (for "It is warm.")',
        "[2] B · https://b.org/",
    ]


@pytest.mark.parametrize(
    ("uri", "link", "short"),
    [
        ("https://a.org/b?c=d;e", "https://a.org/b?c=d;e", "a.org/b?c=d;e"),
        ("HTTP://a.org", "HTTP://a.org", "a.org"),
        ("https://zh.org/航海", "https://zh.org/%E8%88%AA%E6%B5%B7", "zh.org/航海"),
        ("https://a.org/" + "x" * 99, "https://a.org/" + "x" * 99, "a.org/" + "x" * 22 + "…"),
        ("https://a.org?" + "x" * 99, "https://a.org?" + "x" * 99, "a.org?" + "x" * 22 + "…"),
        ("https://good.org@evil.org/", "https://good.org@evil.org/", "good.org@evil.org/"),
        ("javascript:alert(1)", None, "javascript:alert(1)"),
        ("file:///etc/passwd", None, "file:///etc/passwd"),
        ("https://", None, "https://"),
        ("https://a.org/\x1b\\\x1b[2J", None, "https://a.org/␛\\␛[2J"),
        ("https://a.org/\x07", None, "https://a.org/␇"),
        ("https://a.org/\x9c", None, "https://a.org/‹U+009C›"),
        ("https://a.org/\u202egro", None, "https://a.org/‹U+202E›gro"),
        ("https://a.org/a b", None, "https://a.org/a b"),
        ("https://a.org/" + "x" * 5000, None, "https://a.org/" + "x" * 2069),
        ("", None, ""),
    ],
)  # fmt: skip
def test_only_an_address_of_the_web_is_a_link(uri: str, link: str | None, short: str) -> None:
    assert link_of(uri) == link
    assert address_text(uri, short=True) == short
