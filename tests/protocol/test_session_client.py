"""The client's side of a session: the flows of the reference, §3.6, and what may go wrong."""

import msgspec
import pytest

from live_cli.errors import LocalProtocolError, RemoteProtocolError
from live_cli.protocol import compose
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    GenerationComplete,
    GoingAway,
    InputTranscript,
    Interrupted,
    OutputTranscript,
    ResumptionUpdated,
    SessionClosed,
    SessionOpened,
    SetupTimedOut,
    TextChunk,
    Thought,
    ToolCallCancelled,
    ToolCallRequested,
    TurnComplete,
    UsageReported,
    VoiceActivityChanged,
)
from live_cli.protocol.messages import (
    AutomaticActivityDetection,
    Blob,
    ClientContent,
    ClientMessage,
    FunctionCall,
    RealtimeInput,
    RealtimeInputConfig,
    ServerMessage,
    Setup,
    SetupComplete,
    ToolResponse,
    UsageMetadata,
)
from live_cli.protocol.session import Role, Session
from live_cli.protocol.states import State

SETUP = ClientMessage(setup=Setup(model="models/m"))
MANUAL = ClientMessage(
    setup=Setup(
        model="models/m",
        realtime_input_config=RealtimeInputConfig(
            automatic_activity_detection=AutomaticActivityDetection(disabled=True)
        ),
    )
)
ASK = ClientMessage(client_content=ClientContent(turn_complete=True))
SOUND = {
    "modelTurn": {
        "parts": [{"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AQACAA=="}}]
    }
}
INTERRUPTED = {"serverContent": {"interrupted": True}}
TURN_COMPLETE = {"serverContent": {"turnComplete": True}}


def chunk(turn: int) -> AudioChunk:
    return AudioChunk(turn, b"\x01\x00\x02\x00", 24_000)


class Talk:
    """A client session and the JSON that its server says."""

    def __init__(self, setup: ClientMessage = SETUP) -> None:
        self.session = Session(Role.CLIENT)
        self.session.send(setup, 0.0)
        self.receive({"setupComplete": {}})

    def receive(self, *messages: object, at: float = 0.0) -> list[Event]:
        events: list[Event] = []
        for message in messages:
            events += self.session.receive(msgspec.json.encode(message), at)
        return events


def test_opening() -> None:
    session = Session(Role.CLIENT)
    assert session.state is State.CONNECTING
    assert session.send(SETUP, 5.0) == b'{"setup":{"model":"models/m"}}'
    assert session.state is State.AWAITING_SETUP_COMPLETE
    assert session.timer() == 15.0
    assert session.receive(b'{"setupComplete":{"sessionId":"s"}}', 6.0) == [SessionOpened("s")]
    assert session.state is State.LISTENING
    assert session.timer() is None
    assert session.tick(1_000.0) == []


def test_setup_times_out_once() -> None:
    session = Session(Role.CLIENT, setup_limit_s=3.0)
    session.send(SETUP, 5.0)
    assert session.tick(7.99) == []
    assert session.tick(8.0) == [SetupTimedOut(3.0)]
    assert session.state is State.CLOSED
    assert session.tick(9.0) == []
    assert session.receive(b'{"setupComplete":{}}', 9.0) == []
    assert session.lose(1006, "", 9.0) == []


def test_flow_a_a_turn() -> None:
    talk = Talk()
    talk.session.send(ASK, 0.0)
    said = talk.receive(
        {"serverContent": {"inputTranscription": {"text": " Hi"}}},
        {"serverContent": SOUND},
        {"serverContent": {"outputTranscription": {"text": "Hello "}}},
        {"serverContent": {**SOUND, "outputTranscription": {"text": "you", "finished": True}}},
        {"serverContent": {"generationComplete": True}},
    )
    assert talk.session.state is State.GENERATING
    assert said == [
        InputTranscript(" Hi"),
        chunk(1),
        OutputTranscript(1, "Hello "),
        OutputTranscript(1, "you", finished=True),
        chunk(1),
        GenerationComplete(1),
    ]
    usage = {"usageMetadata": {"totalTokenCount": 204}}
    update = {"sessionResumptionUpdate": {"newHandle": "h1", "resumable": True}}
    assert talk.receive(TURN_COMPLETE | usage, update) == [
        UsageReported(UsageMetadata(total_token_count=204)),
        TurnComplete(1),
        ResumptionUpdated("h1"),
    ]
    assert talk.session.state is State.LISTENING
    assert talk.session.turn == 2
    assert talk.session.handle == "h1"


