"""The checklist of the guide, rows 12 to 20: thinking, activity, tokens, one modality."""

import base64
import time as clock
from collections.abc import Callable, Iterator

import pytest
import soundfile

from live_cli.engine.backends.llm.openai import OpenAIChatModel
from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.backends.vad.silero import SileroDetector
from live_cli.engine.stages import ChatDelta, ChatRequest, ChatUsage
from tests.checklist.server import (
    HALF_CASCADE,
    NATIVE_AUDIO,
    TEXT,
    TRANSCRIBED,
    found,
    heard,
    running,
    said,
    sound,
    text,
    thoughts,
    tokens,
    usage,
)
from tests.harness.chat_endpoint import Body, chunk, serving_endpoint
from tests.harness.images import png
from tests.harness.scripted_session import FakeTime, ScriptedRegistry, silence, utterance
from tests.harness.speech import QUESTION, speech_like, words

THOUGHT = "Dogs are quadrupeds."
ANSWER = "Four."


def thinking(body: Body) -> list[Body]:
    """An endpoint's stream: reasoning first, unless it was asked to do without."""
    template = body.get("chat_template_kwargs", {})
    thought = template.get("enable_thinking", True)
    return [*([chunk(reasoning_content=THOUGHT)] if thought else []), chunk(ANSWER)]


@pytest.fixture
def thinker(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIChatModel]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving_endpoint() as endpoint:
        endpoint.answer = thinking
        yield OpenAIChatModel(endpoint.spec)


def budget(tokens: int, *, include: bool = True) -> dict[str, object]:
    config = {"thinkingBudget": tokens, "includeThoughts": include}
    return {"generationConfig": {"responseModalities": ["AUDIO"], "thinkingConfig": config}}


async def test_row_12_thinking_budget(thinker: OpenAIChatModel) -> None:
    counted = {}
    async with running(ScriptedRegistry(thinker)) as server:
        for budgeted in (0, 1024, -1):
            async with server.connect(NATIVE_AUDIO, **budget(budgeted), **TRANSCRIBED) as client:
                await client.ask("How many legs does a dog have?")
                turn = await client.turn()
                assert said(turn) == ANSWER
                counted[budgeted] = usage(turn).get("thoughtsTokenCount", 0)
    assert counted[0] == 0
    assert counted[1024] == counted[-1] > 0


async def test_row_13_thought_summaries(thinker: OpenAIChatModel) -> None:
    async with running(ScriptedRegistry(thinker)) as server:
        for include in (True, False):
            asked = budget(1024, include=include)
            async with server.connect(NATIVE_AUDIO, **asked, **TRANSCRIBED) as client:
                await client.ask("How many legs does a dog have?")
                turn = await client.turn()
            assert thoughts(turn) == (THOUGHT if include else "")
            assert said(turn) == ANSWER
            spoken_s = len(sound(turn)) / 24_000
            assert spoken_s < 0.1 * len(ANSWER)  # the thought is not spoken


class Talkative(ScriptedChatModel):
    """Its first answer does not end by itself."""

    LONG = "This is the first sentence. This is the second sentence. And here comes the third. "

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        if self.requests:
            return super().generate(request, on_delta)
        self.requests.append(request)
        on_delta(ChatDelta(self.LONG))
        while not on_delta(ChatDelta("")):
            clock.sleep(0.005)
        return ChatUsage()


async def test_row_14_interruption() -> None:
    time, chat = FakeTime(), Talkative()
    async with (
        running(ScriptedRegistry(chat), time=time) as server,
        server.connect(NATIVE_AUDIO, **TRANSCRIBED) as client,
    ):
        await client.ask("Tell me a story.")
        while len(sound(client.received)) < 2 * 24_000:
            await client.receive()
        time.advance(1.0)  # of which the user hears the first second
        await client.say(utterance())
        turn = await client.turn()
        interrupted = [is_interrupted(message) for message in turn]
        assert interrupted.count(True) == 1
        assert interrupted[-2:] == [True, False]  # the turn's end follows at once
        assert found(client.received, "serverContent", "generationComplete") == []
        await client.until("serverContent", "generationComplete")
    remembered = next(m.text for m in chat.requests[-1].messages if m.role == "assistant")
    assert 0 < len(remembered) < len("This is the first sentence.")
    assert Talkative.LONG.startswith(remembered)


def is_interrupted(message: dict[str, object]) -> bool:
    return found([message], "serverContent", "interrupted") == [True]


