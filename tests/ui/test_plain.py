import io

import pytest

from live_cli.protocol.events import (
    Event,
    InputTranscript,
    Interrupted,
    OutputTranscript,
    SessionOpened,
    TextChunk,
    Thought,
    TurnComplete,
    UsageReported,
)
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


def test_a_cut_answer_keeps_what_was_not_heard_behind_the_mark() -> None:
    out = io.StringIO()
    with PlainView(stdout=out, stderr=io.StringIO()) as view:
        view.event(OutputTranscript(1, "One two three"))
        view.levels(-100, -100, False, 0)
        view.event(Interrupted(1))
    assert out.getvalue() == "model: [interrupted] One two three\n"


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
