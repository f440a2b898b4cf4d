"""The checklist of the Live API's guide, rows 1 to 9: connecting, sound, text, what is seen."""

import zlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
import soundfile
import soxr

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.backends.vad.silero import SileroDetector
from live_cli.engine.setup.voices import VOICE_TRAITS
from live_cli.engine.stages import ChatRequest
from tests.checklist.server import (
    GEMINI,
    HALF_CASCADE,
    NATIVE_AUDIO,
    TEXT,
    TRANSCRIBED,
    Client,
    Server,
    found,
    heard,
    padded,
    running,
    said,
    sound,
    text,
    tokens,
    usage,
)
from tests.harness.images import png
from tests.harness.scripted_session import FakeTime, ScriptedRegistry, utterance
from tests.harness.speech import (
    BECKETT,
    QUESTION,
    moonshine_asset,
    word_error_rate,
    word_errors,
    words,
)

PATIENT = {"realtimeInputConfig": {"automaticActivityDetection": {"silenceDurationMs": 2000}}}
ANSWER = "A dog has four legs."


@pytest.fixture(scope="session")
def question() -> Samples:
    """At 16 kHz, with the silence that ends it."""
    return padded(soundfile.read(QUESTION, dtype="float32")[0])


@pytest_asyncio.fixture
async def speaking(transcriber: object, synthesizer: object) -> AsyncIterator[Server]:
    """With a real transcriber and a real synthesizer; only the answer is scripted."""
    chat = ScriptedChatModel([ANSWER])
    async with running(ScriptedRegistry(chat, transcriber, synthesizer, SileroDetector)) as server:
        yield server


VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (GEMINI.format("v1"), {"x-goog-api-key": "K"}),
        (GEMINI.format("v1beta"), {"x-goog-api-key": "K"}),
        (GEMINI.format("v1alpha"), {"x-goog-api-key": "K"}),
        ("/" + GEMINI.format("v1beta") + "?key=K", {}),
        ("/some/prefix" + GEMINI.format("v1beta") + "?key=K&alt=ws", {}),
        (VERTEX, {"Authorization": "Bearer K"}),
        (VERTEX, {"x-goog-api-key": "K"}),
        ("/", {"Authorization": "Bearer K"}),
    ],
)
async def test_row_01_connection(path: str, headers: dict[str, str]) -> None:
    async with running(keys=["K"]) as server:
        async with server.dial(path, additional_headers=headers) as socket:
            client = Client(socket)
            await client.send(setup={"model": NATIVE_AUDIO})
            assert "setupComplete" in await client.receive()
            await client.ask("Hello")
            assert len(sound(await client.turn())) > 0
        for refused in ({}, {"x-goog-api-key": "wrong"}):
            async with server.dial(path.partition("?")[0], additional_headers=refused) as socket:
                code, reason = await Client(socket).ending()
                assert (code, bool(reason)) == (1007 if refused else 1008, True)


async def test_row_02_audio_in_and_out(speaking: Server, question: Samples) -> None:
    async with speaking.connect(NATIVE_AUDIO) as client:
        await client.say(question)
        turn = await client.turn()
    assert len(sound(turn)) > 0.3 * 24_000
    assert np.sqrt(np.mean(sound(turn) ** 2)) > 0.01


async def test_row_03_audio_formats(speaking: Server) -> None:
    samples, rate = soundfile.read(moonshine_asset("beckett.wav"), dtype="float32")
    heard_at = {}
    for sent_at in (8_000, 16_000, 44_100, 48_000):
        async with speaking.connect(NATIVE_AUDIO, **PATIENT, **TRANSCRIBED) as client:
            await client.say(soxr.resample(samples, rate, sent_at), sent_at)
            await client.send(realtimeInput={"audioStreamEnd": True})
            heard_at[sent_at] = words(heard(await client.turn()))
    assert heard_at == dict.fromkeys(heard_at, words(BECKETT))


TURNS = [{"parts": [{"text": "Hi"}], "role": "user"}]


@pytest.mark.parametrize(
    "message",
    [
        {"client_content": {"turns": TURNS, "turnComplete": True}},
        {"client_content": {"turns": TURNS, "turn_complete": True}},
        {"clientContent": {"turns": TURNS, "turnComplete": True}},
        {"realtime_input": {"text": "Hi"}},
        {"realtimeInput": {"text": "Hi"}},
    ],
)
async def test_row_04_text(message: dict[str, object]) -> None:
    async with running() as server, server.connect(HALF_CASCADE, **TEXT) as client:
        await client.send(**message)
        assert text(await client.turn()) == "You said: Hi"