async def test_row_15_automatic_vad_and_audio_stream_end(transcriber: object) -> None:
    samples, rate = soundfile.read(QUESTION, dtype="float32")
    registry = ScriptedRegistry(ScriptedChatModel([ANSWER]), transcriber, detector=SileroDetector)
    async with (
        running(registry) as server,
        server.connect(NATIVE_AUDIO, **TRANSCRIBED) as client,
    ):
        for _ in range(2):  # then the stream goes on
            await client.say(samples[: round(1.2 * rate)], rate)  # in the middle of "legs"
            await client.send(realtimeInput={"audioStreamEnd": True})
            turn = await client.turn()
            assert words(heard(turn))[:2] == ["how", "many"]
            assert said(turn) == ANSWER


@pytest.mark.parametrize(("silence_ms", "turns"), [(100, 2), (800, 1)])
async def test_row_16_vad_settings(silence_ms: int, turns: int) -> None:
    detection = {
        "startOfSpeechSensitivity": "START_SENSITIVITY_HIGH",
        "endOfSpeechSensitivity": "END_SENSITIVITY_HIGH",
        "prefixPaddingMs": 20,
        "silenceDurationMs": silence_ms,
    }
    async with (
        running() as server,
        server.connect(
            HALF_CASCADE, **TEXT, realtimeInputConfig={"automaticActivityDetection": detection}
        ) as client,
    ):
        await client.say(speech_like(1.0))
        await client.say(silence(0.4))
        if turns == 2:
            assert text(await client.turn()) == "You said: One."
        await client.say(speech_like(1.0))
        await client.say(silence(1.0))
        last = text(await client.turn())
        assert last.startswith("You said: ")
        assert len(found(client.received, "serverContent", "turnComplete")) == turns


MANUAL = {"automaticActivityDetection": {"disabled": True}}


async def test_row_17_vad_disabled() -> None:
    async with running() as server:
        async with server.connect(HALF_CASCADE, **TEXT, realtimeInputConfig=MANUAL) as client:
            await client.say(utterance(pause=2.0))  # before it begins, nothing is heard
            await client.send(realtimeInput={"activityStart": {}})
            await client.say(speech_like(1.0))
            await client.say(silence(2.0))  # no silence ends it
            await client.say(speech_like(1.0))
            await client.send(realtimeInput={"activityEnd": {}})
            assert text(await client.turn()).startswith("You said: ")
            assert len(found(client.received, "serverContent", "turnComplete")) == 1
        for signal in ("activityStart", "activityEnd"):
            async with server.connect(HALF_CASCADE, **TEXT) as client:
                await client.send(realtimeInput={signal: {}})
                assert await client.ending() == (
                    1007,
                    "Explicit activity control is not supported when automatic activity detection "
                    "is enabled.",
                )


async def test_row_18_token_counts() -> None:
    reply = "x" * round(4.0 / 0.06)  # the scripted voice takes 60 ms a character
    registry = ScriptedRegistry(ScriptedChatModel([reply]))
    async with running(registry) as server, server.connect(NATIVE_AUDIO) as client:
        await client.say(utterance(seconds=2.0))
        turn = await client.turn()
    counted = usage(turn)
    assert turn[-1]["usageMetadata"] == counted  # beside the turn's end
    assert len(sound(turn)) / 24_000 == pytest.approx(4.0, abs=0.1)
    assert tokens(counted["responseTokensDetails"])["AUDIO"] == pytest.approx(100, abs=3)
    assert tokens(counted["promptTokensDetails"])["AUDIO"] == pytest.approx(50, abs=25)
    assert counted["totalTokenCount"] >= counted["responseTokenCount"]


class Seeing(ScriptedChatModel):
    sees = True


async def test_row_19_media_resolution() -> None:
    counted = {}
    image = {
        "inlineData": {"data": base64.b64encode(png(1, 2, 3)).decode(), "mimeType": "image/png"}
    }
    turn = {"role": "user", "parts": [image, {"text": "What is it?"}]}
    async with running(ScriptedRegistry(Seeing(["A card."]))) as server:
        for name in ("LOW", "HIGH"):
            config = {"responseModalities": ["TEXT"], "mediaResolution": f"MEDIA_RESOLUTION_{name}"}
            async with server.connect(HALF_CASCADE, generationConfig=config) as client:
                await client.send(clientContent={"turns": [turn], "turnComplete": True})
                counted[name] = tokens(usage(await client.turn())["promptTokensDetails"])["IMAGE"]
    assert counted == {"LOW": 64, "HIGH": 256}


async def test_row_20_one_modality() -> None:
    async with running() as server:
        both = {"responseModalities": ["TEXT", "AUDIO"]}  # the SDKs send it unchecked
        code, reason = await server.refusal(HALF_CASCADE, generationConfig=both)
    assert code == 1007
    assert reason.startswith(
        "The requested combination of response modalities (TEXT, AUDIO) is not supported"
    )
