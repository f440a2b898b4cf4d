"""The setup of a session under a token's field mask: the three rows, in both spellings."""

import json
from typing import Any

import pytest

from live_cli.errors import RemoteProtocolError
from live_cli.protocol.field_mask import effective_setup, read_mask
from live_cli.protocol.messages import ClientMessage, Setup
from live_cli.protocol.wire import decode_client, encode


def setup(given: dict[str, Any]) -> Setup:
    message = decode_client(json.dumps({"setup": given}))
    assert message.setup is not None
    return message.setup


def plain(made: Setup) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(encode(ClientMessage(setup=made)))["setup"]
    return given


CLIENT = {
    "model": "models/mine",
    "generationConfig": {"temperature": 1.5, "topK": 3, "responseModalities": ["TEXT"]},
    "systemInstruction": {"role": "system", "parts": [{"text": "mine"}]},
    "inputAudioTranscription": {},
}
TOKEN = {
    "model": "models/its",
    "generationConfig": {"temperature": 0.5, "responseModalities": ["AUDIO"]},
    "systemInstruction": {"role": "user", "parts": [{"text": "its"}]},
    "outputAudioTranscription": {},
}
SDK_MASK = (
    "model,generationConfig.responseModalities,generationConfig.temperature,"
    "systemInstruction.parts,systemInstruction.role,output_audio_transcription,"
    "generationConfig.top_k"
)


@pytest.mark.parametrize(
    ("token", "mask", "expected"),
    [
        (None, "", CLIENT),
        (TOKEN, "", TOKEN),
        ({**TOKEN, "model": ""}, "", {**TOKEN, "model": "models/mine"}),
        (
            TOKEN,
            SDK_MASK,
            {
                **TOKEN,
                "generationConfig": {"temperature": 0.5, "responseModalities": ["AUDIO"]},
                "inputAudioTranscription": {},
            },
        ),
        (
            TOKEN,
            "generationConfig.temperature",
            {**CLIENT, "generationConfig": {**CLIENT["generationConfig"], "temperature": 0.5}},  # type: ignore[dict-item]
        ),
        (
            None,
            "temperature",
            {**CLIENT, "generationConfig": {"topK": 3, "responseModalities": ["TEXT"]}},
        ),
        (TOKEN, "systemInstruction", {**CLIENT, "systemInstruction": TOKEN["systemInstruction"]}),
        (
            TOKEN,
            "system_instruction.parts",
            {**CLIENT, "systemInstruction": {"role": "system", "parts": [{"text": "its"}]}},
        ),
        (
            TOKEN,
            "inputAudioTranscription",
            {key: value for key, value in CLIENT.items() if key != "inputAudioTranscription"},
        ),
        (TOKEN, "realtimeInputConfig.automaticActivityDetection.disabled", CLIENT),
        (
            TOKEN,
            "generation_config,model",
            {**CLIENT, "model": "models/its", "generationConfig": TOKEN["generationConfig"]},
        ),
    ],
)
def test_the_table(token: dict[str, Any] | None, mask: str, expected: dict[str, Any]) -> None:
    made = effective_setup(setup(CLIENT), token and setup(token), read_mask(mask))
    assert plain(made) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("generationConfig.topK", "generation_config.top_k"),
        ("topK", "top_k"),
        ("generationConfig.topK", "top_k"),
        ("realtimeInputConfig.turnCoverage", "realtime_input_config.turn_coverage"),
        ("model, sessionResumption ,", "model,session_resumption"),
    ],
)
def test_both_spellings_and_the_short_form_are_one(one: str, other: str) -> None:
    assert read_mask(one) == read_mask(other) != ()


@pytest.mark.parametrize(
    "mask",
    ["tempature", "generationConfig.tools", "tools.googleSearch", "model.x", "*", "a.b", "."],
)
def test_a_path_that_no_setup_has_is_named(mask: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read_mask(f"model,{mask}")
    assert mask in caught.value.reason
    assert "field_mask" in caught.value.reason


@pytest.mark.parametrize("mask", ["", "model,sessionResumption"])
def test_the_clients_handle_resumes_where_the_token_lets_sessions_resume(mask: str) -> None:
    client = setup({"model": "models/mine", "sessionResumption": {"handle": "h"}})
    lets = setup({"model": "models/its", "sessionResumption": {}})
    lets_not = setup({"model": "models/its"})
    made = effective_setup(client, lets, read_mask(mask))
    assert made.session_resumption is not None
    assert made.session_resumption.handle == "h"
    assert effective_setup(client, lets_not, read_mask(mask)).session_resumption is None
