import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.protocol.events import (
    AnswerGrounded,
    AudioChunk,
    CodeRan,
    CodeWritten,
    Event,
    GenerationComplete,
    GoingAway,
    InputTranscript,
    Interrupted,
    OutputTranscript,
    PagesRead,
    Reconnected,
    Reconnecting,
    ResumptionUpdated,
    SessionClosed,
    SessionOpened,
    Stalled,
    TextChunk,
    Thought,
    ToolCallCancelled,
    ToolCallRequested,
    TurnComplete,
    UsageReported,
)
from live_cli.protocol.messages import (
    FunctionCall,
    ModalityTokenCount,
    UsageMetadata,
)
from live_cli.ui.json_lines import JsonView
from live_cli.ui.view import CallStatus, DeviceNews, ShownCallState, Summary, TurnPlayback


class Told:
    """A view, a clock that only the test moves, and what came out."""

    def __init__(self) -> None:
        self.now = 100.0
        self.out, self.err = io.StringIO(), io.StringIO()
        self.view = JsonView(stdout=self.out, stderr=self.err, clock=lambda: self.now)

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("event", "record"),
    [
        (SessionOpened("s1"), {"type": "session_open", "session_id": "s1", "server": None}),
        (
            InputTranscript("hi", start_s=0.5),
            {
                "type": "input_transcript",
                "text": "hi",
                "interim": False,
                "finished": False,
                "start_s": 0.5,
                "end_s": None,
            },
        ),
        (
            OutputTranscript(1, " yo", True),
            {"type": "output_transcript", "turn": 1, "text": " yo", "finished": True},
        ),
        (TextChunk(2, "a"), {"type": "text", "turn": 2, "text": "a"}),
        (Thought(2, "b"), {"type": "thought", "turn": 2, "text": "b"}),
        (
            AudioChunk(1, bytes(960), 24_000),
            {"type": "audio", "turn": 1, "bytes": 960, "ms": 20.0, "total_ms": 20.0},
        ),
        (Interrupted(1), {"type": "interrupted", "turn": 1, "heard_ms": None}),
        (
            ToolCallRequested([FunctionCall(id="1", name="f", args={"snake_case": 1})]),
            {"type": "tool_call", "calls": [{"id": "1", "name": "f", "args": {"snake_case": 1}}]},
        ),
        (ToolCallCancelled(["1"]), {"type": "tool_call", "cancelled": ["1"]}),
        (
            AnswerGrounded(2, (), (), (), {"ofTomorrow": ["\x9b"]}),
            {"type": "grounding", "turn": 2, "grounding": {"ofTomorrow": ["\x9b"]}},
        ),
        (
            PagesRead(2, (), {"urlMetadata": []}),
            {"type": "url_context", "turn": 2, "url_context": {"urlMetadata": []}},
        ),
        (
            CodeWritten(2, "f()\ng()", "PYTHON", "c1"),
            {"type": "code", "turn": 2, "id": "c1", "language": "PYTHON", "code": "f()\ng()"},
        ),
        (
            CodeRan(2, "4\n", "OUTCOME_OK", "c1"),
            {
                "type": "code_result",
                "turn": 2,
                "id": "c1",
                "outcome": "OUTCOME_OK",
                "output": "4\n",
            },
        ),
        (GoingAway(9.5), {"type": "go_away", "time_left_s": 9.5}),
    ],
)
def test_every_event_has_its_record(event: Event, record: dict[str, Any]) -> None:
    told = Told()
    told.now += 1.23456
    told.view.event(event)
    assert told.records == [{"t": 1.235, **record}]
    assert told.out.getvalue().startswith(f'{{"type": "{record["type"]}", "t": 1.235')


def test_events_without_a_type_are_silent() -> None:
    told = Told()
    told.view.event(GenerationComplete(1))
    told.view.event(ResumptionUpdated("h"))
    assert told.records == []


def test_what_was_typed_is_a_record() -> None:
    told = Told()
    told.view.sent("typed")
    assert told.records == [{"type": "sent", "t": 0.0, "text": "typed"}]


def test_usage_has_totals_and_modalities() -> None:
    told = Told()
    told.view.event(
        UsageReported(
            UsageMetadata(
                total_token_count=30,
                prompt_token_count=10,
                response_token_count=20,
                response_tokens_details=[ModalityTokenCount(modality="AUDIO", token_count=20)],
            )
        )
    )
    (usage,) = told.records
    assert (usage["total"], usage["prompt"], usage["response"]) == (30, 10, 20)
    assert usage["response_by_modality"] == {"AUDIO": 20}
    assert usage["prompt_by_modality"] == {}
    assert usage["cached"] is None


def test_a_turn_ends_with_its_own_latencies() -> None:
    told = Told()
    told.view.status(latency_ms=812.04, first_text_ms=400)
    told.view.event(TurnComplete(1, reason="DONE"))
    told.view.event(TurnComplete(2, interrupted=True))
    first, second = told.records
    assert (first["latency_ms"], first["first_text_ms"], first["first_audio_ms"]) == (
        812,
        400,
        None,
    )
    assert (first["reason"], first["interrupted"]) == ("DONE", False)
    assert (second["latency_ms"], second["interrupted"]) == (None, True)


