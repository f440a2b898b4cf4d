"""Payloads that the official SDKs really send: each decodes, nothing known to us is lost."""

import base64
import json
from typing import Any

import pytest

from live_cli.protocol.messages import (
    ActivityEnd,
    Blob,
    ClientContent,
    ClientMessage,
    Content,
    ContextUpdate,
    FunctionResponse,
    Part,
    RealtimeInput,
    Setup,
    ToolList,
)
from live_cli.protocol.wire import decode_client, encode, find_unknown_fields
from tests.harness.sdk_payloads import PAYLOADS

# An independent notion of "the same content": names in camelCase, base64 as bytes, numbers as
# floats, enum-like words in capitals, nothing unset. Data of users is compared untouched.
USER_DATA = {
    "args", "response", "parameters", "parametersJsonSchema", "responseJsonSchema",
    "labels", "avatarConfig", "safetySettings",
}  # fmt: skip
INTEGERS = {"triggerTokens", "targetTokens"}
WORDS = {"thinkingLevel", "responseModalities", "scheduling", "mode"}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[0].upper() + word[1:] for word in rest)


def normal(value: Any, name: str = "") -> Any:
    if name in USER_DATA and isinstance(value, dict | list):
        return value
    if isinstance(value, dict):
        pairs = ((camel(key), inner) for key, inner in value.items())
        return {
            key: normal(inner, key)
            for key, inner in pairs
            if inner is not None and (key, inner) != ("turnComplete", False)
        }
    if isinstance(value, list):
        return [normal(item, name) for item in value]
    if name == "data":
        padded = value + "=" * (-len(value) % 4)
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    if name in INTEGERS:
        return float(value)
    if name in WORDS:
        return value.upper()
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_every_capture_is_there() -> None:
    sources = {name.partition("/")[0] for name in PAYLOADS}
    assert sources == {"js", "py", "py_1.55", "py_2x", "py_vertex"}
    assert len(PAYLOADS) > 250


@pytest.mark.parametrize("name", PAYLOADS)
def test_nothing_known_is_lost(name: str) -> None:
    payload = PAYLOADS[name]
    message = decode_client(payload)
    assert find_unknown_fields(payload) == []
    assert normal(json.loads(encode(message))) == normal(json.loads(payload))
    assert decode_client(encode(message)) == message
    assert decode_client(payload.encode()) == message


def setup(name: str) -> Setup:
    message = decode_client(PAYLOADS[name])
    assert message.setup is not None
    return message.setup


MODEL = "models/gemini-2.5-flash-native-audio-preview-12-2025"


@pytest.mark.parametrize("name", ["py/S voice", "js/S voice", "py_vertex/S voice"])
def test_voice(name: str) -> None:
    config = setup(name).generation_config
    assert config is not None
    assert config.speech_config is not None
    assert config.speech_config.language_code == "de-DE"
    assert config.speech_config.voice_config is not None
    assert config.speech_config.voice_config.prebuilt_voice_config is not None
    assert config.speech_config.voice_config.prebuilt_voice_config.voice_name == "Kore"
    assert config.response_modalities == ["AUDIO"]


@pytest.mark.parametrize("name", ["py/S vad", "js/S vad", "py_1.55/S vad", "py_vertex/S vad"])
def test_voice_activity_detection(name: str) -> None:
    config = setup(name).realtime_input_config
    assert config is not None
    detection = config.automatic_activity_detection
    assert detection is not None
    assert detection.disabled is False
    assert detection.start_of_speech_sensitivity == "START_SENSITIVITY_LOW"
    assert detection.end_of_speech_sensitivity == "END_SENSITIVITY_LOW"
    assert (detection.prefix_padding_ms, detection.silence_duration_ms) == (20, 100)


@pytest.mark.parametrize("name", ["py/S compression tokens", "js/S compression tokens"])
def test_int64_as_number_or_string(name: str) -> None:
    compression = setup(name).context_window_compression
    assert compression is not None
    assert compression.trigger_tokens == 25_000
    assert compression.sliding_window is not None
    assert compression.sliding_window.target_tokens == 8_000


def test_lower_case_level_is_lifted() -> None:
    config = setup("js/S thinking level").generation_config
    assert config is not None
    assert config.thinking_config is not None
    assert config.thinking_config.thinking_level == "LOW"


def test_sampling() -> None:
    config = setup("py/S gen params").generation_config
    assert config is not None
    assert (config.temperature, config.top_p, config.top_k) == (0.7, 0.9, 40.0)
    assert (config.max_output_tokens, config.seed) == (512, 7)


def test_schemas_are_the_users() -> None:
    tools = setup("py/S tools json schema").tools
    assert tools is not None
    declarations = tools[0].function_declarations
    assert declarations is not None
    assert declarations[0].parameters_json_schema == {
        "type": "object",
        "properties": {"some_key": {"type": "number"}},
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "py/M rt audio (bytes fb ff fe)",
            ClientMessage(
                realtime_input=RealtimeInput(
                    audio=Blob(data=b"\xfb\xff\xfe", mime_type="audio/pcm;rate=16000")
                )
            ),
        ),
        (
            "js/M rt audio",
            ClientMessage(
                realtime_input=RealtimeInput(
                    audio=Blob(data=b"\xfb\xff\xfe", mime_type="audio/pcm;rate=16000")
                )
            ),
        ),
        (
            "py/M deprecated send Blob",
            ClientMessage(
                realtime_input=RealtimeInput(
                    media_chunks=[Blob(data=b"\xfb\xff\xfe", mime_type="audio/pcm")]
                )
            ),
        ),
        (
            "js/M rt two fields",
            ClientMessage(realtime_input=RealtimeInput(text="x", activity_end=ActivityEnd())),
        ),
        (
            "py/M cc empty",
            ClientMessage(client_content=ClientContent(turn_complete=True)),
        ),
        (
            "py/M cc turns",
            ClientMessage(
                client_content=ClientContent(
                    turns=[
                        Content(role="user", parts=[Part(text="Q")]),
                        Content(role="model", parts=[Part(text="A")]),
                    ]
                )
            ),
        ),
        (
            "py/M ctx tools clear",
            ClientMessage(context_update=ContextUpdate(tools=ToolList(tools=[]))),
        ),
        ("js/M ctx tools clear", ClientMessage(context_update=ContextUpdate(tools=ToolList()))),
        ("js/S none", ClientMessage(setup=Setup(model=MODEL))),
    ],
)
def test_key_messages(name: str, message: ClientMessage) -> None:
    assert decode_client(PAYLOADS[name]) == message


def test_function_responses_keep_their_data() -> None:
    message = decode_client(PAYLOADS["py/M tool resp"])
    assert message.tool_response is not None
    assert message.tool_response.function_responses == [
        FunctionResponse(
            id="c1", name="f", response={"result": "ok", "snake_key": {"inner_key": 1}}
        )
    ]