class Geographer(ScriptedChatModel):
    """Answers with the capital that was asked for last, if an example was given."""

    def _reply_to(self, request: ChatRequest):  # type: ignore[no-untyped-def]
        *context, asked = [message.text for message in request.messages]
        assert context[-2:] == ["What is the capital of France?", "Paris"]
        return {"What is the capital of Germany?": "Berlin"}[asked], []


async def test_row_05_incremental_updates() -> None:
    turns = [
        {"role": "user", "parts": [{"text": "What is the capital of France?"}]},
        {"role": "model", "parts": [{"text": "Paris"}]},
    ]
    chat = Geographer()
    async with (
        running(ScriptedRegistry(chat)) as server,
        server.connect(HALF_CASCADE, **TEXT) as client,
    ):
        await client.send(clientContent={"turns": turns, "turnComplete": False})
        await client.ask("What is the capital of Germany?")
        assert text(await client.turn()) == "Berlin"
        assert len(found(client.received, "serverContent", "turnComplete")) == 1
    assert len(chat.requests) == 1


async def test_row_06_output_transcription(speaking: Server, transcriber: object) -> None:
    async with speaking.connect(NATIVE_AUDIO, outputAudioTranscription={}) as client:
        await client.ask("How many legs does a dog have?")
        turn = await client.turn()
    assert said(turn) == ANSWER
    spoken = soxr.resample(sound(turn), 24_000, 16_000)
    assert word_errors(ANSWER, transcriber.transcribe(spoken)) == 0  # type: ignore[attr-defined]
    async with speaking.connect(NATIVE_AUDIO) as client:
        await client.ask("How many legs does a dog have?")
        assert found(await client.turn(), "serverContent", "outputTranscription") == []


@pytest.mark.parametrize(("model", "modality"), [(NATIVE_AUDIO, "AUDIO"), (HALF_CASCADE, "TEXT")])
async def test_row_07_input_transcription(speaking: Server, model: str, modality: str) -> None:
    samples, rate = soundfile.read(moonshine_asset("beckett.wav"), dtype="float32")
    for asked, errors in ({"inputAudioTranscription": {}}, 0.1), ({}, 1.0):
        generation = {"responseModalities": [modality]}
        async with speaking.connect(
            model, generationConfig=generation, **PATIENT, **asked
        ) as client:
            await client.say(samples, rate)
            await client.send(realtimeInput={"audioStreamEnd": True})
            transcript = heard(await client.turn())
        assert word_error_rate(BECKETT, transcript) <= errors
        assert bool(transcript) == bool(asked)


class ColourSense(ScriptedChatModel):
    """Names the colour of the pictures in the question: their first pixel."""

    sees = True

    def _reply_to(self, request: ChatRequest):  # type: ignore[no-untyped-def]
        return " ".join(colour_of(image.data) for image in request.messages[-1].images), []


def colour_of(data: bytes) -> str:
    pixels = zlib.decompress(data[data.index(b"IDAT") + 4 :])
    return ("red", "green", "blue")[int(np.argmax(list(pixels[1:4])))]


async def test_row_08_audio_with_video() -> None:
    time = FakeTime()
    chat = ColourSense()
    coverage = {"turnCoverage": "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"}
    async with (
        running(ScriptedRegistry(chat), time=time) as server,
        server.connect(HALF_CASCADE, **TEXT, realtimeInputConfig=coverage) as client,
    ):
        for _ in range(10):  # in one second
            await client.show(png(0, 200, 0))
        await client.say(utterance())
        turn = await client.turn()
        assert text(turn) == "green"
        assert tokens(usage(turn)["promptTokensDetails"])["VIDEO"] == 258
        time.advance(1.0)
        await client.show(png(200, 0, 0))
        await client.say(utterance())
        assert text(await client.turn()) == "red"


async def test_row_09_voice_and_language(synthesizer: object) -> None:
    chat = ScriptedChatModel(["Good day."])
    sounds = set()
    async with running(ScriptedRegistry(chat, synthesizer=synthesizer)) as server:
        for name in VOICE_TRAITS:
            async with server.connect(NATIVE_AUDIO, **voice(name)) as client:
                await client.ask("Hello")
                sounds.add(sound(await client.turn()).tobytes())
        code, reason = await server.refusal(NATIVE_AUDIO, **voice("Kora"))
    assert len(sounds) == len(VOICE_TRAITS) == 30
    assert (code, "Kore" in reason) == (1007, True)


def voice(name: str) -> dict[str, object]:
    speech = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": name}}}
    return {"generationConfig": {"responseModalities": ["AUDIO"], "speechConfig": speech}}