def test_audio_is_counted_for_each_turn_and_an_interruption_says_what_was_heard() -> None:
    told = Told()
    for turn in (1, 1, 2):
        told.view.event(AudioChunk(turn, bytes(4_800), 24_000))
    told.view.levels(-20, -20, True, 150)
    told.view.levels(-20, -90, False, 0)
    told.view.event(Interrupted(2))
    assert [record.get("total_ms") for record in told.records] == [100, 200, 100, None]
    assert told.records[-1]["heard_ms"] == 150


def test_reconnecting_and_the_end() -> None:
    told = Told()
    with told.view as view:
        view.status(label="Gemini", connection="connecting")
        view.event(SessionOpened())
        told.now += 1
        view.event(SessionClosed(1006, "lost\x1b", turn_lost=True))
        told.now += 1
        view.event(Stalled(8.04))
        view.event(Reconnecting(SessionClosed(1013, "full", turn_lost=True)))
        view.event(Reconnected(restored=False))
        view.event(SessionOpened())
        view.event(SessionClosed(1000, ""))
        told.now += 1
        view.close(Summary(duration_s=3.0, turns=1, tokens_by_modality={"TEXT": 3}))
    assert [(r["type"], r["t"]) for r in told.records] == [
        ("session_open", 0),
        ("session_close", 1),
        ("stalled", 2),
        ("reconnecting", 2),
        ("reconnected", 2),
        ("session_open", 2),
        ("session_close", 2),
    ]
    assert told.records[1]["turn_lost"] is True
    assert told.records[2]["silent_s"] == 8.0
    assert told.records[3].items() >= {"code": 1013, "reason": "full", "turn_lost": True}.items()
    assert told.records[4]["restored"] is False
    assert told.records[0]["server"] == "Gemini"
    assert told.records[-1]["summary"]["tokens_by_modality"] == {"TEXT": 3}


def test_leaving_an_open_session_closes_it() -> None:
    told = Told()
    told.view.event(SessionOpened())
    told.view.close(Summary(turns=2))
    told.view.close()
    assert [record["type"] for record in told.records] == ["session_open", "session_close"]
    assert told.records[1]["code"] is None
    assert told.records[1]["summary"]["turns"] == 2


def test_an_error_is_a_record_and_a_note_is_not() -> None:
    told = Told()
    told.view.error("No key.\x1b")
    told.view.note("By the way\x1b.")
    assert told.records == [{"type": "error", "t": 0, "message": "No key.\x1b"}]
    assert told.err.getvalue() == "By the way␛.\n"


@given(st.text(st.characters(exclude_categories=[])))
def test_no_text_puts_anything_but_printable_ascii_on_the_line(text: str) -> None:
    told = Told()
    told.view.event(TextChunk(1, text))
    (line,) = told.out.getvalue().split("\n")[:-1]
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["text"] == text


def test_how_a_turn_was_played_is_told_with_its_end_and_with_no_other() -> None:
    told = Told()
    told.view.status(playback=TurnPlayback(1999.96, 21.0, 2, 130.04))
    told.view.event(TurnComplete(1))
    told.view.event(TurnComplete(2))
    played, written = told.records
    names = ("heard_ms", "start_delay_ms", "underruns", "dry_ms")
    assert [played[name] for name in names] == [2000.0, 21.0, 2, 130.0]
    assert [written[name] for name in names] == [None] * 4


def test_a_device_that_comes_and_goes_is_a_record_of_its_own() -> None:
    told = Told()
    told.view.device(DeviceNews("microphone", "back", "USB", "It is back.", 1.5, 75))
    assert told.records == [
        {
            "type": "device",
            "t": 0.0,
            "role": "microphone",
            "state": "back",
            "name": "USB",
            "message": "It is back.",
            "away_s": 1.5,
            "missed_frames": 75,
        }
    ]


def test_that_the_way_of_the_echo_is_known_is_told_once_and_again_when_it_is_not() -> None:
    told = Told()
    for erle_db, converged in [(None, False), (3.0, False), (9.04, True), (12.0, True), (5, False)]:
        told.view.status(erle_db=erle_db, echo_converged=converged)
    assert [
        (record["type"], record["converged"], record["erle_db"]) for record in told.records
    ] == [
        ("echo", True, 9.0),
        ("echo", False, 5),
    ]


def test_a_call_tells_when_it_was_asked_for_begun_and_ended() -> None:
    told = Told()

    def now(seconds: float, key: str, state: ShownCallState, since: float) -> None:
        told.now = 100.0 + seconds
        told.view.tool_call(CallStatus(key, "f", {}, "house.py", state, since))

    now(1.0, "a", "asked", 0.0)
    now(3.5, "a", "running", 2.5)
    now(4.0, "b", "refused", 0.25)
    now(4.5, "a", "running", 3.5)  # it tells how far it is
    now(6.0, "a", "done", 5.0)
    assert [
        tuple(record[name] for name in ("id", "state", "asked_t", "begun_t", "t", "seconds"))
        for record in told.records
    ] == [("b", "refused", 3.75, None, 4.0, 0.25), ("a", "done", 1.0, 3.5, 6.0, 5.0)]
