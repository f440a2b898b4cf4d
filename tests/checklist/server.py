"""The server on a real socket, with stages of the test's own, and a raw client of it."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from live_cli.audio.pcm import Samples, float_from_pcm16, pcm16_from_float
from live_cli.engine.engine import LiveEngine
from live_cli.net.server.limits.limits import Limits
from tests.harness.live_client import receive
from tests.harness.live_server import LiveServer, running_server
from tests.harness.scripted_session import FakeTime, ScriptedRegistry

Message = dict[str, Any]

GEMINI = "/ws/google.ai.generativelanguage.{}.GenerativeService.BidiGenerateContent"
BETA, ALPHA = GEMINI.format("v1beta"), GEMINI.format("v1alpha")
NATIVE_AUDIO = "models/gemini-2.5-flash-native-audio-preview-12-2025"
HALF_CASCADE = "models/gemini-live-2.5-flash-preview"
TEXT: Message = {"generationConfig": {"responseModalities": ["TEXT"]}}
TRANSCRIBED: Message = {"inputAudioTranscription": {}, "outputAudioTranscription": {}}


@dataclass
class Client:
    """Speaks JSON. ``received``: every message so far."""

    socket: ClientConnection
    received: list[Message] = field(default_factory=list)

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def ask(self, text: str, complete: bool = True) -> None:
        """A turn of the user's, as clientContent."""
        turn = {"role": "user", "parts": [{"text": text}]}
        await self.send(clientContent={"turns": [turn], "turnComplete": complete})

    async def say(self, samples: Samples, rate: int = 16_000, message_ms: int = 100) -> None:
        """Speech as realtimeInput, as fast as it is taken."""
        step = rate * message_ms // 1000
        for start in range(0, len(samples), step):
            data = base64.b64encode(pcm16_from_float(samples[start : start + step])).decode()
            blob = {"data": data, "mimeType": f"audio/pcm;rate={rate}"}
            await self.send(realtimeInput={"audio": blob})

    async def show(self, data: bytes, mime_type: str = "image/png") -> None:
        """A frame of the camera."""
        blob = {"data": base64.b64encode(data).decode(), "mimeType": mime_type}
        await self.send(realtimeInput={"video": blob})

    async def receive(self) -> Message:
        message: Message = await receive(self.socket)
        self.received.append(message)
        return message

    async def until(self, *path: str) -> list[Message]:
        """Messages up to the first that has a value at ``path``."""
        messages = [await self.receive()]
        while not find(messages[-1], *path):
            messages.append(await self.receive())
        return messages

    async def turn(self) -> list[Message]:
        """The messages of one turn, its end included."""
        return await self.until("serverContent", "turnComplete")

    async def ending(self) -> tuple[int, str]:
        """The close code and reason, after whatever still comes."""
        with pytest.raises(ConnectionClosed) as closed:
            await self._receive_all()
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code, closed.value.rcvd.reason

    async def _receive_all(self) -> None:
        while True:
            await self.receive()


@dataclass
class Server:
    """A running server, and sessions with it."""

    live: LiveServer

    def dial(self, path: str = BETA, **options: Any) -> Any:
        """A WebSocket, and nothing sent on it."""
        return self.live.connect(path, max_size=None, **options)

    @contextlib.asynccontextmanager
    async def connect(
        self, model: str = "models/local", path: str = BETA, **setup: Any
    ) -> AsyncIterator[Client]:
        """A session that is set up."""
        async with self.dial(path) as socket:
            client = Client(socket)
            await client.send(setup={"model": model, **setup})
            assert "setupComplete" in await client.receive()
            yield client

    async def refusal(
        self, model: str = "models/local", path: str = BETA, **setup: Any
    ) -> tuple[int, str]:
        """How a setup is refused."""
        async with self.dial(path) as socket:
            client = Client(socket)
            await client.send(setup={"model": model, **setup})
            ending = await client.ending()
            assert client.received == []
            return ending

    async def post(self, path: str, body: Message) -> Message:
        """The answer to a POST of JSON."""
        headers = ("host: localhost", "content-type: application/json")
        status, _, answer = await self.live.ask(
            "POST", path, *headers, body=json.dumps(body).encode()
        )
        assert status == 200, answer
        told: Message = json.loads(answer)
        return told


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running(
    registry: ScriptedRegistry | None = None,
    *,
    time: FakeTime | None = None,
    limits: Limits | None = None,
    **options: Any,
) -> AsyncIterator[Server]:
    """A server; what it assumes to be playing is over at once, or in ``time``."""
    pace = {"clock": time.clock, "sleep": time.sleep} if time else {"sleep": _at_once}
    engine = LiveEngine(registry=registry or ScriptedRegistry(), **pace)  # type: ignore[arg-type]
    try:
        async with running_server(engine, limits=limits, **options) as live:
            yield Server(live)
    finally:
        await engine.close()


# --- what messages say --------------------------------------------------------------------------


def find(message: Message, *path: str) -> Any:
    """The value at ``path``, None where there is none."""
    value: Any = message
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def found(messages: list[Message], *path: str) -> list[Any]:
    """The values at ``path``, of those messages that have one."""
    return [value for message in messages if (value := find(message, *path)) is not None]


def parts(messages: list[Message]) -> list[Message]:
    turns = found(messages, "serverContent", "modelTurn", "parts")
    return [part for turn in turns for part in turn]


def text(messages: list[Message]) -> str:
    """What was written, without thoughts."""
    return "".join(p["text"] for p in parts(messages) if "text" in p and not p.get("thought"))


def thoughts(messages: list[Message]) -> str:
    return "".join(p["text"] for p in parts(messages) if p.get("thought"))


def sound(messages: list[Message]) -> Samples:
    """What was spoken, at 24 kHz; Vertex does not name the rate."""
    blobs = [part["inlineData"] for part in parts(messages) if "inlineData" in part]
    assert {blob["mimeType"] for blob in blobs} <= {"audio/pcm;rate=24000", "audio/pcm"}
    return float_from_pcm16(b"".join(base64.b64decode(b["data"], validate=True) for b in blobs))


def heard(messages: list[Message]) -> str:
    """The transcript of the user's speech."""
    return "".join(found(messages, "serverContent", "inputTranscription", "text"))


def said(messages: list[Message]) -> str:
    """The transcript of the model's."""
    return "".join(found(messages, "serverContent", "outputTranscription", "text"))


def usage(messages: list[Message]) -> Message:
    """The last count of tokens."""
    counted: Message = found(messages, "usageMetadata")[-1]
    return counted


def tokens(details: list[Message]) -> dict[str, int]:
    return {each["modality"]: each["tokenCount"] for each in details}


def padded(samples: Samples, rate: int = 16_000) -> Samples:
    """``samples`` with a second of silence after."""
    return np.concatenate([samples, np.zeros(rate, np.float32)])
