"""The cost of one audio message each way, against google-genai's own session object."""

import asyncio
import base64
import json
import os
from time import perf_counter

from google import genai
from google.genai import live, types

from live_cli.audio.pcm import float_from_pcm16
from live_cli.protocol.input_gate import audio_message
from live_cli.protocol.messages import ClientMessage, Setup
from live_cli.protocol.session import Role, Session
from tests.benchmarks.row import Row, microseconds

SOUND_40_MS = os.urandom(1920)
FRAME_20_MS = os.urandom(640)
FRAME = json.dumps(
    {
        "serverContent": {
            "modelTurn": {
                "role": "model",
                "parts": [
                    {
                        "inlineData": {
                            "mimeType": "audio/pcm;rate=24000",
                            "data": base64.b64encode(SOUND_40_MS).decode(),
                        }
                    }
                ],
            }
        }
    }
).encode()
CALLS = 1000


class Socket:
    """A WebSocket that has always the same frame, and takes everything."""

    async def recv(self, decode: bool | None = None) -> bytes:
        return FRAME

    async def send(self, frame: str) -> None:
        pass


def rows() -> list[Row]:
    session = open_session()
    ours_in = microseconds(lambda: receive(session))
    ours_out = microseconds(lambda: session.send(audio_message(FRAME_20_MS), 0.0))
    theirs_in, theirs_out = asyncio.run(google())
    return [
        Row(
            "receive one 40 ms audio message, wire to samples",
            ours_in,
            "µs",
            0.10,
            theirs_in,
            "google-genai",
        ),
        Row("send one 20 ms frame", ours_out, "µs", 0.10, theirs_out, "google-genai"),
    ]


def open_session() -> Session:
    session = Session(Role.CLIENT)
    session.send(ClientMessage(setup=Setup(model="models/m")), 0.0)
    session.receive(b'{"setupComplete":{}}', 0.0)
    return session


def receive(session: Session) -> None:
    for event in session.receive(FRAME, 0.0):
        float_from_pcm16(event.data)  # type: ignore[attr-defined]


async def google() -> tuple[float, float]:
    client = genai.Client(api_key="none", http_options={"api_version": "v1beta"})
    session = live.AsyncSession(api_client=client._api_client, websocket=Socket())  # type: ignore[arg-type]
    blob = types.Blob(data=FRAME_20_MS, mime_type="audio/pcm;rate=16000")
    best_in = best_out = float("inf")
    for _ in range(7):
        start = perf_counter()
        for _ in range(CALLS):
            float_from_pcm16((await session._receive()).data or b"")
        best_in = min(best_in, perf_counter() - start)
        start = perf_counter()
        for _ in range(CALLS):
            await session.send_realtime_input(audio=blob)
        best_out = min(best_out, perf_counter() - start)
    return best_in / CALLS * 1e6, best_out / CALLS * 1e6
