"""Whatever well-formed or damaged messages come, a session answers with events or our own error."""

import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.errors import RemoteProtocolError
from live_cli.protocol.events import Event, TurnComplete
from live_cli.protocol.messages import ClientMessage, Message, ServerMessage, Setup, SetupComplete
from live_cli.protocol.session import Role, Session

TEXT = st.sampled_from(
    ["", " ", "x", "\x1b[2J", "audio/pcm", "audio/pcm;rate=0", "image/png", "9s"]
)


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """JSON for a field of this type, mostly of the right shape."""
    arguments = [arg for arg in get_args(annotation) if arg is not type(None)]
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return objects(annotation)
    if annotation is bytes:
        return st.sampled_from(["", "AQ==", "AQA=", "AQAC", "_-8", "%"])
    if annotation is bool:
        return st.booleans()
    if annotation is str:
        return TEXT
    if str(annotation).startswith("list"):
        return st.lists(values(arguments[0]), max_size=2)
    if arguments and isinstance(annotation, type(int | None)):
        return values(arguments[0]) | st.none()
    return st.integers(-(2**70), 2**70) | st.just({}) | st.none()


def objects(kind: type[Message]) -> st.SearchStrategy[dict[str, Any]]:
    fields = msgspec.structs.fields(kind)
    optional = {field.encode_name: st.deferred(lambda f=field: values(f.type)) for field in fields}
    return st.fixed_dictionaries({}, optional=optional)


def play(session: Session, messages: list[dict[str, Any]]) -> list[Event]:
    events: list[Event] = []
    for now, message in enumerate(messages):
        try:
            events += session.receive(json.dumps(message), now * 0.4)
        except RemoteProtocolError as exc:
            assert exc.reason.isprintable()  # noqa: PT017 - which of both happens is chance
    return events


@given(st.lists(objects(ServerMessage), max_size=6))
def test_a_client_receives_anything(messages: list[dict[str, Any]]) -> None:
    session = Session(Role.CLIENT)
    session.send(ClientMessage(setup=Setup(model="m")), 0.0)
    session.receive('{"setupComplete":{}}', 0.0)
    events = play(session, messages)
    ended = [event.turn for event in events if isinstance(event, TurnComplete)]
    assert ended == sorted(set(ended))
    assert all(number < session.turn for number in ended)


@given(st.lists(objects(ClientMessage), max_size=6), st.booleans())
def test_a_server_receives_anything(messages: list[dict[str, Any]], set_up: bool) -> None:
    session = Session(Role.SERVER)
    if set_up:
        session.receive('{"setup":{"model":"m"}}', 0.0)
        session.send(ServerMessage(setup_complete=SetupComplete()), 0.0)
    play(session, messages)


@pytest.mark.parametrize("role", list(Role))
@given(payload=st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_on_a_new_session(role: Role, payload: bytes | str) -> None:
    session = Session(role)
    try:
        session.receive(payload, 0.0)
    except RemoteProtocolError as exc:
        assert exc.close_code == 1007  # noqa: PT017 - as above
