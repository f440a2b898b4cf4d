from functools import reduce as fold

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.protocol import events
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    GenerationComplete,
    GoingAway,
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
    VoiceActivityChanged,
)
from live_cli.protocol.messages import FunctionCall, UsageMetadata
from live_cli.ui.terminal.line_editor import InputLine
from live_cli.ui.transcript.alignment import Alignment, word_end
from live_cli.ui.transcript.line import TranscriptLine, trim
from live_cli.ui.transcript.reducer import add_line, reduce
from live_cli.ui.transcript.state import ViewState, take_all, take_closed, with_levels, with_status

LONG = "The first twenty-four characters are long gone by now."


def after(*told: Event, state: ViewState | None = None) -> ViewState:
    return fold(reduce, told, state or ViewState())


def said(state: ViewState) -> list[tuple[str, str]]:
    """Return the lines of the state as (speaker, text)."""
    return [(line.speaker, line.whole) for line in state.lines if line.whole]


def second(turn: int = 1) -> AudioChunk:
    return AudioChunk(turn, bytes(48_000), 24_000)


def playing(state: ViewState, heard_ms: float) -> ViewState:
    return with_levels(state, -100, -20, True, heard_ms)


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        pytest.param(
            [InputTranscript(" What"), InputTranscript(" is"), InputTranscript(" it?")],
            [("you", "What is it?")],
            id="deltas keep their spaces but a line's first",
        ),
        pytest.param(
            [InputTranscript("wha", interim=True), InputTranscript("what is", interim=True)],
            [("you", "what is")],
            id="a preview replaces the one before",
        ),
        pytest.param(
            [InputTranscript("what iz", interim=True), InputTranscript("What is it?")],
            [("you", "What is it?")],
            id="the transcript replaces its preview",
        ),
        pytest.param(
            [InputTranscript("Hi"), OutputTranscript(1, "Hel"), InputTranscript(" there")],
            [("you", "Hi there"), ("model", "Hel")],
            id="late input still belongs to the question",
        ),
        pytest.param(
            [second(), OutputTranscript(1, LONG), InputTranscript("Tell me.")],
            [("you", "Tell me."), ("model", LONG)],
            id="a question whose transcript comes last still stands first",
        ),
        pytest.param(
            [InputTranscript("Hi"), OutputTranscript(1, LONG), InputTranscript(" Stop.")],
            [("you", "Hi"), ("model", LONG), ("you", "Stop.")],
            id="speech well into the answer is a line of its own",
        ),
        pytest.param(
            [OutputTranscript(1, " Hello"), OutputTranscript(1, " you")],
            [("model", "Hello you")],
            id="answer",
        ),
        pytest.param(
            [TextChunk(1, "a\x1b["), TextChunk(1, "31mb")],
            [("model", "a␛[31mb")],
            id="control characters are visible",
        ),
        pytest.param(
            [OutputTranscript(1, "no"), Interrupted(1), OutputTranscript(1, " late")],
            [("model", "no")],
            id="what comes after the interruption is late",
        ),
        pytest.param([Thought(1, "hm")], [], id="thoughts are not shown unasked"),
        pytest.param([OutputTranscript(1, ""), TurnComplete(1)], [], id="an empty turn"),
    ],
)
def test_transcripts_become_lines(told: list[Event], lines: list[tuple[str, str]]) -> None:
    assert said(after(*told)) == lines


def test_lines_leave_in_order_once_nothing_more_can_come() -> None:
    state = after(InputTranscript("Hi"), OutputTranscript(1, "Hello."))
    state, taken = take_closed(state)
    assert taken == ()
    state, taken = take_closed(after(TurnComplete(1), state=state))
    assert [line.text for line in taken] == ["Hi", "Hello."]
    assert state.lines == ()
    assert state.turns.completed == 1


def test_a_next_question_that_came_during_the_answer_stays_open() -> None:
    state = after(
        InputTranscript("Hi"),
        OutputTranscript(1, LONG),
        InputTranscript("Wait"),
        Interrupted(1),
        TurnComplete(1, interrupted=True),
        InputTranscript(" a bit"),
    )
    state, taken = take_closed(state)
    assert [line.text for line in taken] == ["Hi", LONG]
    assert said(state) == [("you", "Wait a bit")]


def test_an_interrupted_answer_is_cut_where_it_was_heard() -> None:
    state = after(
        OutputTranscript(1, "One two three. "),
        second(),
        OutputTranscript(1, "Four five six."),
        second(),
    )
    state = after(Interrupted(1), state=playing(state, 1_400))
    (line,) = state.lines
    assert line.cut is not None
    assert line.text[: line.cut] == "One two three. Four five"
    assert line.closed
    assert state.turns.interrupted == {1}


