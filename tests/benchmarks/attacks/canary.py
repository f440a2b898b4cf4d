"""A session that goes on beside an attack, in a process of its own, and how long it waits.

It asks, in writing or aloud, and is answered, again and again.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.visits import speak
from tests.harness.live_client import PATH, say

_PAUSE_S: Final = 0.02
"""Between an answer and the next question."""


class Canary:
    """The parent's end."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def take(self) -> list[float]:
        """Milliseconds that its answers took since the last time, and those of one that is due.

        Raises RuntimeError when its session is over.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The canary's session ended: it was not left alone.")
        waits_ms: list[float] = json.loads(line)
        return waits_ms


@contextmanager
def singing(port: int, key: str, *, aloud: bool) -> Iterator[Canary]:
    """A canary on the server at ``port``, which has been answered once."""
    command = [sys.executable, "-m", __name__, str(port), key, "aloud" if aloud else "written"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            yield Canary(process)
        finally:
            process.kill()


@dataclass
class _Song:
    """What is seen, in the canary's process."""

    waits_ms: list[float] = field(default_factory=list)
    asked_at: float | None = None

    def take(self) -> str:
        """All since the last time, as JSON; what is waited for counts with its time so far."""
        due = [] if self.asked_at is None else [1000 * (monotonic() - self.asked_at)]
        waits_ms, self.waits_ms = self.waits_ms + due, []
        return json.dumps(waits_ms)

    async def ask_on(self, client: ClientConnection, *, aloud: bool) -> None:
        """Ask and be answered until cancelled."""
        while True:
            await self.ask(client, aloud=aloud)
            await asyncio.sleep(_PAUSE_S)

    async def ask(self, client: ClientConnection, *, aloud: bool) -> None:
        """Ask, and wait for the whole answer; its beginning is what was waited for."""
        self.asked_at = monotonic()
        await (speak(client) if aloud else client.send(say("Still there?")))
        async for payload in client:
            content = json.loads(payload).get("serverContent", {})
            if "modelTurn" in content and self.asked_at is not None:
                self.waits_ms.append(1000 * (monotonic() - self.asked_at))
                self.asked_at = None
            if "generationComplete" in content or "turnComplete" in content:
                return


@asynccontextmanager
async def _session(port: int, key: str, modality: str) -> AsyncIterator[ClientConnection]:
    address, headers = f"ws://127.0.0.1:{port}{PATH}", {"x-goog-api-key": key}
    async with connect(address, additional_headers=headers, proxy=None, max_queue=None) as client:
        generation = {"responseModalities": [modality], "maxOutputTokens": 8}
        setup = {"model": "models/local", "generationConfig": generation}
        await client.send(json.dumps({"setup": setup}))
        await client.recv()
        yield client


async def _sing(port: int, key: str, *, aloud: bool) -> None:
    """Go on until the parent is gone or the session is over; a line in, the figures out."""
    song, loop = _Song(), asyncio.get_running_loop()
    async with _session(port, key, "AUDIO" if aloud else "TEXT") as client:
        await song.ask(client, aloud=aloud)
        print(flush=True)
        asking = asyncio.create_task(song.ask_on(client, aloud=aloud))
        while await loop.run_in_executor(None, sys.stdin.readline) and not asking.done():
            print(song.take(), flush=True)
        asking.cancel()


if __name__ == "__main__":
    asyncio.run(_sing(int(sys.argv[1]), sys.argv[2], aloud=sys.argv[3] == "aloud"))
