"""The server's side of a session, and both sides wired together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.errors import LocalProtocolError, RemoteProtocolError
from live_cli.protocol.events import (
    ActivityEnded,
    ActivityStarted,
    AudioReceived,
    AudioStreamEnded,
    ContentReceived,
    ContextUpdated,
    Event,
    SessionClosed,
    SetupReceived,
    TextReceived,
    ToolResponseReceived,
    VideoReceived,
)
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    Blob,
    ClientContent,
    ClientMessage,
    Content,
    FunctionResponse,
    GoAway,
    Part,
    RealtimeInputConfig,
    ServerContent,
    ServerMessage,
    SessionResumptionConfig,
    SessionResumptionUpdate,
    Setup,
    SetupComplete,
    ToolCall,
    Transcription,
    UsageMetadata,
)
from live_cli.protocol.session import Role, Session
from live_cli.protocol.states import TOLERATED, TRANSITIONS, Fact, State

AUTOMATIC = Setup(model="models/m")
MANUAL = Setup(
    model="models/m",
    realtime_input_config=RealtimeInputConfig(
        automatic_activity_detection=AutomaticActivityDetection(disabled=True)
    ),
)
EVERYTHING = Setup(
    model="models/m",
    input_audio_transcription=AudioTranscriptionConfig(),
    output_audio_transcription=AudioTranscriptionConfig(),
    session_resumption=SessionResumptionConfig(),
)


class Pair:
    """A client and a server session on a fake wire, which must agree on the state."""

    def __init__(self, setup: Setup = AUTOMATIC) -> None:
        self.client = Session(Role.CLIENT)
        self.server = Session(Role.SERVER)
        assert self.ask(ClientMessage(setup=setup)) == [SetupReceived(setup)]
        self.say(ServerMessage(setup_complete=SetupComplete()))

    def ask(self, message: ClientMessage) -> list[Event]:
        return self.receive(self.client.send(message, 0.0))

    def say(self, message: ServerMessage, at: float = 0.0) -> list[Event]:
        events = self.client.receive(self.server.send(message, at), at)
        assert self.client.state is self.server.state
        assert self.client.turn == self.server.turn
        return events

    def receive(self, payload: bytes | str) -> list[Event]:
        return self.server.receive(payload, 0.0)


def output(**fields: object) -> ServerMessage:
    return ServerMessage(server_content=ServerContent(**fields))  # type: ignore[arg-type]


SOUND = output(model_turn=Content(role="model", parts=[Part(inline_data=Blob(data=b"\x01\x00"))]))
INTERRUPTED = output(interrupted=True)
GENERATION_COMPLETE = output(generation_complete=True)
TURN_COMPLETE = output(turn_complete=True)


def test_every_state_has_its_row_and_every_fact_its_place() -> None:
    assert set(TRANSITIONS) == set(State)
    facts = {fact for row in TRANSITIONS.values() for fact in row}
    assert facts == set(Fact)
    reached = {State.CONNECTING} | {after for row in TRANSITIONS.values() for after in row.values()}
    assert reached == set(State)
    assert all(fact in TRANSITIONS[state] for state, fact in TOLERATED)


@pytest.mark.parametrize(
    ("setup", "payload", "events"),
    [
        (
            AUTOMATIC,
            '{"client_content":{"turns":[{"role":"user","parts":[{"text":"Hi"}]}]}}',
            [ContentReceived([Content(role="user", parts=[Part(text="Hi")])], False)],
        ),
        (AUTOMATIC, '{"clientContent":{"turnComplete":true}}', [ContentReceived([], True)]),
        (
            AUTOMATIC,
            '{"realtimeInput":{"audio":{"data":"AQA=","mimeType":"audio/pcm;rate=8000"}}}',
            [AudioReceived(b"\x01\x00", 8_000)],
        ),
        (
            AUTOMATIC,
            '{"realtimeInput":{"audio":{"data":"AQA="}}}',
            [AudioReceived(b"\x01\x00", 16_000)],
        ),
        (AUTOMATIC, '{"realtimeInput":{"audio":{}}}', []),
        (
            AUTOMATIC,
            '{"realtimeInput":{"mediaChunks":[{"data":"AQA=","mimeType":"audio/pcm"},'
            '{"data":"AgA=","mimeType":"audio/pcm"}]}}',
            [AudioReceived(b"\x01\x00", 16_000)],
        ),
        (
            AUTOMATIC,
            '{"realtimeInput":{"media_chunks":[{"data":"_9j_","mime_type":"image/jpeg"}]}}',
            [VideoReceived(b"\xff\xd8\xff", "image/jpeg")],
        ),
        (AUTOMATIC, '{"realtimeInput":{"text":" "}}', [TextReceived(" ")]),
        (AUTOMATIC, '{"realtimeInput":{}}', []),
        (AUTOMATIC, '{"realtimeInput":{"audioStreamEnd":true}}', [AudioStreamEnded()]),
        (AUTOMATIC, '{"realtimeInput":{"audioStreamEnd":false}}', []),
        (MANUAL, '{"realtimeInput":{"audioStreamEnd":true}}', []),
        (
            MANUAL,
            '{"realtimeInput":{"activityEnd":{},"text":"x","activityStart":{},'
            '"audio":{"data":"AQA="},"video":{"data":"/9j/","mimeType":"image/png"}}}',
            [
                ActivityStarted(),
                AudioReceived(b"\x01\x00", 16_000),
                VideoReceived(b"\xff\xd8\xff", "image/png"),
                TextReceived("x"),
                ActivityEnded(),
            ],
        ),
        (
            AUTOMATIC,
            '{"toolResponse":{"functionResponses":[{"id":"1","scheduling":"silent"},'
            '{"id":"2","response":{"scheduling":"interrupt"}}]}}',
            [
                ToolResponseReceived(
                    [
                        FunctionResponse(id="1", scheduling="SILENT"),
                        FunctionResponse(
                            id="2", response={"scheduling": "interrupt"}, scheduling="INTERRUPT"
                        ),
                    ]
                )
            ],
        ),
        (AUTOMATIC, '{"contextUpdate":{"tools":{}}}', [ContextUpdated(None, [])]),
        (AUTOMATIC, '{"contextUpdate":{"tools":{"tools":[]}}}', [ContextUpdated(None, [])]),
        (
            AUTOMATIC,
            '{"contextUpdate":{"systemInstruction":{"parts":[{"text":"New"}]}}}',
            [ContextUpdated(Content(parts=[Part(text="New")]), None)],
        ),
    ],
)
def test_what_a_server_receives(setup: Setup, payload: str, events: list[Event]) -> None:
    assert Pair(setup).receive(payload) == events


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (
            '{"realtimeInput":{"activityStart":{}}}',
            "Explicit activity control is not supported when automatic activity detection "
            "is enabled.",
        ),
        (
            '{"realtimeInput":{"activityEnd":{}}}',
            "Explicit activity control is not supported when automatic activity detection "
            "is enabled.",
        ),
        (
            '{"setup":{"model":"m"}}',
            "setup may be sent only once, as the first message of a session.",
        ),
        (
            '{"realtimeInput":{"audio":{"data":"AQA=","mimeType":"image/jpeg"}}}',
            "Unsupported audio MIME type 'image/jpeg': send audio/pcm.",
        ),
        (
            '{"realtimeInput":{"video":{"data":"AQA=","mimeType":"audio/pcm"}}}',
            "Unsupported video MIME type 'audio/pcm': send image/jpeg.",
        ),
        (
            '{"realtimeInput":{"audio":{"data":"AQA=","mimeType":"audio/pcm;rate=0"}}}',
            "Unsupported sample rate in the audio MIME type: send 8000 to 192000 Hz.",
        ),
        (
            '{"realtimeInput":{"audio":{"data":"AQA=","mimeType":"audio/pcm;rate=8000;channels=2"}}}',
            "Audio of several channels is not taken: send mono.",
        ),
        ("{}", "Invalid JSON payload received. The message is empty."),
    ],
)
def test_what_a_server_refuses(payload: str, reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        Pair().receive(payload)
    assert (caught.value.close_code, caught.value.reason) == (1007, reason)


def test_setup_comes_first_and_alone() -> None:
    server = Session(Role.SERVER)
    with pytest.raises(RemoteProtocolError, match="first message"):
        server.receive('{"realtimeInput":{"text":"x"}}', 0.0)
    server.receive('{"setup":{"model":"m"}}', 0.0)
    with pytest.raises(RemoteProtocolError, match="before setupComplete"):
        server.receive('{"realtimeInput":{"text":"x"}}', 0.0)
    with pytest.raises(RemoteProtocolError, match="only once"):
        server.receive('{"setup":{"model":"m"}}', 0.0)
    assert server.timer() is None


def test_what_a_server_may_not_send() -> None:
    server = Session(Role.SERVER)
    with pytest.raises(LocalProtocolError):
        server.send(ServerMessage(setup_complete=SetupComplete()), 0.0)
    server.receive('{"setup":{"model":"m"}}', 0.0)
    for message in (SOUND, TURN_COMPLETE, ServerMessage(go_away=GoAway(time_left="1s"))):
        with pytest.raises(LocalProtocolError):
            server.send(message, 0.0)
    server.send(ServerMessage(setup_complete=SetupComplete()), 0.0)
    with pytest.raises(LocalProtocolError):
        server.send(ServerMessage(setup_complete=SetupComplete()), 0.0)
    with pytest.raises(LocalProtocolError):
        server.send(ClientMessage(client_content=ClientContent()), 0.0)
    server.send(SOUND, 0.0)
    server.send(INTERRUPTED, 0.0)
    for message in (SOUND, GENERATION_COMPLETE, INTERRUPTED):
        with pytest.raises(LocalProtocolError):
            server.send(message, 0.0)
    assert server.state is State.INTERRUPTED
    server.send(TURN_COMPLETE, 0.0)
    server.send(SOUND, 0.0)


@pytest.mark.parametrize(
    "message",
    [
        output(output_transcription=Transcription(text="x")),
        ServerMessage(session_resumption_update=SessionResumptionUpdate(new_handle="h")),
    ],
)
def test_what_the_setup_did_not_ask_for_is_not_sent(message: ServerMessage) -> None:
    with pytest.raises(LocalProtocolError):
        Pair(AUTOMATIC).say(message)
    Pair(EVERYTHING).say(message)


def test_a_refused_message_changes_nothing() -> None:
    pair = Pair()
    pair.say(SOUND)
    pair.say(INTERRUPTED)
    with pytest.raises(LocalProtocolError):
        pair.server.send(output(interrupted=True, turn_complete=True), 0.0)
    assert pair.server.state is State.INTERRUPTED
    assert pair.server.turn == 1


def test_a_server_loses_its_client() -> None:
    pair = Pair()
    pair.say(SOUND)
    assert pair.server.lose(1001, "", 0.0) == [SessionClosed(1001, "", turn_lost=True)]
    with pytest.raises(LocalProtocolError):
        pair.server.send(TURN_COMPLETE, 0.0)


STEPS = [
    SOUND,
    output(output_transcription=Transcription(text="a")),
    output(input_transcription=Transcription(text="b")),
    INTERRUPTED,
    GENERATION_COMPLETE,
    TURN_COMPLETE,
    output(generation_complete=True, turn_complete=True),
    output(interrupted=True, turn_complete=True),
    ServerMessage(tool_call=ToolCall()),
    ServerMessage(usage_metadata=UsageMetadata(total_token_count=1)),
    ServerMessage(session_resumption_update=SessionResumptionUpdate()),
    ServerMessage(go_away=GoAway(time_left="1s")),
]


@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_whatever_a_server_may_say_its_client_agrees(steps: list[ServerMessage]) -> None:
    pair = Pair(EVERYTHING)
    turns_ended = []
    for step in steps:
        try:
            events = pair.say(step)
        except LocalProtocolError:
            continue
        turns_ended += [event.turn for event in events if type(event).__name__ == "TurnComplete"]
        pair.ask(ClientMessage(client_content=ClientContent(turn_complete=True)))
    assert turns_ended == list(range(1, pair.client.turn))
