"""The cost of one audio message each way, against google-genai's own session object."""

import asyncio
import base64
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

from google import genai
from google.genai import live, types

from live_cli.audio.pcm import float_from_pcm16
from live_cli.protocol import compose
from live_cli.protocol.messages import ClientMessage, Setup
from live_cli.protocol.session import Role, Session
from tests.benchmarks.row import Row, microseconds

SOUND_40_MS = os.urandom(1920)
FRAME_20_MS = os.urandom(640)
PAYLOAD = json.dumps(
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
ROUNDS = 9
SMALL_CALLS, SMALL_ROUNDS = 20, 2


class Socket:
    """A WebSocket that always receives the same payload, and sends nothing."""

    async def recv(self, decode: bool | None = None) -> bytes:
        return PAYLOAD

    async def send(self, payload: str) -> None:
        pass


def rows(small: bool = False) -> list[Row]:
    calls, rounds = (SMALL_CALLS, SMALL_ROUNDS) if small else (CALLS, ROUNDS)
    ours, theirs = asyncio.run(measure(calls, rounds))
    return [
        Row(
            "receive one 40 ms audio message, wire to samples",
            ours.receive_us,
            "µs",
            0.10,
            theirs.receive_us,
            "google-genai",
        ),
        Row("send one 20 ms frame", ours.send_us, "µs", 0.10, theirs.send_us, "google-genai"),
    ]


@dataclass(frozen=True)
class Cost:
    receive_us: float
    send_us: float


async def measure(calls: int, rounds: int) -> tuple[Cost, Cost]:
    """The best round of each, in turns, so that a slow minute of the machine hits both."""
    session, google = open_session(), open_google_session()
    costs = [
        (cost_of_ours(session, calls), await cost_of_google(google, calls)) for _ in range(rounds)
    ]
    ours, theirs = zip(*costs, strict=True)
    return best(ours), best(theirs)


def best(costs: Iterable[Cost]) -> Cost:
    costs = list(costs)
    return Cost(min(c.receive_us for c in costs), min(c.send_us for c in costs))


def cost_of_ours(session: Session, calls: int) -> Cost:
    return Cost(
        microseconds(lambda: receive(session), calls, rounds=1),
        microseconds(lambda: session.send(compose.audio(FRAME_20_MS), 0.0), calls, rounds=1),
    )


def open_session() -> Session:
    session = Session(Role.CLIENT)
    session.send(ClientMessage(setup=Setup(model="models/m")), 0.0)
    session.receive(b'{"setupComplete":{}}', 0.0)
    return session


def receive(session: Session) -> None:
    for event in session.receive(PAYLOAD, 0.0):
        float_from_pcm16(event.data)  # type: ignore[attr-defined]


def open_google_session() -> live.AsyncSession:
    client = genai.Client(api_key="none", http_options={"api_version": "v1beta"})
    return live.AsyncSession(api_client=client._api_client, websocket=Socket())  # type: ignore[arg-type]


async def cost_of_google(session: live.AsyncSession, calls: int) -> Cost:
    blob = types.Blob(data=FRAME_20_MS, mime_type="audio/pcm;rate=16000")
    start = perf_counter()
    for _ in range(calls):
        float_from_pcm16((await session._receive()).data or b"")
    received = perf_counter()
    for _ in range(calls):
        await session.send_realtime_input(audio=blob)
    sent = perf_counter()
    return Cost((received - start) / calls * 1e6, (sent - received) / calls * 1e6)