def test_flow_b_barge_in_and_the_late_chunk() -> None:
    talk = Talk()
    assert talk.receive({"serverContent": SOUND}) == [chunk(1)]
    assert talk.receive(INTERRUPTED, {"toolCallCancellation": {"ids": ["1"]}}, at=1.0) == [
        Interrupted(1),
        ToolCallCancelled(["1"]),
    ]
    assert talk.session.state is State.INTERRUPTED
    assert talk.receive({"serverContent": SOUND}, at=1.5) == [chunk(1)]
    assert talk.receive(INTERRUPTED, at=1.6) == []
    assert talk.receive(TURN_COMPLETE, at=1.7) == [TurnComplete(1, interrupted=True)]
    assert talk.receive({"serverContent": SOUND}, at=1.8) == [chunk(2)]
    assert talk.receive(TURN_COMPLETE, at=3.0) == [TurnComplete(2)]


def test_interrupted_and_complete_in_one_message() -> None:
    talk = Talk()
    talk.receive({"serverContent": SOUND})
    both = {"serverContent": {"interrupted": True, "turnComplete": True}}
    assert talk.receive(both) == [Interrupted(1), TurnComplete(1, interrupted=True)]
    assert talk.session.state is State.LISTENING


def test_interrupted_after_the_turn_while_it_still_plays() -> None:
    talk = Talk()
    talk.receive({"serverContent": SOUND}, TURN_COMPLETE)
    assert talk.receive(INTERRUPTED, at=1.0) == [Interrupted(1)]
    assert talk.receive({"serverContent": SOUND}, at=1.1) == [chunk(2)]
    assert talk.receive(TURN_COMPLETE, at=1.2) == [TurnComplete(2)]


def test_interrupted_before_any_output() -> None:
    talk = Talk()
    assert talk.receive(INTERRUPTED, at=1.0) == [Interrupted(0)]
    assert talk.receive(TURN_COMPLETE, at=1.1) == [TurnComplete(1, interrupted=True)]
    assert talk.receive({"serverContent": SOUND}, at=1.2) == [chunk(2)]


def test_an_old_interruption_does_not_mark_a_later_silent_turn() -> None:
    talk = Talk()
    talk.receive({"serverContent": SOUND}, TURN_COMPLETE)
    talk.receive(INTERRUPTED, at=1.0)
    assert talk.receive(TURN_COMPLETE, at=30.0) == [TurnComplete(2)]


def test_a_forgotten_turn_complete_does_not_cost_the_next_turn() -> None:
    talk = Talk()
    talk.receive({"serverContent": SOUND})
    talk.receive(INTERRUPTED, at=10.0)
    assert talk.receive({"serverContent": SOUND}, at=11.0) == [chunk(1)]
    assert talk.receive({"serverContent": SOUND}, at=11.1) == [
        TurnComplete(1, interrupted=True),
        chunk(2),
    ]
    assert talk.session.state is State.GENERATING


@pytest.mark.parametrize("complete_after_call", [False, True])
def test_flow_c_a_blocking_tool(complete_after_call: bool) -> None:
    talk = Talk()
    call = {"toolCall": {"functionCalls": [{"id": "1", "name": "f", "args": {"a_b": 1}}]}}
    assert talk.receive(call) == [
        ToolCallRequested([FunctionCall(id="1", name="f", args={"a_b": 1})])
    ]
    answer = 1
    if complete_after_call:  # 2.5 does, 3.x does not
        assert talk.receive(TURN_COMPLETE) == [TurnComplete(1)]
        answer = 2
    talk.session.send(ClientMessage(tool_response=ToolResponse(function_responses=[])), 0.0)
    assert talk.receive({"serverContent": SOUND}, TURN_COMPLETE) == [
        chunk(answer),
        TurnComplete(answer),
    ]


def test_flow_d_a_non_blocking_tool() -> None:
    talk = Talk()
    talk.receive({"serverContent": SOUND}, {"toolCall": {"functionCalls": [{"id": "1"}]}})
    assert talk.receive({"serverContent": SOUND}, TURN_COMPLETE) == [chunk(1), TurnComplete(1)]
    talk.session.send(ClientMessage(tool_response=ToolResponse()), 0.0)
    assert talk.receive({"serverContent": SOUND}) == [chunk(2)]


