"""A clientContent that adds nothing and asks for nothing has no effect, in every family."""

import json
from typing import Any

import pytest

from live_cli.engine.backends.scripted import ScriptedChatModel
from tests.checklist.server import Message, found, parts, running
from tests.harness.scripted_session import FakeTime, ScriptedRegistry, utterance

EMPTY: list[Any] = [
    {},
    True,
    {"turnComplete": False},
    {"turnComplete": None, "turns": None},
    {"turns": []},
    {"turns": {}, "turn_complete": False},
    {"turns": [{"role": "user"}]},
    {"turns": [{"role": "user", "parts": []}]},
    {"turns": {"role": "user", "parts": {"text": ""}}},
    {"turns": [{"parts": [{}]}, {"role": "model", "parts": [{"text": ""}, {}]}]},
]
LOW: Message = {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}


@pytest.mark.parametrize(
    ("model", "setup"),
    [
        ("local", {}),
        ("gemini-2.0-flash-live-001", {}),
        ("gemini-live-2.5-flash-preview", {}),
        ("gemini-2.5-flash-native-audio-preview-12-2025", {}),
        ("gemini-3.1-flash-live-preview", {}),
        ("gemini-3.8-live", {}),
        ("gemini-3.8-live-extended-thinking", LOW),
    ],
)
async def test_an_answer_goes_on_over_content_that_is_empty(model: str, setup: Message) -> None:
    time, chat = FakeTime(), ScriptedChatModel(["One two three.", "Four."])
    async with (
        running(ScriptedRegistry(chat), time=time) as server,
        server.connect(f"models/{model}", **setup) as client,
    ):
        await client.send(realtimeInput={"text": "Count."})
        await client.until("serverContent", "generationComplete")  # and it plays
        for content in EMPTY:
            await client.socket.send(json.dumps({"clientContent": content}))
        await client.socket.send('{"client_content":{"turns":[]}}')
        await client.send(realtimeInput={"video": {"data": "/9j/", "mimeType": "image/jpeg"}})
        time.advance(60)
        turn = await client.turn()
        assert found(turn, "serverContent", "interrupted") == []
        await client.send(realtimeInput={"text": "And?"})
        await client.until("serverContent", "generationComplete")
    asked = [message.text for message in chat.requests[-1].messages if message.role == "user"]
    assert asked == ["Count.", "And?"]


async def test_a_transcription_goes_on_over_content_that_is_empty() -> None:
    async with running() as server, server.connect("models/gemini-3.5-transcribe-live") as client:
        for content in EMPTY:
            await client.send(clientContent=content)
        await client.say(utterance())
        await client.send(realtimeInput={"audioStreamEnd": True})
        assert found(await client.turn(), "serverContent", "inputTranscription", "text") == ["One."]


@pytest.mark.parametrize("model", ["local", "gemini-2.5-flash-native-audio-preview-12-2025"])
async def test_content_that_adds_a_word_interrupts_where_it_did(model: str) -> None:
    time = FakeTime()
    async with running(time=time) as server, server.connect(f"models/{model}") as client:
        await client.ask("Count.")
        await client.until("serverContent", "generationComplete")
        await client.ask("By the way.", complete=False)
        turn = await client.turn()
        assert found(turn, "serverContent", "interrupted") == [True]
        assert parts(turn) == []
