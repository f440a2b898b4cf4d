"""The checklist of the guide, rows 21 to 28: limits, resumption, the end of a turn, clients."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from live_cli.catalog import LANGUAGES
from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.net.server.limits.lifetime import LifetimeLimits
from live_cli.net.server.limits.limits import Limits
from tests.checklist.server import (
    ALPHA,
    GEMINI,
    HALF_CASCADE,
    NATIVE_AUDIO,
    TEXT,
    Client,
    Server,
    find,
    found,
    running,
    sound,
    text,
)
from tests.harness.scripted_session import FakeTime, ScriptedRegistry
from tests.harness.sdk_payloads import PAYLOADS

CONSTRAINED = f"{ALPHA}Constrained?access_token="
RESUMABLE: dict[str, Any] = {"sessionResumption": {}}


async def outcome(server: Server, token: str, **setup: Any) -> str:
    """What a session with ``token`` answers with, or why it does not open."""
    async with server.dial(CONSTRAINED + token) as socket:
        client = Client(socket)
        await client.send(setup={"model": HALF_CASCADE, **setup})
        await client.ask("Hello")
        try:
            turn = await client.turn()
        except ConnectionClosed:
            return str(await client.ending())
        return "text" if text(turn) else "audio" if len(sound(turn)) else "nothing"


async def test_row_21_client_authentication() -> None:
    async def token(**body: Any) -> str:
        name: str = (await server.post("/v1alpha/auth_tokens", body))["name"]
        return name

    async with running() as server:
        once = await token()
        assert [await outcome(server, once, **TEXT) for _ in range(2)] == [
            "text",
            "(1008, 'This ephemeral token has no uses left: create a new one.')",
        ]
        locked = {"model": HALF_CASCADE, "generationConfig": {"responseModalities": ["TEXT"]}}
        audio = {"generationConfig": {"responseModalities": ["AUDIO"], "temperature": 0.5}}
        whole = await token(bidiGenerateContentSetup=locked)
        masked = await token(
            bidiGenerateContentSetup=locked, fieldMask="generationConfig.responseModalities"
        )
        free = await token(
            bidiGenerateContentSetup=locked, fieldMask="generationConfig.temperature"
        )
        assert [await outcome(server, each, **audio) for each in (whole, masked, free)] == [
            "text",
            "text",
            "audio",
        ]
        soon = datetime.now(UTC) + timedelta(seconds=0.3)  # a minute, if nothing is said
        late = await token(uses=0, newSessionExpireTime=soon.isoformat())
        while (told := await outcome(server, late, **TEXT)) == "text":
            assert datetime.now(UTC) < soon + timedelta(seconds=1)
        assert told.startswith("(1008, 'This ephemeral token starts no new sessions")


async def test_row_22_session_duration() -> None:
    chat = ScriptedChatModel(["Nice to meet you."])
    lifetimes = LifetimeLimits(connection_s=0.6)
    async with running(ScriptedRegistry(chat), limits=Limits(lifetimes=lifetimes)) as server:
        async with server.connect(HALF_CASCADE, **TEXT, **RESUMABLE) as client:
            await client.ask("My name is Ada.")
            handle = (await handles(client))[-1]
            [left] = found(await client.until("goAway"), "goAway", "timeLeft")
            assert 0 < float(left.removesuffix("s")) <= 0.6
            code, reason = await client.ending()
            assert (code, reason) == (1011, "Deadline expired before operation could complete.")
        again = {"sessionResumption": {"handle": handle}}
        async with server.connect(HALF_CASCADE, **TEXT, **again) as client:
            await client.ask("What is my name?")
            await client.turn()
    assert [m.text for m in chat.requests[-1].messages] == [
        "My name is Ada.",
        "Nice to meet you.",
        "What is my name?",
    ]


async def test_row_23_context_window() -> None:
    chat = ScriptedChatModel(["word " * 20])
    asked = {
        "contextWindowCompression": {"triggerTokens": "200", "slidingWindow": {"targetTokens": 80}},
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    }
    async with (
        running(ScriptedRegistry(chat)) as server,
        server.connect(HALF_CASCADE, **TEXT, **asked) as client,
    ):
        for index in range(8):
            await client.ask(f"Question {index}?")
            await client.turn()
    read = [[message.text for message in request.messages] for request in chat.requests]
    assert {messages[0] for messages in read} == {"Be brief."}
    assert "Question 0?" in read[0]
    assert "Question 0?" not in read[-1]
    assert read[-1][-1] == "Question 7?"
    assert sum(len(after) < len(before) for before, after in pairwise(read)) == 1  # in one step


async def test_row_24_languages() -> None:
    """Native audio chooses its language itself: a code is no reason to refuse."""
    assert len(LANGUAGES) == 70
    async with running() as server:
        for code in LANGUAGES:
            generation = {"responseModalities": ["AUDIO"], "speechConfig": {"languageCode": code}}
            async with server.connect(NATIVE_AUDIO, generationConfig=generation):
                pass


async def test_row_25_session_resumption() -> None:
    chat = ScriptedChatModel(["Nice to meet you."])
    async with running(ScriptedRegistry(chat)) as server:
        async with server.dial() as socket:
            client = Client(socket)
            await client.send(setup={"model": HALF_CASCADE, **TEXT, **RESUMABLE})
            await client.receive()
            await client.ask("My name is Ada.")
            handle = (await handles(client))[-1]
            socket.transport.abort()  # no close frame: the line is cut
        again = {"sessionResumption": {"handle": handle}}
        async with server.connect(HALF_CASCADE, **TEXT, **again) as client:
            await client.ask("What is my name?")
            assert await handles(client) != [handle]
        code, reason = await server.refusal(
            HALF_CASCADE, **TEXT, sessionResumption={"handle": "unknown"}
        )
    assert "My name is Ada." in [m.text for m in chat.requests[-1].messages]
    assert (code, bool(reason)) == (1008, True)


async def handles(client: Client) -> list[str]:
    """The handles given up to the first that resumes, none of them during the turn."""
    messages = await client.until("sessionResumptionUpdate", "newHandle")
    assert messages[0] == {"sessionResumptionUpdate": {}}
    assert find(messages[-2], "serverContent", "turnComplete")
    assert messages[-1]["sessionResumptionUpdate"]["resumable"] is True
    return found(messages, "sessionResumptionUpdate", "newHandle")


LIGHTS = 'call:turn_on_the_lights {"brightness": 1}'


def lights(behavior: str) -> dict[str, Any]:
    declared = [{"name": "turn_on_the_lights", "behavior": behavior}]
    return {**TEXT, "tools": [{"functionDeclarations": declared}]}


def result(call: dict[str, Any], **fields: Any) -> dict[str, Any]:
    told = {"id": call["id"], "name": call["name"], "response": {"result": "ok"}, **fields}
    return {"functionResponses": [told]}


async def test_row_26_tools_blocking() -> None:
    chat = ScriptedChatModel([LIGHTS, "The lights are on."])
    async with (
        running(ScriptedRegistry(chat)) as server,
        server.connect(**lights("BLOCKING")) as client,
    ):
        await client.ask("Turn on the lights.")
        [[call]] = found(await client.until("toolCall"), "toolCall", "functionCalls")
        assert (call["name"], call["args"]) == ("turn_on_the_lights", {"brightness": 1})
        assert text(client.received) == ""
        await client.send(toolResponse=result(call))
        assert text(await client.turn()) == "The lights are on."
        await client.ask("Turn on the lights.")  # it is called again, and the user speaks up
        [[call]] = found(await client.until("toolCall"), "toolCall", "functionCalls")
        await client.ask("Stop")
        turn = await client.turn()
        assert found(turn, "serverContent", "interrupted") == [True]
        assert found(turn, "toolCallCancellation", "ids") == [[call["id"]]]


@pytest.mark.parametrize("scheduling", ["WHEN_IDLE", "INTERRUPT", "SILENT"])
async def test_row_26_tools_non_blocking(scheduling: str) -> None:
    chat = ScriptedChatModel([f"I see to it. {LIGHTS}", "I am at it.", "The lights are on."])
    async with (
        running(ScriptedRegistry(chat)) as server,
        server.connect(**lights("NON_BLOCKING")) as client,
    ):
        await client.ask("Turn on the lights.")
        turn = await client.turn()
        [[call]] = found(turn, "toolCall", "functionCalls")
        assert text(turn).startswith("I see to it.")
        more = result(call, scheduling=scheduling, willContinue=True)
        await client.send(toolResponse=more)
        if scheduling == "SILENT":
            await client.ask("Well?")
        assert text(await client.turn()) == "The lights are on."
        await client.send(toolResponse=result(call, scheduling=scheduling))  # the last of the call
        if scheduling != "SILENT":
            assert text(await client.turn()).startswith("I see to it.")
    assert any('"result": "ok"' in message.text for message in chat.requests[2].messages)


class Playback(FakeTime):
    """Tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.awaited = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.awaited.set()
        await super().sleep(seconds)


