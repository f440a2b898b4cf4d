"""What transcripts carry by dialect and model, and what 3.x tells without being asked."""

from typing import Any

import pytest

from live_cli.engine.backends.scripted import ScriptedChatModel, ScriptedTranscriber
from tests.checklist.server import BETA, Message, found, running
from tests.harness.scripted_session import FakeTime, ScriptedRegistry, utterance

VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
LOW: Message = {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}
ASKED: Message = {"inputAudioTranscription": {}, "outputAudioTranscription": {}}
OLDER: list[tuple[str, Message]] = [
    ("local", {}),
    ("gemini-2.0-flash-live-001", {}),
    ("gemini-live-2.5-flash-preview", {}),
    ("gemini-2.5-flash-native-audio-preview-12-2025", {}),
]
NEWER: list[tuple[str, Message]] = [
    ("gemini-3.1-flash-live-preview", {}),
    ("gemini-3.8-live", {}),
    ("gemini-3.8-live-extended-thinking", LOW),
]


def registry() -> ScriptedRegistry:
    chat = ScriptedChatModel(["One two three four. Five six seven eight."])
    return ScriptedRegistry(chat, ScriptedTranscriber(["Really?"]))


def heard(messages: list[Message]) -> list[Any]:
    return found(messages, "serverContent", "inputTranscription")


def spoken(messages: list[Message]) -> list[Any]:
    return found(messages, "serverContent", "outputTranscription")


@pytest.mark.parametrize(("model", "setup"), [*OLDER, *NEWER])
async def test_no_transcript_of_the_gemini_api_has_a_mark_of_its_end(
    model: str, setup: Message
) -> None:
    async with (
        running(registry()) as server,
        server.connect(f"models/{model}", BETA, **ASKED, **setup) as client,
    ):
        for _ in range(2):
            await client.say(utterance())
            await client.turn()
    transcripts = [*heard(client.received), *spoken(client.received)]
    assert [each["text"] for each in heard(client.received)] == ["Really?", "Really?"]
    assert len(spoken(client.received)) > 2
    assert all(each.get("text") for each in transcripts)  # and no mark without text
    assert [each for each in transcripts if "finished" in each] == []


@pytest.mark.parametrize("model", ["gemini-2.0-flash-live-001", "gemini-3.8-live"])
async def test_vertex_marks_the_end_of_what_was_said_and_begins_a_turn_empty(model: str) -> None:
    async with (
        running(registry()) as server,
        server.connect(f"publishers/google/models/{model}", VERTEX, **ASKED) as client,
    ):
        await client.say(utterance())
        turn = await client.turn()
    assert [each["finished"] for each in heard(turn)] == [True]
    first, *rest = spoken(turn)
    assert first == {}
    assert rest
    assert all(each["text"] for each in rest)


@pytest.mark.parametrize("path", [BETA, VERTEX], ids=["gemini", "vertex"])
async def test_a_transcription_marks_the_end_of_what_was_said(path: str) -> None:
    async with (
        running(registry()) as server,
        server.connect("models/gemini-3.5-transcribe-live", path) as client,
    ):
        await client.say(utterance())
        await client.send(realtimeInput={"audioStreamEnd": True})
        assert [each["finished"] for each in heard(await client.turn())] == [True]


async def cut_off(
    model: str, manual: bool = False, path: str = BETA, **setup: Any
) -> list[Message]:
    """The messages of a turn that speech cuts off, and of the start of the next."""
    if manual:
        setup["realtimeInputConfig"] = {"automaticActivityDetection": {"disabled": True}}
    time = FakeTime()
    async with (
        running(registry(), time=time) as server,
        server.connect(f"models/{model}", path, **setup) as client,
    ):
        await client.send(realtimeInput={"text": "Count."})
        await client.until("serverContent", "generationComplete")  # and it plays
        if manual:
            await client.send(realtimeInput={"activityStart": {}})
        await client.say(utterance())
        if manual:
            await client.send(realtimeInput={"activityEnd": {}})
        await client.turn()
        await client.until("serverContent", "generationComplete")
    return client.received


@pytest.mark.parametrize(("model", "setup"), NEWER)
async def test_3_x_tells_of_speech_that_cuts_it_off_and_what_was_said_unasked(
    model: str, setup: Message
) -> None:
    messages = await cut_off(model, **setup)
    [at] = [n for n, message in enumerate(messages) if "voiceActivity" in message]
    activity = messages[at]["voiceActivity"]
    assert activity["type"] == "ACTIVITY_START"
    assert activity["audioOffset"].endswith("s")
    assert found(messages[at + 1 : at + 2], "serverContent", "interrupted") == [True]
    assert [each["text"] for each in heard(messages)] == ["Really?"]
    assert spoken(messages) == []  # the model's words were not asked for


@pytest.mark.parametrize(("model", "setup"), OLDER)
async def test_the_older_tell_neither(model: str, setup: Message) -> None:
    messages = await cut_off(model, **setup)
    assert found(messages, "serverContent", "interrupted") == [True]
    assert found(messages, "voiceActivity") == heard(messages) == []


async def test_no_voice_is_told_of_that_cuts_nothing_off_or_that_the_client_marked() -> None:
    async with running(registry()) as server, server.connect("models/gemini-3.8-live") as client:
        await client.say(utterance())
        await client.turn()
    assert found(client.received, "voiceActivity") == []
    assert found(await cut_off("gemini-3.8-live", manual=True), "voiceActivity") == []


async def test_a_client_that_asked_for_voice_signals_gets_each_once() -> None:
    messages = await cut_off("gemini-3.8-live", path=VERTEX, explicitVadSignal=True)
    told = [activity["type"] for activity in found(messages, "voiceActivity")]
    assert told == ["ACTIVITY_START", "ACTIVITY_END"]
