"""The orders of Google's recorded sessions: `serve` answers each in the same shapes and order."""

import base64
import itertools
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.scripted import ScriptedChatModel
from tests.checklist.server import BETA, Client, found, parts, running
from tests.harness.recorded_frames import RECORDED, Frame, RecordedSession, filled, shape_of
from tests.harness.scripted_session import ScriptedRegistry, silence, utterance

VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
ANSWER = "One two three four. Five six seven eight. Nine ten eleven twelve."
WEATHER = 'call:get_current_weather {"location": "Redmond, WA"}'
ANSWERS = [session for session in RECORDED if len(session.of("server")) > 1]
SPEECH = np.concatenate([utterance(), silence(0.7)])  # three seconds, as was recorded
RECORDING = base64.b64encode(pcm16_from_float(SPEECH)).decode()

SOUND: Frame = {"data": "<base64>", "mimeType": "audio/pcm;rate=24000"}
GEMINI_SOUND: Frame = {"serverContent": {"modelTurn": {"parts": [{"inlineData": SOUND}]}}}
TOKENS = [{"modality": "<text>", "tokenCount": "<count>"}]
VERTEX_USAGE: Frame = {
    "promptTokenCount": "<count>",
    "candidatesTokenCount": "<count>",
    "totalTokenCount": "<count>",
    "promptTokensDetails": TOKENS,
    "candidatesTokensDetails": TOKENS,
}
RESULTS: Frame = {"toolUsePromptTokenCount": "<count>", "toolUsePromptTokensDetails": TOKENS}


def known(vertex: bool) -> list[Frame]:
    """The shapes of the recordings, and of what they cut: long frames, and ends of turns."""
    shapes = [s for each in RECORDED if each.is_vertex == vertex for s in each.of("server")]
    if not vertex:
        return [*shapes, GEMINI_SOUND]
    end = {"turnComplete": True}
    usages = [VERTEX_USAGE, VERTEX_USAGE | RESULTS]
    return shapes + [{"serverContent": end, "usageMetadata": usage} for usage in usages]


def is_in_order(wanted: Sequence[Any], sent: Sequence[Any]) -> bool:
    """Whether all of ``wanted`` are in ``sent``, in their order."""
    rest = iter(sent)
    return all(any(each == shape for each in rest) for shape in wanted)


def a_request_of(session: RecordedSession) -> str:
    return "call" if any("toolCall" in shape for shape in session.of("server")) else "talk"


async def played(session: RecordedSession, client: Client) -> None:
    """Send what the client sent, the setup after the socket; wait for what ends the recording."""
    for shape in session.of("client"):
        await client.send(**filled(shape, RECORDING))
        if "setup" in shape:
            await client.receive()
    ends_with_call = a_request_of(session) == "call"
    if ends_with_call and not session.is_vertex:
        await client.until("toolCall")
    else:
        await client.turn()


@pytest.mark.parametrize("session", ANSWERS, ids=lambda session: session.name)
async def test_a_recorded_session_is_answered_in_its_order(session: RecordedSession) -> None:
    replies = [WEATHER] if a_request_of(session) == "call" else [ANSWER]
    registry = ScriptedRegistry(ScriptedChatModel(replies))
    path = VERTEX if session.is_vertex else BETA
    async with running(registry) as server, server.dial(path) as socket:
        client = Client(socket)
        await played(session, client)
    shapes = [shape_of(message) for message in client.received]
    assert is_in_order(session.of("server"), shapes), shapes
    allowed = known(session.is_vertex)
    assert [shape for shape in shapes if shape not in allowed] == []
    kinds = [kind for kind, _ in itertools.groupby(shapes)]
    assert kinds[0] == session.of("server")[0]  # setupComplete, before all others
    assert sum(shape == kinds[0] for shape in shapes) == 1
    assert sum("turnComplete" in shape.get("serverContent", {}) for shape in shapes) <= 1


@pytest.mark.parametrize("vertex", [False, True], ids=["gemini", "vertex"])
async def test_a_session_id_is_told_on_vertex_alone(vertex: bool) -> None:
    ids = set()
    async with running() as server:
        for _ in range(2):
            async with server.connect(path=VERTEX if vertex else BETA) as client:
                [told] = found(client.received, "setupComplete")
                assert set(told) == ({"sessionId"} if vertex else set())
                ids.add(told.get("sessionId"))
    assert len(ids) == (2 if vertex else 1)


