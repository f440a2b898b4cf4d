"""The heap of `serve`: trimmed when the last session has ended; what is loaded is kept for good.

The real trim is tried on a running `serve` whose sessions leave their histories, by what comes back
of the memory that they took.
"""

import asyncio
import gc
import json
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from websockets.asyncio.client import ClientConnection, connect

from live_cli.commands.serve.heap import AFTER_S, HeapTrimmer, glibc_trim, keep_for_good
from tests.harness.live_client import PATH, set_up
from tests.harness.process_figures import ProcessFigures
from tests.harness.serve_process import serving

SESSIONS: Final = 12
ENOUGH_S: Final = 20.0  # a bound on waiting, not a measure
SCRIPTED: Final = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted",
    "LIVE_CLI_ENGINE_CHAT": "scripted:Good day.",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
}
TELLING_HOW_MUCH: Final = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_freeze_count(), "objects for good", file=sys.stderr))
from live_cli.__main__ import main
main()
"""


async def _count_after(trimmer: HeapTrimmer, trims: list[float], times: int, wait_s: float) -> int:
    for _ in range(times):
        trimmer.note_idle()
        await asyncio.sleep(0)
    await asyncio.sleep(wait_s)
    return len(trims)


async def test_one_trim_follows_however_often_the_last_session_ends() -> None:
    trims: list[float] = []
    trimmer = HeapTrimmer(lambda: trims.append(time.monotonic()), after_s=0.0, every_s=1000.0)
    assert await _count_after(trimmer, trims, 50, 0.1) == 1
    assert await _count_after(trimmer, trims, 50, 0.1) == 1


async def _until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(ENOUGH_S):
        while not happened():  # noqa: ASYNC110 - what happens is in a thread
            await asyncio.sleep(0.01)


async def test_what_ends_within_the_pause_is_trimmed_after_it() -> None:
    trims: list[float] = []
    trimmer = HeapTrimmer(lambda: trims.append(time.monotonic()), after_s=0.0, every_s=0.3)
    assert await _count_after(trimmer, trims, 1, 0.1) == 1
    trimmer.note_idle()
    await _until(lambda: len(trims) == 2)
    assert trims[1] - trims[0] > 0.29


async def test_the_loop_goes_on_while_the_heap_is_trimmed() -> None:
    turns = asyncio.Event()
    seen: list[bool] = []
    loop = asyncio.get_running_loop()

    def trim() -> None:
        loop.call_soon_threadsafe(turns.set)
        seen.append(asyncio.run_coroutine_threadsafe(turns.wait(), loop).result(ENOUGH_S))

    HeapTrimmer(trim, after_s=0.0).note_idle()
    await _until(lambda: seen == [True])


async def test_without_glibc_nothing_is_planned() -> None:
    trimmer = HeapTrimmer(None)
    trimmer.note_idle()
    assert trimmer._due is None


def test_a_collection_does_not_look_at_what_is_kept_for_good() -> None:
    everything = [{"number": [number]} for number in range(200_000)]

    def collection_s() -> float:
        begun = time.thread_time()
        gc.collect()
        return time.thread_time() - begun

    before_s = min(collection_s() for _ in range(3))
    keep_for_good()
    try:
        assert min(collection_s() for _ in range(3)) < before_s / 5
    finally:
        gc.unfreeze()
    assert everything


def test_serve_keeps_for_good_what_it_has_loaded(tmp_path: Path) -> None:
    with serving(tmp_path, SCRIPTED, (sys.executable, "-c", TELLING_HOW_MUCH)) as serve:
        serve.process.send_signal(signal.SIGTERM)
        assert serve.ended() == 0
        found = re.search(r"(\d+) objects for good", serve.said)
        assert found is not None
        assert int(found[1]) > 50_000


async def _keep_a_history(client: ClientConnection) -> None:
    """Begin a session with a history of many short turns, and wait until it is kept."""
    turns = [{"role": "user", "parts": [{"text": f"{n} {'x' * 900}"}]} for n in range(1000)]
    await set_up(client)
    for is_last in [False] * 9 + [True]:
        content = {"clientContent": {"turns": turns, "turnComplete": is_last}}
        await client.send(json.dumps(content))
    async with asyncio.timeout(ENOUGH_S):
        while b"turnComplete" not in await client.recv():
            pass


async def _growth(pid: int, port: int) -> tuple[float, float]:
    """MB that the sessions took while they were open, and some time after their end."""
    before = ProcessFigures.of(pid).resident_mb
    address = f"ws://127.0.0.1:{port}{PATH}"
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(connect(address, proxy=None)) for _ in range(SESSIONS)
        ]
        await asyncio.gather(*map(_keep_a_history, clients))
        with_sessions = ProcessFigures.of(pid).resident_mb - before
    await asyncio.sleep(AFTER_S + 1.5)
    return with_sessions, ProcessFigures.of(pid).resident_mb - before


@pytest.mark.skipif(glibc_trim() is None, reason="the C library is not glibc")
async def test_the_memory_of_ended_sessions_comes_back(tmp_path: Path) -> None:
    """Without trimming a tenth of it does."""
    with serving(tmp_path, SCRIPTED) as serve:
        with_sessions, after = await _growth(serve.process.pid, serve.port)
    assert after < 0.4 * with_sessions, (with_sessions, after)