def test_flow_e_the_end_of_a_connection() -> None:
    talk = Talk()
    talk.receive({"sessionResumptionUpdate": {"newHandle": "h1", "resumable": True}})
    talk.receive({"serverContent": SOUND})
    assert talk.receive({"sessionResumptionUpdate": {}}) == [ResumptionUpdated(None)]
    assert talk.receive({"goAway": {"timeLeft": "9.5s"}}, at=100.0) == [GoingAway(9.5)]
    assert talk.session.leaving_at == 109.5
    reason = "Deadline expired before operation could complete."
    assert talk.session.lose(1011, reason, 109.5) == [SessionClosed(1011, reason, turn_lost=True)]
    assert talk.session.lose(1006, "", 110.0) == []
    assert talk.session.state is State.CLOSED
    assert talk.session.handle == "h1"


def test_nothing_is_lost_between_turns() -> None:
    talk = Talk()
    talk.receive({"serverContent": SOUND}, TURN_COMPLETE)
    assert talk.session.lose(1000, "", 1.0) == [SessionClosed(1000, "")]


@pytest.mark.parametrize("beside", [True, False])
def test_flow_f_extended_thinking(beside: bool) -> None:
    talk = Talk()
    status = {"interactionStatus": "IN_PROGRESS"}
    ends = (
        {"serverContent": {"turnComplete": True}, **status}
        if beside
        else {"serverContent": {"turnComplete": True, **status}}
    )
    assert talk.receive({"serverContent": SOUND}, ends) == [
        chunk(1),
        TurnComplete(1, more_follows=True),
    ]
    idle = {"serverContent": {"turnComplete": True, "interactionStatus": "IDLE"}}
    assert talk.receive({"serverContent": SOUND}, idle) == [chunk(2), TurnComplete(2)]


def test_an_empty_turn() -> None:
    talk = Talk()
    assert talk.receive(
        {"serverContent": {"outputTranscription": {"text": ""}}},
        {"serverContent": {"generationComplete": True}},
        TURN_COMPLETE,
        {"serverContent": {"generationComplete": True, "turnComplete": True}},
        {"serverContent": {"turnComplete": True, "turnCompleteReason": "RESPONSE_REJECTED"}},
    ) == [
        GenerationComplete(1),
        TurnComplete(1),
        GenerationComplete(2),
        TurnComplete(2),
        TurnComplete(3, reason="RESPONSE_REJECTED"),
    ]


def test_everything_in_one_message_comes_in_order() -> None:
    talk = Talk()
    content = {
        "turnComplete": True,
        "generationComplete": True,
        "modelTurn": {"parts": [{"text": "hm", "thought": True}, {"text": "Yes"}, {"text": ""}]},
        "outputTranscription": {"text": "Yes"},
        "interimInputTranscription": {"text": "is", "startOffset": "1.5s", "endOffset": "2s"},
        "inputTranscription": {"finished": True},
    }
    usage = {"candidatesTokenCount": 7, "promptTokenCount": 3, "trafficType": "ON_DEMAND"}
    assert talk.receive({"usageMetadata": usage, "serverContent": content}) == [
        UsageReported(
            UsageMetadata(response_token_count=7, prompt_token_count=3, traffic_type="ON_DEMAND")
        ),
        InputTranscript("", finished=True),
        InputTranscript("is", interim=True, start_s=1.5, end_s=2.0),
        OutputTranscript(1, "Yes"),
        Thought(1, "hm"),
        TextChunk(1, "Yes"),
        GenerationComplete(1),
        TurnComplete(1),
    ]


@pytest.mark.parametrize(
    "message",
    [{}, {"foo": 1}, {"interactionStatus": "IDLE"}, {"serverContent": {}}, {"error": {"code": 1}}],
)
def test_messages_that_say_nothing(message: object) -> None:
    talk = Talk()
    assert talk.receive(message) == []
    assert talk.session.state is State.LISTENING


