"""Hours of sound in one message, of rates that are none and of the lowest that is one."""

import asyncio
import base64
import json
from contextlib import AsyncExitStack
from time import monotonic
from typing import Final

import numpy as np
import soundfile

from live_cli.audio.pcm import pcm16_from_float
from tests.benchmarks.attacks.target import Attack, Target, answered_or_closed
from tests.benchmarks.row import Row
from tests.harness.speech import QUESTION

_BYTES: Final = 11_000_000
_SMALL_BYTES: Final = 500_000
_MOST_WAITS: Final = 10.0
"""Two others have speech without end to be transcribed, and each gets its share."""
_CLIENTS: Final = 2
_SECONDS, _SMALL_SECONDS = 30.0, 2.0
"""How long the canary is looked at while it asks aloud."""


def _message(rate: int, size: int) -> str:
    """Speech without end, taken for sound at ``rate``."""
    question = pcm16_from_float(np.asarray(soundfile.read(QUESTION, dtype="float32")[0]))
    data = base64.b64encode((question * (size // len(question) + 1))[:size]).decode()
    blob = {"data": data, "mimeType": f"audio/pcm;rate={rate}"}
    return json.dumps({"realtimeInput": {"audio": blob}})


async def send_sound_of_no_rate(target: Target) -> list[Row]:
    """96 minutes, if it were sound."""
    message = _message(1000, _SMALL_BYTES if target.small else _BYTES)

    async def refused_after_s() -> float:
        async with target.session() as client:
            begun = monotonic()
            await client.send(message)
            await answered_or_closed(client)
            return monotonic() - begun

    async with target.growth() as grown:
        took_s = max(await asyncio.gather(*(refused_after_s() for _ in range(_CLIENTS))))
    return [
        Row("96 minutes at 1000 Hz are refused after", took_s, "s", 5.0),
        Row("memory that they take", grown.mb, "MB", 150.0),
    ]


async def send_long_speech(target: Target) -> list[Row]:
    """Eleven minutes of speech in one message, from two at once, while the canary asks aloud."""
    message = _message(8000, _SMALL_BYTES if target.small else _BYTES)
    async with target.growth() as grown, AsyncExitStack() as stack:
        for _ in range(_CLIENTS):
            client = await stack.enter_async_context(target.session())
            await client.send(message)
        await asyncio.sleep(_SMALL_SECONDS if target.small else _SECONDS)
    return [
        Row("memory of two messages of 11 minutes", grown.mb, "MB", 200.0),
    ]


ATTACKS: Final = (
    Attack("sound of no rate", send_sound_of_no_rate, _MOST_WAITS),
    Attack("long speech", send_long_speech, _MOST_WAITS),
)
