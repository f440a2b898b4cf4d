import io

import pytest

from live_cli.protocol.events import (
    AnswerGrounded,
    AudioChunk,
    CodeRan,
    CodeWritten,
    Event,
    InputTranscript,
    Interrupted,
    OutputTranscript,
    SessionClosed,
    SessionOpened,
    TextChunk,
    Thought,
    ToolCallRequested,
    TurnComplete,
    UsageReported,
)
from live_cli.protocol.grounding import Citation, Source
from live_cli.protocol.messages import UsageMetadata
from live_cli.ui.plain import PlainView, Wanted
from live_cli.ui.view import Summary


def written(*told: Event, wanted: Wanted = "conversation", **options: bool) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with PlainView(wanted, stdout=out, stderr=err, **options) as view:
        for event in told:
            view.event(event)
    return out.getvalue(), err.getvalue()


def test_a_reply_streams_as_it_comes_and_ends_its_line() -> None:
    out = io.StringIO()
    view = PlainView("reply", stdout=out, stderr=io.StringIO())
    seen = []
    for event in (TextChunk(1, "Hel"), TextChunk(1, "lo,\nyou"), TurnComplete(1), TurnComplete(2)):
        view.event(event)
        seen.append(out.getvalue())
    assert seen == ["Hel", "Hello,\nyou", "Hello,\nyou\n", "Hello,\nyou\n"]


def test_a_spoken_reply_is_its_transcript() -> None:
    told = (InputTranscript("not asked for"), OutputTranscript(1, "Hi"), TurnComplete(1))
    assert written(*told, wanted="reply") == ("Hi\n", "")


def test_a_reply_that_is_cut_says_so_on_stderr() -> None:
    told = (TextChunk(1, "One two"), Interrupted(1), TextChunk(1, " late"), TurnComplete(1))
    assert written(*told, wanted="reply") == ("One two\n", "[interrupted]\n")


def test_thoughts_go_to_stderr_and_only_when_asked_for() -> None:
    told = (Thought(1, "Hm"), Thought(1, "m."), TextChunk(1, "Yes"), TurnComplete(1))
    assert written(*told, wanted="reply") == ("Yes\n", "")
    assert written(*told, wanted="reply", show_thoughts=True) == ("Yes\n", "Hmm.\n")


def test_a_conversation_is_a_line_for_each_side() -> None:
    out, err = written(
        SessionOpened(),
        InputTranscript(" How are", interim=True),
        InputTranscript("How are you?"),
        OutputTranscript(1, " Fine,"),
        OutputTranscript(1, "\nthanks."),
        TurnComplete(1),
        InputTranscript("Good"),
    )
    assert out == "you: How are you?\nmodel: Fine, thanks.\nyou: Good\n"
    assert err == ""


def spoken(text: str, *, heard_ms: float | None, then: Event | None) -> str:
    """What a pipe has of an answer of a second, of which so much is heard before ``then``, or the
    end. ``heard_ms`` None: nothing has begun to play."""
    out = io.StringIO()
    with PlainView(stdout=out, stderr=io.StringIO()) as view:
        view.levels(-100, -100, False, 0)
        view.event(OutputTranscript(1, text))
        view.event(AudioChunk(1, bytes(48_000), 24_000))
        view.event(TurnComplete(1))
        if heard_ms is not None:
            view.levels(-100, -20, True, heard_ms)
        if then is not None:
            view.event(then)
    return out.getvalue()


LOST = SessionClosed(1006, "", turn_lost=True)


@pytest.mark.parametrize("then", [Interrupted(1), None, LOST])
def test_an_answer_of_which_nothing_was_heard_is_not_printed_as_said(then: Event | None) -> None:
    assert spoken("One two three", heard_ms=None, then=then) == "model: [not heard]\n"


@pytest.mark.parametrize("then", [Interrupted(1), None])
def test_a_cut_answer_keeps_what_was_not_heard_behind_the_mark(then: Event | None) -> None:
    told = spoken("One two three four", heard_ms=500, then=then)
    assert told == "model: One two three [interrupted] four\n"


def test_the_last_words_count_as_heard_at_the_end() -> None:
    assert spoken("One two three four", heard_ms=950, then=None) == "model: One two three four\n"


def test_an_answer_waits_for_its_sound_before_it_is_printed() -> None:
    out = io.StringIO()
    with PlainView(stdout=out, stderr=io.StringIO()) as view:
        view.levels(-100, -100, False, 0)
        for event in (
            OutputTranscript(1, "Soon."),
            AudioChunk(1, bytes(48_000), 24_000),
            TurnComplete(1),
        ):
            view.event(event)
        assert out.getvalue() == ""
        view.levels(-100, -20, True, 500)
        view.levels(-100, -100, False, 1000)
        assert out.getvalue() == "model: Soon.\n"