def test_voice_activity() -> None:
    assert Talk().receive(
        {"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "1.2s"}},
        {"voiceActivity": {"type": "ACTIVITY_END"}},
        {"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_SOS"}},
        {"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_EOS"}},
    ) == [
        VoiceActivityChanged(True, 1.2),
        VoiceActivityChanged(False),
        VoiceActivityChanged(True),
        VoiceActivityChanged(False),
    ]


@pytest.mark.parametrize(
    ("blob", "events"),
    [
        ({"data": "AQACAA=="}, [chunk(1)]),
        ({"data": "AQACAA==", "mimeType": "audio/pcm"}, [chunk(1)]),
        ({"data": "AQACAAM="}, [chunk(1)]),  # half a sample more is no sample
        ({"data": "AQAC", "mimeType": "audio/pcm;rate=8000"}, [AudioChunk(1, b"\x01\x00", 8_000)]),
        ({"data": ""}, []),
        ({"data": "AQAC", "mimeType": "image/png"}, []),
    ],
)
def test_sound(blob: object, events: list[Event]) -> None:
    turn = {"serverContent": {"modelTurn": {"parts": [{"inlineData": blob}]}}}
    assert Talk().receive(turn) == events


@pytest.mark.parametrize("update", [{"newHandle": "h2"}, {"resumable": True}, {"newHandle": ""}])
def test_only_a_resumable_handle_replaces_the_last(update: object) -> None:
    talk = Talk()
    talk.receive({"sessionResumptionUpdate": {"newHandle": "h1", "resumable": True}})
    assert talk.receive({"sessionResumptionUpdate": update}) == [ResumptionUpdated(None)]
    assert talk.session.handle == "h1"


# --- out of place ------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [TURN_COMPLETE, INTERRUPTED, {"serverContent": SOUND}])
def test_content_before_setup_complete(message: object) -> None:
    session = Session(Role.CLIENT)
    session.send(SETUP, 0.0)
    with pytest.raises(RemoteProtocolError):
        session.receive(msgspec.json.encode(message), 0.0)


def test_notices_may_come_before_setup_complete() -> None:
    session = Session(Role.CLIENT)
    session.send(SETUP, 0.0)
    assert session.receive(b'{"goAway":{"timeLeft":"1s"}}', 0.0) == [GoingAway(1.0)]
    assert session.receive(b"{}", 0.0) == []
    assert session.receive(b'{"setupComplete":{}}', 0.0) == [SessionOpened()]


def test_setup_complete_twice_or_unasked() -> None:
    with pytest.raises(RemoteProtocolError, match="twice"):
        Talk().receive({"setupComplete": {}})
    with pytest.raises(RemoteProtocolError):
        Session(Role.CLIENT).receive(b'{"setupComplete":{}}', 0.0)


def test_what_a_client_may_not_send() -> None:
    session = Session(Role.CLIENT)
    with pytest.raises(LocalProtocolError):
        session.send(ASK, 0.0)
    with pytest.raises(LocalProtocolError):
        session.send(ServerMessage(setup_complete=SetupComplete()), 0.0)
    session.send(SETUP, 0.0)
    for message in (ASK, SETUP):
        with pytest.raises(LocalProtocolError):
            session.send(message, 0.0)
    assert session.state is State.AWAITING_SETUP_COMPLETE
    session.receive(b'{"setupComplete":{}}', 0.0)
    with pytest.raises(LocalProtocolError):
        session.send(SETUP, 0.0)
    session.send(ASK, 0.0)
    session.lose(1000, "", 0.0)
    with pytest.raises(LocalProtocolError):
        session.send(ASK, 0.0)


START = compose.activity_start()
END = compose.activity_end()
PAUSE = compose.audio_stream_end()


@pytest.mark.parametrize(
    ("setup", "legal", "illegal"), [(SETUP, [PAUSE], [START, END]), (MANUAL, [START, END], [PAUSE])]
)
def test_activity_bounds_follow_the_setup(
    setup: ClientMessage, legal: list[ClientMessage], illegal: list[ClientMessage]
) -> None:
    talk = Talk(setup)
    for message in legal:
        assert talk.session.send(message, 0.0)
    for message in illegal:
        with pytest.raises(LocalProtocolError):
            talk.session.send(message, 0.0)
    audio = RealtimeInput(audio=Blob(data=b"\x00\x00", mime_type="audio/pcm;rate=16000"))
    assert talk.session.send(ClientMessage(realtime_input=audio), 0.0)
