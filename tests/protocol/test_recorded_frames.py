"""Frames recorded from Google's service: our decoder loses nothing, our table of states agrees."""

import json
from typing import Any

import pytest

from live_cli.protocol.events import Event, SetupReceived
from live_cli.protocol.messages import ServerMessage
from live_cli.protocol.session import Role, Session
from live_cli.protocol.states import State
from live_cli.protocol.wire import decode_client, decode_server, encode, find_unknown_fields
from tests.harness.recorded_frames import RECORDED, Frame, RecordedSession, filled

named = pytest.mark.parametrize("session", RECORDED, ids=lambda session: session.name)


def written(shape: Frame) -> bytes:
    """A frame as the service writes it: indented, with a line's end."""
    return (json.dumps(filled(shape), indent=2) + "\n").encode()


def test_nineteen_sessions_were_recorded() -> None:
    assert len(RECORDED) == 19
    assert sum(session.is_vertex for session in RECORDED) == 9
    assert min(len(session.of("server")) for session in RECORDED) >= 1


@named
def test_no_field_of_a_recorded_frame_is_lost(session: RecordedSession) -> None:
    for shape in session.of("server"):
        payload = written(shape)
        assert find_unknown_fields(payload, ServerMessage) == []
        assert json.loads(encode(decode_server(payload))) == filled(shape)
    for shape in session.of("client"):
        payload = written(shape)
        assert find_unknown_fields(payload) == []
        assert json.loads(encode(decode_client(payload))) == filled(shape)


def facts(shape: Frame) -> list[str]:
    """The classes of the events that a client makes of a frame of ``shape``, by hand."""
    content: dict[str, Any] = shape.get("serverContent", {})
    told = ["UsageReported"] if "usageMetadata" in shape else []
    told += ["SessionOpened"] if "setupComplete" in shape else []
    told += ["OutputTranscript"] if content.get("outputTranscription") else []
    for part in content.get("modelTurn", {}).get("parts", []):
        told += ["TextChunk"] if "text" in part else []
        told += ["AudioChunk"] if "inlineData" in part else []
        told += ["CodeWritten"] if "executableCode" in part else []
        told += ["CodeRan"] if "codeExecutionResult" in part else []
    told += ["GenerationComplete"] if content.get("generationComplete") else []
    told += ["TurnComplete"] if content.get("turnComplete") else []
    told += ["ToolCallRequested"] if "toolCall" in shape else []
    return told


@named
def test_both_sides_of_our_session_take_a_recording_from_end_to_end(
    session: RecordedSession,
) -> None:
    client, server = Session(Role.CLIENT), Session(Role.SERVER)
    for sender, shape in session.frames:
        if sender == "client":
            heard: list[Event] = server.receive(
                client.send(decode_client(written(shape)), 0.0), 0.0
            )
            assert heard, shape
            assert isinstance(heard[0], SetupReceived) == ("setup" in shape)
            continue
        server.send(decode_server(written(shape)), 0.0)
        told = client.receive(written(shape), 0.0)
        assert [type(event).__name__ for event in told] == facts(shape)
        assert client.state is server.state
        assert client.turn == server.turn
    speaks = any("serverContent" in shape for shape in session.of("server")[-1:])
    ended = any("turnComplete" in shape.get("serverContent", {}) for shape in session.of("server"))
    calls = any("toolCall" in shape for shape in session.of("server"))
    goes_on = (speaks or calls) and not ended
    assert client.state is (State.GENERATING if goes_on else State.LISTENING)