@pytest.mark.parametrize("event", [OutputTranscript(1, "Written."), TextChunk(1, "Written.")])
def test_an_answer_without_sound_waits_for_none(event: Event) -> None:
    out = io.StringIO()
    with PlainView(stdout=out, stderr=io.StringIO()) as view:
        view.levels(-100, -100, False, 0)
        view.event(event)
        view.event(TurnComplete(1))
        assert out.getvalue() == "model: Written.\n"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ((TurnComplete(1),), "[no answer]\n"),
        ((TextChunk(1, " "), TurnComplete(1)), "[no answer]\n"),
        ((TurnComplete(1, reason="RESPONSE_REJECTED"),), "[no answer: RESPONSE_REJECTED]\n"),
        ((TurnComplete(1, more_follows=True), TextChunk(2, "Yes"), TurnComplete(2)), ""),
        ((AudioChunk(1, bytes(4), 24_000), TurnComplete(1)), ""),
        ((ToolCallRequested([]), TurnComplete(1)), ""),
        ((TextChunk(1, "Yes"), TurnComplete(1), TurnComplete(2)), "[no answer]\n"),
    ],
)
def test_a_question_without_an_answer_is_said(told: tuple[Event, ...], says: str) -> None:
    assert written(*told, wanted="reply")[1] == says


def test_nothing_from_outside_carries_an_escape_code() -> None:
    out, err = written(
        TextChunk(1, "\x1b[2Jgone\x07"), Thought(1, "\x9b1m"), TurnComplete(1), show_thoughts=True
    )
    assert out == "model: ␛[2Jgone␇\n"
    assert err == "thought: ‹U+009B›1m\n"


def test_typed_lines_are_part_of_the_conversation_not_of_a_reply() -> None:
    for wanted, expected in (("conversation", "you: typed\n"), ("reply", "")):
        out = io.StringIO()
        with PlainView(wanted, stdout=out, stderr=io.StringIO()) as view:
            view.sent("typed")
        assert out.getvalue() == expected


def test_notes_and_the_summary_are_on_stderr() -> None:
    out, err = io.StringIO(), io.StringIO()
    with PlainView("reply", stdout=out, stderr=err, usage=True) as view:
        view.event(TextChunk(1, "Hi"))
        view.note("careful\x1b")
        view.status(connection="reconnecting")
        view.status(connection="connected")
        view.event(UsageReported(UsageMetadata(total_token_count=1234)))
        view.close(Summary(duration_s=3, turns=1))
    assert out.getvalue() == "Hi\n"
    assert err.getvalue().splitlines() == [
        "careful␛",
        "Reconnecting …",
        "Reconnected.",
        "1,234 tokens this turn",
        "1 turn in 3.0 s",
    ]


def test_a_stream_that_cannot_write_a_character_gets_its_escape() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252", newline="\n")
    PlainView("reply", stdout=stream, stderr=io.StringIO()).event(TextChunk(1, "café 你"))
    assert raw.getvalue() == b"caf\xe9 \\u4f60"


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        pass


def test_a_closed_stdout_is_told_once_as_broken_pipe() -> None:
    view = PlainView("reply", stdout=Gone(), stderr=io.StringIO())
    with pytest.raises(BrokenPipeError), view:
        view.event(TextChunk(1, "Hi"))


def test_sources_and_code_never_come_between_the_words_of_a_reply() -> None:
    source = Source("A\x1b[2J", "https://a.org/")
    told = (
        CodeWritten(1, "f()", "PYTHON"),
        CodeRan(1, "4"),
        TextChunk(1, "It is "),
        CodeWritten(1, "g()", "PYTHON"),
        CodeRan(1, "5"),
        AnswerGrounded(1, (source,), (Citation(0, 8, "It is 4.", (0,)),), (), {}),
        TextChunk(1, "4."),
        TurnComplete(1),
    )
    listed = 'source: [1] A␛[2J · https://a.org/ (for "It is 4.")\n'
    ran = "code: ran 1 line of Python → "
    for options in ({}, {"whole_replies": True}):
        assert written(*told, wanted="reply", **options) == (
            "It is 4.\n",
            f"{ran}4\n{ran}5\n{listed}",
        )
    assert written(*told) == ("model: It is 4.\n", f"{ran}4\n{ran}5\n{listed}")
