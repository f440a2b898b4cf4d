"""The codec: one meaning for every spelling, and never another error than ours."""

import contextlib
import inspect
import json
import sys
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_cli.errors import LocalProtocolError, RemoteProtocolError
from live_cli.protocol import messages
from live_cli.protocol.messages import (
    AuthToken,
    Blob,
    ClientMessage,
    Content,
    CountTokensRequest,
    FunctionCall,
    FunctionResponse,
    GoAway,
    Message,
    ModalityTokenCount,
    Part,
    RealtimeInput,
    ServerContent,
    ServerMessage,
    SessionResumptionUpdate,
    ToolCall,
    ToolResponse,
    UsageMetadata,
)
from live_cli.protocol.wire import (
    decode_client,
    decode_server,
    encode,
    find_unknown_fields,
    format_duration,
    parse_duration,
    sample_rate_of,
    unknown_field_reason,
)

CLASSES = [
    kind
    for _, kind in inspect.getmembers(messages, inspect.isclass)
    if issubclass(kind, Message) and kind is not Message
]


def sample(annotation: Any) -> Any:
    """Make a value for a field from its type alone; an unknown type fails."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        return sample(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if get_origin(annotation) is list:
        return [sample(get_args(annotation)[0])] * 2
    if annotation is Any or get_origin(annotation) is dict:
        return {"snake_key": {"inner_key": [1, "x_y", None]}, "camelKey": "-_"}
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return filled(annotation)
    return {str: "WORD_é", int: 2**40, float: 0.25, bool: True, bytes: b"\xfb\xff\xfe"}[annotation]


def filled(kind: type[Message]) -> Message:
    fields = msgspec.structs.fields(kind)
    return kind(**{field.name: sample(field.type) for field in fields})


def snake_payload(message: Message) -> bytes:
    """Encode ``message`` as a snake_case client would, with URL-safe base64 without padding."""

    def walk(value: Any) -> Any:
        if isinstance(value, Message):
            pairs = ((name, getattr(value, name)) for name in value.__struct_fields__)
            return {name: walk(inner) for name, inner in pairs}
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, bytes):
            return msgspec.to_builtins(value).replace("+", "-").replace("/", "_").rstrip("=")
        return str(value) if type(value) is int else value

    return json.dumps(walk(message)).encode()


def test_all_messages_hang_on_an_envelope() -> None:
    seen: set[type] = set()

    def visit(value: Any) -> None:
        if isinstance(value, Message):
            seen.add(type(value))
            for name in value.__struct_fields__:
                visit(getattr(value, name))
        elif isinstance(value, list):
            for item in value:
                visit(item)

    visit(filled(ClientMessage))
    visit(filled(ServerMessage))
    visit(filled(AuthToken))
    visit(filled(CountTokensRequest))
    assert seen == set(CLASSES)
    assert len(CLASSES) > 40


@pytest.mark.parametrize("kind", CLASSES)
def test_every_message_survives_its_own_json(kind: type[Message]) -> None:
    message = filled(kind)
    assert msgspec.json.decode(msgspec.json.encode(message), type=kind) == message


@pytest.mark.parametrize("name", ClientMessage.__struct_fields__)
def test_client_round_trip(name: str) -> None:
    full = filled(ClientMessage)
    message = ClientMessage(**{name: getattr(full, name)})
    assert decode_client(encode(message)) == message
    assert decode_client(snake_payload(message)) == message
    assert decode_client(snake_payload(message).decode()) == message
    assert find_unknown_fields(encode(message)) == []


@pytest.mark.parametrize("name", ServerMessage.__struct_fields__)
def test_server_round_trip(name: str) -> None:
    full = filled(ServerMessage)
    message = ServerMessage(**{name: getattr(full, name)})
    assert decode_server(encode(message)) == message
    assert decode_server(encode(message).decode()) == message
    assert decode_server(snake_payload(message)) == message
    assert find_unknown_fields(snake_payload(message), ServerMessage) == []


def audio(data: bytes) -> ServerMessage:
    part = Part(inline_data=Blob(data=data, mime_type="audio/pcm;rate=24000"))
    return ServerMessage(server_content=ServerContent(model_turn=Content(parts=[part])))


@given(st.binary(max_size=64))
def test_both_base64_alphabets_with_and_without_padding(data: bytes) -> None:
    standard = encode(audio(data))
    text = msgspec.to_builtins(data)
    safe = text.replace("+", "-").replace("/", "_")
    for spelling in (text, text.rstrip("="), safe, safe.rstrip("=")):
        if not data:
            break  # an empty default is not written at all
        payload = standard.replace(f'"{text}"'.encode(), f'"{spelling}"'.encode())
        assert decode_server(payload) == audio(data)


def test_what_goes_out_is_canonical() -> None:
    assert encode(audio(b"\xfb\xff\xfe")) == (
        b'{"serverContent":{"modelTurn":{"parts":[{"inlineData":'
        b'{"data":"+//+","mimeType":"audio/pcm;rate=24000"}}]}}}'
    )


PRETTY = b'{\n  "serverContent": {\n    "turnComplete": true\n  }\n}\n'


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (PRETTY, ServerMessage(server_content=ServerContent(turn_complete=True))),
        (b"", ServerMessage()),
        ("", ServerMessage()),
        (b"{}", ServerMessage()),
        (b'{"foo":{"a_b":[1]},"bar":null}', ServerMessage()),
        (
            b'{"serverContent":{"turnComplete":true,"turnCompleteReason":"BRAND_NEW"}}',
            ServerMessage(
                server_content=ServerContent(turn_complete=True, turn_complete_reason="BRAND_NEW")
            ),
        ),
        (
            b'{"sessionResumptionUpdate":{"newHandle":"h","lastConsumedClientMessageIndex":"12"}}',
            ServerMessage(
                session_resumption_update=SessionResumptionUpdate(
                    new_handle="h", last_consumed_client_message_index=12
                )
            ),
        ),
        (
            b'{"usageMetadata":{"totalTokenCount":"3","responseTokensDetails":'
            b'[{"modality":"AUDIO","tokenCount":3.0}],"cacheTokensDetails":null}}',
            ServerMessage(
                usage_metadata=UsageMetadata(
                    total_token_count=3,
                    response_tokens_details=[ModalityTokenCount(modality="AUDIO", token_count=3)],
                )
            ),
        ),
        (
            b'{"go\\u005faway":{"time\\u005Fleft":"9.5s"}}',
            ServerMessage(go_away=GoAway(time_left="9.5s")),
        ),
        (
            b'{"toolCall":{"functionCalls":[{"name":"null","args":{"a_b":null,"aB":"-_"}}]}}',
            ServerMessage(
                tool_call=ToolCall(
                    function_calls=[FunctionCall(name="null", args={"a_b": None, "aB": "-_"})]
                )
            ),
        ),
        # of two spellings the last wins, as does the last of two equal ones; null never does
        (
            b'{"goAway":{"timeLeft":"1s","time_left":"2s"}}',
            ServerMessage(go_away=GoAway(time_left="2s")),
        ),
        (
            b'{"goAway":{"time_left":"2s","timeLeft":"1s"}}',
            ServerMessage(go_away=GoAway(time_left="1s")),
        ),
        (
            b'{"goAway":{"time_left":"2s","timeLeft":null}}',
            ServerMessage(go_away=GoAway(time_left="2s")),
        ),
        (
            b'{"goAway":{"timeLeft":"1s"},"goAway":{"timeLeft":"2s"}}',
            ServerMessage(go_away=GoAway(time_left="2s")),
        ),
    ],
)
def test_what_a_server_may_write(payload: bytes | str, message: ServerMessage) -> None:
    assert decode_server(payload) == message


def test_null_is_unset_also_where_the_default_is_not_none() -> None:
    message = decode_client(
        b'{"clientContent":{"turnComplete":null,"turns":[{"parts":[{"inlineData":{"data":null}}]}]}}'
    )
    assert message.client_content is not None
    assert message.client_content.turn_complete is False
    assert message.client_content.turns == [Content(parts=[Part(inline_data=Blob())])]


def test_two_mebibytes_pass() -> None:
    message = audio(bytes(2 * 1024 * 1024))
    assert decode_server(encode(message)) == message


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"hello", "Invalid JSON payload received. JSON is malformed: invalid character (byte 0)."),
        (b"[]", "Invalid JSON payload received. Expected an object."),
        (b"null", "Invalid JSON payload received. Expected an object."),
        (b"{}", "Invalid JSON payload received. The message is empty."),
        (b'{"setup":null}', "Invalid JSON payload received. The message is empty."),
        (b'{"foo":{}}', 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'),
        (b'{"setup":{"model":5}}', "Invalid value at 'setup.model': Expected str, got int."),
        (
            b'{"setup":{"generationConfig":{"temperature":"NaN"}}}',
            "Invalid value at 'setup.generation_config': temperature is not a finite number.",
        ),
        (
            b'{"setup":{"contextWindowCompression":{"triggerTokens":' + b"9" * 30 + b"}}}",
            "Invalid value at 'setup.context_window_compression.trigger_tokens': "
            "Expected int <= 9223372036854775807.",
        ),
        (
            b'{"realtimeInput":{"audio":{"data":"%%%%"}}}',
            "Invalid value at 'realtime_input.audio.data': Invalid base64 encoded string.",
        ),
        (
            b'{"setup":{},"clientContent":{}}',
            "Invalid value (oneof), oneof field 'message_type' is already set to 'setup'. "
            "Cannot set 'clientContent'.",
        ),
    ],
)
def test_complaints(payload: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_client(payload)
    assert caught.value.reason == reason
    assert caught.value.close_code == 1007


DEEP = sys.getrecursionlimit() * 100
GARBAGE = [
    b'{"foo":' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"toolCall":{"functionCalls":[{"args":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}]}}",
    b'{"serverContent":{"modelTurn":{"parts":[{"text":"\xff"}]}}}',
    b'{"usageMetadata":{"totalTokenCount":' + b"9" * 10_000 + b"}}",
    b'{"usageMetadata":{"totalTokenCount":"' + b"9" * 10_000 + b'"}}',
    b'{"usageMetadata":{"totalTokenCount":1e999}}',
    b'{"usageMetadata":{"totalTokenCount":NaN}}',
    b'{"usageMetadata":{"totalTokenCount":1.5}}',
    b'{"goAway":{"timeLeft":"\\ud800"}}',
    '{"goAway":{"timeLeft":"\ud800"}}',
    '{"\udfff":1}',
    b'{"serverContent":{"modelTurn":{"parts":[null]}}}',
    b'{"serverContent":[]}',
    b'{"server_content":7}',
    b'{"serverContent":{}',
    b'{"serverContent":{}}{}',
    b"\xef\xbb\xbf{}",
    b"\x00",
    b"\xff\xfe{\x00}\x00",
]


@pytest.mark.parametrize("payload", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_by_name(payload: bytes | str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_server(payload)
    assert caught.value.reason.isprintable()


SPELLINGS = sorted(
    {
        spelling
        for kind in CLASSES
        for field in msgspec.structs.fields(kind)
        for spelling in (field.name, field.encode_name)
    }
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(SPELLINGS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def either_message_or_our_error(payload: bytes | str) -> None:
    for decode in (decode_client, decode_server):
        try:
            message = decode(payload)
        except RemoteProtocolError:
            continue
        assert decode(encode(message)) == message
    with contextlib.suppress(RemoteProtocolError):
        find_unknown_fields(payload)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_bytes_of_any_kind(payload: bytes | str) -> None:
    either_message_or_our_error(payload)


@settings(max_examples=300)
@given(JSON)
def test_json_of_any_shape(value: Any) -> None:
    either_message_or_our_error(json.dumps(value))


def objects_in(kind: type[Message], value: Any) -> list[Any]:
    return [{field.encode_name: value} for field in msgspec.structs.fields(kind)]


@given(
    st.sampled_from(CLASSES), st.data(), st.booleans() | st.integers() | st.text(max_size=9) | JSON
)
def test_any_value_under_every_envelope_field(
    kind: type[Message], data: st.DataObject, value: Any
) -> None:
    envelope = data.draw(st.sampled_from([ClientMessage, ServerMessage]))
    outer = data.draw(st.sampled_from(msgspec.structs.fields(envelope))).encode_name
    inner = data.draw(st.sampled_from(objects_in(kind, value) or [{}]))
    either_message_or_our_error(json.dumps({outer: inner}))


@given(st.binary(min_size=1, max_size=40), st.integers(0, 10_000))
def test_a_damaged_payload(damage: bytes, at: int) -> None:
    payload = bytearray(encode(audio(bytes(range(64)))))
    at %= len(payload)
    payload[at : at + len(damage)] = damage
    either_message_or_our_error(bytes(payload))


def test_what_has_no_json_form_is_our_mistake() -> None:
    for response in ({"a": object()}, {"a": "\ud800"}, {1.5: {object(): 1}}):
        message = ClientMessage(
            tool_response=ToolResponse(function_responses=[FunctionResponse(response=response)])  # type: ignore[arg-type]
        )
        with pytest.raises(LocalProtocolError):
            encode(message)
    with pytest.raises(LocalProtocolError):
        encode(ClientMessage(realtime_input=RealtimeInput(text="\ud800")))


def test_unknown_fields_are_named_by_path() -> None:
    payload = (
        b'{"setup":{"tools":[{},{"functionDeclarations":[{"newField":1,"parameters":{"a":1}}]}],'
        b'"proactivityX":{}},"y_z":1}'
    )
    assert find_unknown_fields(payload) == [
        "setup.tools[1].function_declarations[0].newField",
        "setup.proactivityX",
        "y_z",
    ]
    assert unknown_field_reason("setup.proactivity") == (
        "Invalid JSON payload received. Unknown name \"proactivity\" at 'setup': Cannot find field."
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("9.5s", 9.5),
        ("50s", 50.0),
        ("0s", 0.0),
        ("-1.25s", -1.25),
        ("0.000000001s", 1e-9),
        (None, None),
        ("", None),
        ("5", None),
        ("s", None),
        ("1e3s", None),
        ("nans", None),
        ("٣s", None),
        ("1s\n", None),
    ],
)
def test_durations_read(text: str | None, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(9.5, "9.5s"), (50, "50s"), (0, "0s"), (-0.0, "0s"), (1e-12, "0s"), (100.0, "100s")],
)
def test_durations_written(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.floats(0, 1e6))
def test_durations_round_trip(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    ("mime_type", "rate"),
    [
        (None, 16_000),
        ("audio/pcm", 16_000),
        ("audio/pcm;rate=24000", 24_000),
        ("audio/pcm; rate=8000", 8_000),
        ("audio/l16;codec=pcm;Rate=44100", 44_100),
        ('audio/pcm;rate="48000"', 48_000),
        ("audio/pcm;bitrate=5", 16_000),
    ],
)
def test_sample_rates(mime_type: str | None, rate: int) -> None:
    assert sample_rate_of(mime_type) == rate


NO_RATES = ["0", "-1", "abc", "1e5", "", "99999999999", "²", "7999", "192001"]


@pytest.mark.parametrize("rate", NO_RATES)
def test_sample_rates_that_are_none(rate: str) -> None:
    with pytest.raises(RemoteProtocolError):
        sample_rate_of(f"audio/pcm;rate={rate}")
