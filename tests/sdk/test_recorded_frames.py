"""Frames that `serve` sends, through the SDKs' own parsers: no field that they know is dropped."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.harness.sdks import (
    NODE,
    NODE_2_32,
    PYTHON,
    PYTHON_1_55,
    SCRIPTED,
    Sdk,
    Serving,
    serving_sdks,
)
from tests.harness.speech import speech_like
from tests.sdk.recording import VERTEX, recording

SPOKEN = np.concatenate([speech_like(1.0), np.zeros(16_000, np.float32)])
REPLIES = (
    'Good day. Nice to meet you.|One moment. call:turn_on {"brightness": 0.5, "room_name": "x"}'
)
TRANSCRIBED: dict[str, Any] = {"inputAudioTranscription": {}, "outputAudioTranscription": {}}
TEXT: dict[str, Any] = {"generationConfig": {"responseModalities": ["TEXT"]}}

PARSING = """
import asyncio, base64, sys
from google import genai
from google.genai import live

frames = [base64.b64decode(line) for line in sys.stdin]

class Recorded:
    def __init__(self):
        self.frames = iter(frames)

    async def recv(self, decode=None):
        return next(self.frames)

client = genai.Client(api_key="any", vertexai=VERTEX)
session = live.AsyncSession(api_client=client._api_client, websocket=Recorded())

async def main():
    for _ in frames:
        message = await session._receive()
        print(message.model_dump_json(by_alias=True, exclude_none=True))

asyncio.run(main())
"""

RECEIVING = """
import { GoogleGenAI, Modality } from '@google/genai';