async def test_row_27_generation_complete() -> None:
    playback = Playback()
    registry = ScriptedRegistry(ScriptedChatModel(["This takes some time to say."]))
    async with (
        running(registry, time=playback) as server,
        server.connect(NATIVE_AUDIO) as client,
    ):
        await client.ask("Hello")
        await client.until("serverContent", "generationComplete")
        spoken_s = len(sound(client.received)) / 24_000
        await playback.awaited.wait()
        [(until, _)] = playback.sleepers
        assert until - playback.now == pytest.approx(spoken_s, abs=0.1)
        assert found(client.received, "serverContent", "turnComplete") == []
        playback.advance(until - playback.now)
        turn = await client.turn()
    assert sound(turn).size == 0  # nothing is said between


VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
KEY = {"x-goog-api-key": "K"}
CLIENTS = {
    "py": (GEMINI.format("v1"), KEY),
    "py_2x": (GEMINI.format("v1beta"), KEY),
    "py_1.55": ("/" + GEMINI.format("v1beta"), KEY),
    "py_vertex": (VERTEX, KEY),
    "js": ("/" + GEMINI.format("v1beta") + "?key=K", {}),
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_row_28_compatibility(client: str) -> None:
    """The handshakes, the setups and the messages of every SDK; tests/sdk runs the SDKs."""
    path, headers = CLIENTS[client]
    async with running(keys=["K"]) as server:
        for setup in ("S AUDIO", "S voice", "S out transcription"):
            async with server.dial(path, additional_headers=headers) as socket:
                session = Client(socket)
                await socket.send(PAYLOADS[f"{client}/{setup}"])
                assert "setupComplete" in await session.receive()
                await socket.send(PAYLOADS[f"{client}/M rt text"])
                assert len(sound(await session.turn())) > 0
