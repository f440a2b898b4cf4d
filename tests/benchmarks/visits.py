"""Sessions of every kind, one after another or side by side, on a running `serve`."""

import asyncio
import base64
import itertools
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from websockets.asyncio.client import ClientConnection, connect

from live_cli.audio.pcm import pcm16_from_float
from tests.harness.live_client import PATH, say
from tests.harness.speech import QUESTION, moonshine_asset

WITHIN_S: Final = 120.0
"""How long a session may wait for its next message before the visit fails."""
_SHORT: Final = 24
"""Tokens of a short answer."""
_LONG: Final = 200
_TRANSCRIBER: Final = "models/gemini-3.5-transcribe-live"

Act = Callable[[ClientConnection], Awaitable[None]]
"""What a client does in a session, from its setup on."""


async def visit(port: int, act: Act) -> None:
    """One session, from its setup to the client's leaving. Raises TimeoutError."""
    address = f"ws://127.0.0.1:{port}{PATH}"
    async with connect(
        address, proxy=None, max_queue=None, max_size=None, open_timeout=WITHIN_S
    ) as client:
        await act(client)


async def visits(port: int, count: int, at_a_time: int, first: int = 0) -> None:
    """``count`` short sessions, ``at_a_time`` of them open; ``first``: the kind to begin with."""
    numbers = itertools.islice(itertools.count(first), count)

    async def visitor() -> None:
        for number in numbers:
            await visit(port, SHORT[number % len(SHORT)])

    async with asyncio.TaskGroup() as group:
        for _ in range(at_a_time):
            group.create_task(visitor())


def _spoken(tokens: int) -> dict[str, Any]:
    return {"responseModalities": ["AUDIO"], "maxOutputTokens": tokens}


async def _begin(client: ClientConnection, **fields: Any) -> None:
    setup = {"model": "models/local", "generationConfig": _spoken(_SHORT)} | fields
    await client.send(json.dumps({"setup": setup}))
    await _until(client, "setupComplete")


async def _until(client: ClientConnection, field: str) -> dict[str, Any]:
    """The next message with ``field``, in its server content or beside it."""
    while True:
        async with asyncio.timeout(WITHIN_S):
            message: dict[str, Any] = json.loads(await client.recv())
        if field in message or field in message.get("serverContent", {}):
            return message


async def speak(client: ClientConnection, file: Path = QUESTION) -> None:
    """Send a recording and a second of silence, as fast as they are taken."""
    samples, rate = soundfile.read(file, dtype="float32")
    pcm = pcm16_from_float(np.asarray(soxr.resample(samples, rate, 16_000))) + bytes(32_000)
    for place in range(0, len(pcm), 3200):
        data = base64.b64encode(pcm[place : place + 3200]).decode()
        blob = {"data": data, "mimeType": "audio/pcm;rate=16000"}
        await client.send(json.dumps({"realtimeInput": {"audio": blob}}))


async def _ask_aloud(client: ClientConnection) -> None:
    await _begin(client, inputAudioTranscription={}, outputAudioTranscription={})
    await speak(client)
    await _until(client, "generationComplete")


async def _ask_in_writing(client: ClientConnection) -> None:
    await _begin(client, sessionResumption={})
    await client.send(say("How many legs has a spider?"))
    await _until(client, "generationComplete")


async def _offer_functions(client: ClientConnection) -> None:
    functions = [{"name": "lock_door", "description": "Locks the front door."}]
    generation = {"responseModalities": ["TEXT"], "maxOutputTokens": 24}
    await _begin(client, generationConfig=generation, tools=[{"functionDeclarations": functions}])
    await client.send(say("Please lock the door."))
    while True:
        async with asyncio.timeout(WITHIN_S):
            message = json.loads(await client.recv())
        for call in message.get("toolCall", {}).get("functionCalls", ()):
            answer = {"id": call["id"], "name": call["name"], "response": {"output": "locked"}}
            await client.send(json.dumps({"toolResponse": {"functionResponses": [answer]}}))
        if message.get("serverContent", {}).get("turnComplete"):
            return


async def _dictate(client: ClientConnection, file: Path = QUESTION) -> None:
    await _begin(client, model=_TRANSCRIBER, generationConfig={"responseModalities": ["TEXT"]})
    await speak(client, file)
    await client.send('{"realtimeInput":{"audioStreamEnd":true}}')
    await _until(client, "turnComplete")


async def _dictate_long(client: ClientConnection) -> None:
    await _dictate(client, moonshine_asset("two_cities.wav"))


async def _listen_long(client: ClientConnection) -> None:
    await _begin(client, generationConfig=_spoken(_LONG))
    await client.send(say("Tell me a long story about a spider and a dog."))
    await _until(client, "generationComplete")


async def _leave_amid_an_answer(client: ClientConnection) -> None:
    await _begin(client)
    await client.send(say("Tell me a long story, please."))
    await _until(client, "modelTurn")
    client.transport.abort()


SHORT: Final[tuple[Act, ...]] = (
    _ask_aloud,
    _ask_in_writing,
    _offer_functions,
    _dictate,
    _leave_amid_an_answer,
)
LONG: Final[tuple[Act, ...]] = (_dictate_long, _listen_long)