const ai = new GoogleGenAI({});
await ai.live.connect({
  model: 'local',
  config: { responseModalities: [Modality.AUDIO] },
  callbacks: {
    onmessage: (message) => console.log(JSON.stringify(message)),
    onclose: (e) => process.exit(e.code === 1000 ? 0 : 1),
  },
});
"""

UNKNOWN_TO = {
    PYTHON_1_55: {
        "serverContent.inputTranscription.startOffset",
        "serverContent.inputTranscription.endOffset",
        "voiceActivity",
    },
}

CALLED_BY_PYTHON = {
    "voiceActivity.type": "voiceActivityType",
    "usageMetadata.candidatesTokenCount": "responseTokenCount",
    "usageMetadata.candidatesTokensDetails": "responseTokensDetails",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("recorded")
    limit = {"LIVE_CLI_SERVE_CONNECTION_LIMIT_S": "30"}
    with serving_sdks(
        home, **SCRIPTED, LIVE_CLI_ENGINE_CHAT=f"scripted:{REPLIES}", **limit
    ) as running:
        yield running


@pytest.fixture(scope="module")
def frames(server: Serving) -> list[bytes]:
    """Of sound, text, a tool call that is cancelled, an interruption, a handle and a goAway."""
    with recording(server.port, **TRANSCRIBED, sessionResumption={}) as spoken:
        spoken.say(SPOKEN)
        spoken.until("newHandle")
    declared = [{"functionDeclarations": [{"name": "turn_on"}]}]
    with recording(server.port, **TEXT, tools=declared) as typed:
        typed.ask("Turn on the lights.")
        # an answer that was begun ahead and dropped has taken its turn of the script
        while typed.until("toolCall", "turnComplete") != "toolCall":
            typed.ask("Turn on the lights.")
        typed.send(realtimeInput={"text": "Stop"})
        typed.until("toolCallCancellation")
        typed.until("turnComplete")
    with recording(server.port, **TRANSCRIBED) as interrupted:
        interrupted.ask("Hello")
        interrupted.until("inlineData")
        interrupted.send(realtimeInput={"text": "Stop"})
        interrupted.until("interrupted")
        interrupted.until("turnComplete")
        interrupted.until("goAway")
    return spoken.frames + typed.frames + interrupted.frames


def paths(value: Any, path: str = "") -> set[str]:
    """Where ``value`` has something: names joined by dots; lists leave no trace."""
    if isinstance(value, list):
        return set().union(*(paths(item, path) for item in value))
    if not isinstance(value, dict):
        return set()
    below = {name: f"{path}.{name}" if path else name for name in value}
    return set(below.values()).union(*(paths(value[name], at) for name, at in below.items()))


def seen(frames: list[bytes]) -> set[str]:
    return set().union(*(paths(json.loads(frame)) for frame in frames))


def in_python(value: Any, unknown: set[str], path: str = "") -> Any:
    """``value`` as google-genai dumps it: its names, base64 in the alphabet for URLs."""
    if isinstance(value, list):
        return [in_python(item, unknown, path) for item in value]
    if not isinstance(value, dict):
        in_base64 = path.endswith("inlineData.data")
        return value.replace("+", "-").replace("/", "_") if in_base64 else value
    below = {name: f"{path}.{name}" if path else name for name in value}
    return {
        CALLED_BY_PYTHON.get(at, name): in_python(value[name], unknown, at)
        for name, at in below.items()
        if at not in unknown
    }


def test_the_recording_has_every_kind_of_message(frames: list[bytes]) -> None:
    assert seen(frames) >= {
        "setupComplete",
        "serverContent.modelTurn.parts.inlineData.data",
        "serverContent.modelTurn.parts.text",
        "serverContent.inputTranscription.text",
        "serverContent.outputTranscription.text",
        "serverContent.interrupted",
        "serverContent.generationComplete",
        "serverContent.turnComplete",
        "toolCall.functionCalls.args.room_name",
        "toolCallCancellation.ids",
        "sessionResumptionUpdate.newHandle",
        "sessionResumptionUpdate.resumable",
        "goAway.timeLeft",
        "usageMetadata.totalTokenCount",
        "usageMetadata.promptTokensDetails.modality",
        "usageMetadata.responseTokensDetails.tokenCount",
    }


@pytest.mark.parametrize("sdk", [PYTHON, PYTHON_1_55], ids=lambda sdk: sdk.name)
async def test_python_drops_no_field_that_it_knows(
    server: Serving, frames: list[bytes], sdk: Sdk
) -> None:
    await compare(server, frames, sdk, vertex=False)


async def test_nor_in_the_vertex_dialect(server: Serving) -> None:
    asked = {"explicitVadSignal": True, **TRANSCRIBED}
    with recording(server.port, VERTEX, **asked) as spoken:
        spoken.say(SPOKEN)
        spoken.until("turnComplete")
    assert "voiceActivity.audioOffset" in set().union(
        *(paths(json.loads(f)) for f in spoken.frames)
    )
    await compare(server, spoken.frames, PYTHON, vertex=True)


async def compare(server: Serving, frames: list[bytes], sdk: Sdk, *, vertex: bool) -> None:
    lines = "\n".join(base64.b64encode(frame).decode() for frame in frames)
    parsed = await server.run(PARSING.replace("VERTEX", str(vertex)), sdk, stdin=lines)
    unknown = UNKNOWN_TO.get(sdk, set())
    for sent, dump in zip(frames, parsed.splitlines(), strict=True):
        assert json.loads(dump) == in_python(json.loads(sent), unknown)


@pytest.mark.parametrize("sdk", [NODE, NODE_2_32], ids=lambda sdk: sdk.name)
async def test_javascript_hands_on_every_field(
    server: Serving, frames: list[bytes], sdk: Sdk
) -> None:
    async def replay(socket: ServerConnection) -> None:
        await socket.recv()
        for frame in frames:
            await socket.send(frame)

    async with serve(replay, "127.0.0.1", 0) as replaying:
        port = replaying.sockets[0].getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        printed = await server.run(RECEIVING, sdk, GOOGLE_GEMINI_BASE_URL=base)
    assert [json.loads(line) for line in printed.splitlines()] == list(map(json.loads, frames))
