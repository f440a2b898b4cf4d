"""A question asked aloud, in real time, and how long its answer takes to begin."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

import numpy as np
import numpy.typing as npt
import soundfile

from live_cli.audio.levels import SpeechEndMeter
from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.plan.plan import plan_session
from live_cli.protocol import compose
from live_cli.protocol.events import AudioChunk, TurnComplete
from live_cli.settings.schema import Settings
from tests.harness.speech import QUESTION

RATE = 16_000
FRAME = RATE // 50
_AUDIBLE = 100
"""Of 16 bits: -50 dBFS."""


def address_of(url: str) -> Address:
    """The address of a `serve` that is open."""
    return Address(url, None, "v1beta", "serve")


@asynccontextmanager
async def connected(url: str, count: int) -> AsyncIterator[list[LiveClient]]:
    """As many clients of a `serve`, set up as `talk` is, inside this context."""
    setup = plan_session(Settings(server="local"), "talk").setup
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(await LiveClient.connect(address_of(url), setup))
            for _ in range(count)
        ]


class Question:
    """The recorded question and two seconds of silence, in frames of 20 ms."""

    def __init__(self) -> None:
        speech = soundfile.read(QUESTION, dtype="float32")[0].astype(np.float32)
        clock = SpeechEndMeter()
        clock.push(speech)
        assert clock.last_speech_end is not None
        self.ends_s = clock.last_speech_end / RATE
        self._samples: npt.NDArray[np.float32] = np.concatenate(
            [speech, np.zeros(RATE * 2, dtype=np.float32)]
        )

    async def wait_s(self, client: LiveClient) -> float:
        """From the question's last speech to the answer's first sound; the turn is over then.

        What is silent at the beginning of an answer is waited for as well.
        """
        started, waited, silent_s = monotonic(), None, 0.0
        came: float | None = None
        speaking = asyncio.create_task(self._speak(client, started))
        async for event in client:
            if isinstance(event, AudioChunk) and waited is None:
                samples = np.abs(np.frombuffer(event.data, np.int16))
                sounding = samples > _AUDIBLE
                came = came or monotonic()
                quiet = int(np.argmax(sounding)) if sounding.any() else samples.size
                silent_s += quiet / event.sample_rate
                if sounding.any():
                    waited = came + silent_s - started - self.ends_s
            if isinstance(event, TurnComplete):
                break
        await speaking
        assert waited is not None, "the answer had no sound"
        return waited

    async def _speak(self, client: LiveClient, started: float) -> None:
        for place in range(0, self._samples.size - FRAME + 1, FRAME):
            await asyncio.sleep(max(0.0, started + (place + FRAME) / RATE - monotonic()))
            frame = self._samples[place : place + FRAME]
            await client.send(compose.audio((frame * 32767).astype("<i2").tobytes()))