def test_an_answer_cut_before_its_first_sound_was_not_heard_at_all() -> None:
    state = with_levels(ViewState(), -100, -100, False, 0)
    state = after(OutputTranscript(1, "Never heard"), second(), Interrupted(1), state=state)
    assert state.lines[0].cut == 0


def test_without_a_speaker_an_answer_is_cut_where_it_stopped_coming() -> None:
    state = after(OutputTranscript(1, "As far as"), second(), Interrupted(1))
    assert state.lines[0].cut == len("As far as")


def test_an_answer_stays_while_it_plays_and_may_be_cut_after_its_turn_is_complete() -> None:
    state = after(OutputTranscript(1, "One two three four"), second(), second())
    state = after(TurnComplete(1), state=playing(state, 500))
    state, taken = take_closed(state)
    assert taken == ()
    state, taken = take_closed(after(Interrupted(1), state=playing(state, 1_000)))
    assert [line.text[: line.cut] for line in taken] == ["One two three"]


def test_an_answer_leaves_when_it_has_been_played() -> None:
    state = after(OutputTranscript(1, "One two"), second(), TurnComplete(1))
    state = playing(state, 500)
    assert take_closed(state)[1] == ()
    assert len(take_closed(with_levels(state, -100, -100, False, 1_000))[1]) == 1


def test_text_is_marked_as_heard_while_it_plays() -> None:
    state = after(OutputTranscript(1, "One two three four"), second())
    heard = []
    for ms in (0, 500, 400, 1_000):
        state = playing(state, ms)
        heard.append(state.lines[0].text[: state.lines[0].heard])
    assert heard == ["", "One two three", "One two three", "One two three four"]


def test_a_written_answer_has_nothing_to_hear() -> None:
    state = with_levels(ViewState(), -100, -100, False, 0)
    assert after(TextChunk(1, "written"), state=state).lines[0].heard is None


@pytest.mark.parametrize(
    ("state", "activity"),
    [
        (ViewState(), "connecting"),
        (after(SessionOpened()), "listening"),
        (after(SessionOpened(), InputTranscript("Hi")), "thinking"),
        (after(SessionOpened(), InputTranscript("Hi"), OutputTranscript(1, "Hello")), "listening"),
        (with_levels(after(SessionOpened()), -20, -100, False, 0), "you"),
        (with_levels(after(SessionOpened()), -60, -100, False, 0), "listening"),
        (with_levels(after(SessionOpened()), -20, -20, True, 5), "model"),
        (after(SessionOpened(), VoiceActivityChanged(True)), "you"),
        (
            with_levels(after(SessionOpened(), VoiceActivityChanged(False)), -20, -100, False, 0),
            "listening",
        ),
        (
            with_status(with_levels(after(SessionOpened()), -20, 0, False, 0), muted=True),
            "listening",
        ),
        (with_status(after(SessionOpened()), push_to_talk=True, held=True), "you"),
        (
            with_status(with_levels(after(SessionOpened()), -20, 0, False, 0), push_to_talk=True),
            "listening",
        ),
        (with_status(after(SessionOpened()), connection="reconnecting"), "reconnecting"),
        (after(SessionOpened(), SessionClosed(1000, "")), "closed"),
        (add_line(after(SessionOpened()), "you", "typed"), "thinking"),
    ],
)
def test_who_has_the_floor(state: ViewState, activity: str) -> None:
    assert state.activity == activity


def test_a_short_pause_between_words_is_still_speech() -> None:
    state = with_levels(after(SessionOpened()), -20, -100, False, 0)
    for _ in range(9):
        state = with_levels(state, -90, -100, False, 0)
        assert state.activity == "you"
    assert with_levels(state, -90, -100, False, 0).activity == "listening"


def test_thoughts_stand_before_the_answer_and_close_with_it() -> None:
    state = ViewState(show_thoughts=True)
    state = after(Thought(1, "Let me"), Thought(1, " see"), TextChunk(1, "Yes."), state=state)
    state, taken = take_closed(state)
    assert [(line.speaker, line.text) for line in taken] == [("thought", "Let me see")]
    assert said(state) == [("model", "Yes.")]


def test_tool_calls_and_notices_are_lines() -> None:
    state = after(
        ToolCallRequested(
            [FunctionCall(id="1", name="lights", args={"on": True, "room": "a\x1bb"})]
        ),
        GoingAway(9.5),
    )
    assert said(state) == [
        ("tool", "lights(on=True, room='a\\x1bb')"),
        ("note", "The server will close this connection in 10 s."),
    ]


