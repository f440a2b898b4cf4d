"""What tests send to a server as a raw WebSocket client, and read of its answers."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
SETUP = {"setup": {"model": "models/local"}}
WITHIN_S = 20.0  # a bound on waiting, not a measure


async def receive(client: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        payload = await client.recv()
    assert isinstance(payload, bytes)  # Google sends binary messages
    message: dict[str, Any] = json.loads(payload)
    return message


async def ending(client: ClientConnection) -> tuple[int, str]:
    """The close code and reason, after whatever still comes."""
    with pytest.raises(ConnectionClosed) as closed:
        await _receive_all(client)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def _receive_all(client: ClientConnection) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            await client.recv()


async def set_up(client: ClientConnection) -> None:
    await client.send(json.dumps(SETUP))
    assert await receive(client) == {"setupComplete": {}}


def say(words: str) -> str:
    return json.dumps({"realtimeInput": {"text": words}})


def said(message: dict[str, Any]) -> str:
    part: dict[str, Any] = message["serverContent"]["modelTurn"]["parts"][0]
    words: str = part["text"]
    return words