NATIVE = "gemini-2.5-flash-native-audio-preview-12-2025"
CASCADES = ["gemini-live-2.5-flash-preview", "gemini-2.0-flash-live-001", "gemini-2.0-flash-exp"]
DECLARED = {"functionDeclarations": {"name": "get_current_weather", "behavior": "BLOCKING"}}


GEMINI_MODELS = [*CASCADES, NATIVE, "gemini-3.1-flash-live-preview", "gemini-3.8-live", "local"]
VERTEX_MODELS = [*CASCADES, "gemini-live-2.5-flash-native-audio", "gemini-3.8-live", "local"]


@pytest.mark.parametrize(
    ("model", "vertex", "modality"),
    [
        (model, vertex, modality)
        for vertex, models in ((False, GEMINI_MODELS), (True, VERTEX_MODELS))
        for model in models
        for modality in (["AUDIO", "TEXT"] if model in (*CASCADES, "local") else ["AUDIO"])
    ],
)
async def test_one_turn_complete_after_an_answer_but_on_vertex_half_cascade(
    model: str, vertex: bool, modality: str
) -> None:
    registry = ScriptedRegistry(ScriptedChatModel([f"One moment. {WEATHER}", "It rains."]))
    setup = {"tools": DECLARED, "generationConfig": {"responseModalities": modality}}
    path = VERTEX if vertex else BETA
    async with running(registry) as server, server.connect(f"models/{model}", path, **setup) as c:
        await c.send(realtimeInput={"text": "How is the weather?"})
        before = await c.until("toolCall")
        ends_with_call = vertex and model in CASCADES
        if ends_with_call:
            await c.turn()
        [call] = before[-1]["toolCall"]["functionCalls"]
        response = {"id": call["id"], "name": call["name"], "response": {"output": "rain"}}
        await c.send(toolResponse={"functionResponses": response})
        after = await c.turn()
        await c.send(realtimeInput={"text": "Thanks."})  # nothing else was on its way
        await c.until("serverContent", "modelTurn")
    ends = found(c.received, "serverContent", "turnComplete")
    assert len(ends) == (2 if ends_with_call else 1)
    assert found(before, "serverContent", "generationComplete") == []
    assert len(found(after, "serverContent", "generationComplete")) == 1
    shown = [part for part in parts(before) if "executableCode" in part]
    code = "print(default_api.get_current_weather(location='Redmond, WA'))"
    as_code = [{"executableCode": {"language": "PYTHON", "code": code}}]
    assert shown == (as_code if model in CASCADES and not vertex else [])


async def test_a_setup_in_the_ways_of_proto_json_is_taken_and_answered_in_ascii() -> None:
    chat = ScriptedChatModel(["Grüße aus 東京 🎤."])
    setup = {
        "generation_config": {"responseModalities": 1, "mediaResolution": 2, "seed": "7"},
        "systemInstruction": {"parts": {"text": "Be brief."}},
        "tools": [{"googleSearch": True}, {"functionDeclarations": {"name": "f", "behavior": 1}}],
        "realtimeInputConfig": {"activityHandling": 2, "automaticActivityDetection": True},
        "sessionResumption": True,
        "outputAudioTranscription": False,
    }
    async with (
        running(ScriptedRegistry(chat), strict=True) as server,
        server.connect("models/local", **setup) as client,
    ):
        await client.send(clientContent={"turns": {"role": "user", "parts": {"text": "Hi"}}})
        await client.send(clientContent={"turn_complete": "true"})
        payloads = [await client.socket.recv() for _ in range(4)]
    assert all(payload.isascii() for payload in payloads)
    said = "".join(part["text"] for part in parts([json.loads(each) for each in payloads]))
    assert "Grüße aus 東京 🎤.".startswith(said)
    assert len(said) > 6
    [request] = chat.requests
    assert [message.text for message in request.messages] == ["Be brief.", "Hi"]
    assert [tool.name for tool in request.tools] == ["f"]
    assert request.sampling.seed == 7
