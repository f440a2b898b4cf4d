"""What proto-JSON leaves to its writers: single values, numbers, empty messages, line breaks."""

import json
from base64 import encodebytes
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
import pytest

from live_cli.errors import RemoteProtocolError
from live_cli.protocol import messages
from live_cli.protocol.enum_numbers import ENUM_NAMES
from live_cli.protocol.messages import (
    AuthToken,
    ClientMessage,
    Content,
    Message,
    Part,
    ServerContent,
    ServerMessage,
    Transcription,
)
from live_cli.protocol.wire import (
    decode_auth_token,
    decode_client,
    decode_server,
    encode,
    find_unknown_fields,
)

_CODECS: dict[type[Message], Any] = {
    ClientMessage: decode_client,
    ServerMessage: decode_server,
    AuthToken: lambda payload: decode_auth_token(payload.encode()),
}


def bare(annotation: Any) -> Any:
    """The type in ``Annotated[T, …] | None``."""
    while annotation is not Any and get_origin(annotation) not in (None, list, dict):
        annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


def inner_of(annotation: Any) -> Any:
    kind = bare(annotation)
    return bare(get_args(kind)[0]) if get_origin(kind) is list else kind


Step = tuple[type[Message], Any]
"""A Struct and one of its fields."""


def places(kind: type[Message], way: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Every field of the envelope ``kind`` with the way to it; each Struct on a way once."""
    for field in msgspec.structs.fields(kind):
        there = (*way, (kind, field))
        yield there
        inner = inner_of(field.type)
        nests = isinstance(inner, type) and issubclass(inner, Message)
        if nests and inner not in [step[0] for step in there]:
            yield from places(inner, there)


PLACES = [way for envelope in _CODECS for way in places(envelope)]


def at(way: tuple[Step, ...], value: Any, *, snake: bool, listed: bool) -> str:
    """JSON with ``value`` at the end of a way; lists on the way as lists of one, or single."""
    for number, (_, field) in enumerate(reversed(way)):
        if number and listed and get_origin(bare(field.type)) is list:
            value = [value]
        value = {field.name if snake else field.encode_name: value}
    return json.dumps(value)


def named(way: tuple[Step, ...]) -> str:
    return ".".join(field.encode_name for _, field in way)


def decoded(way: tuple[Step, ...], value: Any, *, snake: bool = False, listed: bool = True) -> Any:
    return _CODECS[way[0][0]](at(way, value, snake=snake, listed=listed))


LISTS = [way for way in PLACES if get_origin(bare(way[-1][1].type)) is list]
ITEMS: dict[Any, Any] = {str: "word", dict: {"a_b": 1}}


def item_of(way: tuple[Step, ...]) -> Any:
    inner = inner_of(way[-1][1].type)
    return {} if isinstance(inner, type) and issubclass(inner, Message) else ITEMS[
        get_origin(inner) or inner
    ]  # fmt: skip


@pytest.mark.parametrize("snake", [False, True], ids=["camel", "snake"])
@pytest.mark.parametrize("way", LISTS, ids=named)
def test_a_single_value_is_a_list_of_one_wherever_a_list_is_meant(
    way: tuple[Step, ...], snake: bool
) -> None:
    item = item_of(way)
    meant = decoded(way, [item])
    assert decoded(way, item, snake=snake) == meant
    assert decoded(way, item, snake=snake, listed=False) == meant  # all lists on the way too


def test_many_lists_were_tried() -> None:
    names = {way[-1][1].name for way in LISTS}
    assert names > {
        "turns", "parts", "tools", "function_declarations", "function_responses", "media_chunks",
        "response_modalities", "language_codes", "safety_settings", "function_calls", "ids",
        "words", "prompt_tokens_details",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ('{"setup":{"tools":{"functionDeclarations":{"foo":1}}}}',
         "setup.tools[0].function_declarations[0].foo"),
        ('{"client_content":{"turns":{"parts":{"bar":1}}}}',
         "client_content.turns[0].parts[0].bar"),
    ],
)  # fmt: skip
def test_unknown_fields_of_single_values_are_found_where_a_list_has_them(
    payload: str, path: str
) -> None:
    assert find_unknown_fields(payload) == [path]


OBJECTS = [
    way
    for way in PLACES
    if inner_of(way[-1][1].type) not in (str, bytes, bool, int, float, Any)
    and way[-1][1].name not in ("args", "response")
]


@pytest.mark.parametrize("way", OBJECTS, ids=named)
def test_true_is_an_empty_message_and_false_is_none(way: tuple[Step, ...]) -> None:
    assert decoded(way, True) == decoded(way, {})
    if len(way) > 1:
        assert decoded(way, False) == decoded(way[:-1], {})


@pytest.mark.parametrize("way", [way for way in PLACES if way[-1][1].name == "args"], ids=named)
def test_what_a_function_takes_is_never_another_value(way: tuple[Step, ...]) -> None:
    with pytest.raises(RemoteProtocolError, match="Expected object, got bool"):
        decoded(way, True)


ENUMS = [way for way in PLACES if (way[-1][0], way[-1][1].name) in ENUM_NAMES]


@pytest.mark.parametrize("way", ENUMS, ids=named)
def test_enums_are_read_by_number(way: tuple[Step, ...]) -> None:
    names = ENUM_NAMES[way[-1][0], way[-1][1].name]
    for number, name in enumerate(names):
        for spelling in (number, float(number)):
            assert decoded(way, spelling) == decoded(way, name), spelling


@pytest.mark.parametrize("way", ENUMS, ids=named)
def test_an_enum_number_that_is_not_known_survives_as_digits(way: tuple[Step, ...]) -> None:
    assert decoded(way, 99) == decoded(way, "99")
    with pytest.raises(RemoteProtocolError):
        decoded(way, 0.5)


def test_every_enum_by_number_is_a_field() -> None:
    tried = {(way[-1][0], way[-1][1].name) for way in ENUMS}
    assert tried == set(ENUM_NAMES)
    assert all(kind.__module__ == messages.__name__ for kind, _ in ENUM_NAMES)


NUMBERS = [way for way in PLACES if inner_of(way[-1][1].type) in (int, float)]


@pytest.mark.parametrize("way", NUMBERS, ids=named)
def test_numbers_are_read_from_strings(way: tuple[Step, ...]) -> None:
    spellings: list[Any] = ["7", "7.0", 7.0, "7e0"]
    assert [decoded(way, spelling) for spelling in spellings] == [decoded(way, 7)] * 4


def test_media_is_read_with_line_breaks() -> None:
    data = bytes(range(256))
    lines = encodebytes(data).decode()
    for text in (lines, lines.replace("\n", "\r\n").rstrip("=\r\n"), f" {lines}"):
        payload = json.dumps({"realtimeInput": {"audio": {"data": text}}})
        received = decode_client(payload).realtime_input
        assert received is not None
        assert received.audio is not None
        assert received.audio.data == data


def said(text: str) -> ServerMessage:
    content = ServerContent(
        output_transcription=Transcription(text=text),
        model_turn=Content(parts=[Part(text=text)]),
    )
    return ServerMessage(server_content=content)


@pytest.mark.parametrize(
    "text", ["naïve", "日本語", "🎤🎧", "e\u0301\u2028", 'a "\\é\n', "\x7f\x00"]
)
def test_frames_are_ascii_json(text: str) -> None:
    payload = encode(said(text))
    assert payload.isascii()
    assert json.loads(payload.decode("ascii"))["serverContent"]["outputTranscription"] == {
        "text": text
    }
    assert decode_server(payload) == said(text)