def test_a_lost_connection_cuts_the_open_answer() -> None:
    state = after(OutputTranscript(1, "So far"), SessionClosed(1006, "", turn_lost=True))
    assert state.lines[0].cut == 6
    assert state.connection == "closed"


def test_tokens_of_all_turns_are_summed() -> None:
    usage = UsageReported(UsageMetadata(total_token_count=600))
    assert after(usage, TurnComplete(1), usage).tokens.total == 1200


def test_status_changes_only_what_is_named() -> None:
    state = with_status(ViewState(), muted=True, latency_ms=812.0, label="Gemini\x1b[2J")
    state = with_status(state, typing=InputLine("hi", 2), first_text_ms=3.0, heard_ms=None)
    assert (state.muted, state.latency_ms, state.label) == (True, 812.0, "Gemini␛[2J")
    assert state.typing == InputLine("hi", 2)


def test_a_trimmed_line_keeps_its_marks_in_place() -> None:
    line = trim(TranscriptLine("model", "One two three", cut=7, heard=9), 4)
    assert (line.text, line.cut, line.heard, line.offset) == ("two three", 3, 5, 4)


def test_at_the_end_everything_open_is_given_out() -> None:
    state, taken = take_all(after(InputTranscript("pre", interim=True), second()))
    assert [line.text for line in taken] == ["pre"]
    assert state.lines == ()


TOLD = st.one_of(
    st.builds(InputTranscript, st.text(max_size=30), st.booleans(), st.booleans()),
    st.builds(OutputTranscript, st.integers(1, 3), st.text(max_size=30)),
    st.builds(TextChunk, st.integers(1, 3), st.text(max_size=30)),
    st.builds(Thought, st.integers(1, 3), st.text(max_size=30)),
    st.builds(AudioChunk, st.integers(1, 3), st.binary(max_size=4_800), st.just(24_000)),
    st.builds(Interrupted, st.integers(1, 3)),
    st.builds(GenerationComplete, st.integers(1, 3)),
    st.builds(TurnComplete, st.integers(1, 3)),
    st.builds(VoiceActivityChanged, st.booleans()),
    st.builds(events.ResumptionUpdated, st.none()),
    st.builds(SessionClosed, st.just(1006), st.text(), st.booleans()),
)


@given(st.lists(st.one_of(TOLD, st.tuples(st.booleans(), st.floats(0, 5_000))), max_size=40))
def test_no_order_of_events_breaks_the_state(steps: list[Event | tuple[bool, float]]) -> None:
    state = ViewState(show_thoughts=True)
    out: list[TranscriptLine] = []
    for step in steps:
        if isinstance(step, tuple):
            state = with_levels(state, -30, -30, *step)
        else:
            state = reduce(state, step)
        state, taken = take_closed(state)
        out += taken
    state, rest = take_all(state)
    for line in [*out, *rest]:
        assert line.closed
        assert line.cut is None or 0 <= line.cut <= len(line.text)
        assert line.heard is None or 0 <= line.heard <= len(line.text)
    assert state.lines == ()


@given(
    st.lists(st.one_of(st.integers(0, 40), st.floats(1, 400)), max_size=30), st.floats(0, 10_000)
)
def test_alignment_is_monotonic_and_bounded(steps: list[int | float], at: float) -> None:
    alignment = Alignment()
    for step in steps:
        if isinstance(step, int):
            alignment = alignment.with_text(step)
        else:
            alignment = alignment.with_audio(step)
    assert 0 <= alignment.heard(at) <= alignment.heard(at + 100) <= alignment.characters
    assert alignment.heard(alignment.received_ms) == alignment.characters
    assert alignment.forget_before(at).heard(at + 50) == alignment.heard(at + 50)


@pytest.mark.parametrize(
    ("text", "at", "end"),
    [("hello world", 2, 5), ("hello world", 5, 5), ("hello world", 0, 0), ("你好世界", 2, 2)],
)
def test_a_cut_does_not_split_a_word(text: str, at: int, end: int) -> None:
    assert word_end(text, at) == end


def test_a_question_whose_words_are_not_known_yet_is_awaited_too() -> None:
    state = after(SessionOpened(), VoiceActivityChanged(True), VoiceActivityChanged(False))
    assert state.activity == "thinking"
    assert after(OutputTranscript(1, "Yes"), TurnComplete(1), state=state).activity == "listening"
    held = with_status(after(SessionOpened()), push_to_talk=True, held=True)
    assert with_status(held, held=False).activity == "thinking"


def test_speech_over_the_answer_awaits_none() -> None:
    state = playing(after(SessionOpened(), OutputTranscript(1, LONG), second()), 100)
    state = after(VoiceActivityChanged(True), VoiceActivityChanged(False), state=state)
    assert not state.awaiting_reply
