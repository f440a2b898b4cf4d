"""Thousands of sessions that are open and silent on one `serve`: memory, and lag of its loop.

The clients are processes of their own. The lag is what a WebSocket ping on one more connection
waits for its pong, while `serve` pings all the others; on a busy machine much of it is the
machine's, which the processor time of the loop's longest callback is not.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks.load import LAG_BUDGET_MS, pinging
from tests.benchmarks.row import ENVIRONMENT, Row, quantile
from tests.harness.live_client import PATH
from tests.harness.places import ROOT
from tests.harness.process_figures import ProcessFigures
from tests.harness.replicas import SCRIPTED
from tests.harness.serve_process import serving
from tests.harness.timed_loop import PROGRAM, VARIABLE, LoopHolds

COUNT, SMALL_COUNT = 5000, 20
WATCH_S, SMALL_WATCH_S = 40.0, 0.5
"""Long enough for `serve` to ping each of its clients once."""
PROCESSES = 2
EACH_MB = 0.1


def rows(small: bool = False) -> list[Row]:
    count, watch_s = (SMALL_COUNT, SMALL_WATCH_S) if small else (COUNT, WATCH_S)
    settings = SCRIPTED | {
        "LIVE_CLI_SERVE_MAX_SESSIONS": str(count + 10),
        "LIVE_CLI_SERVE_MAX_CONNECTIONS": str(count + 50),
        "LIVE_CLI_SERVE_MAX_CONNECTIONS_PER_ADDRESS": "0",
    }
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), settings | {VARIABLE: f"{home}/holds"}, PROGRAM) as serve,
        ExitStack() as stack,
    ):
        stack.enter_context(_clients(serve.port, PROCESSES))  # what the first ones load
        early_mb = ProcessFigures.of(serve.process.pid).resident_mb
        for _ in range(PROCESSES):
            stack.enter_context(_clients(serve.port, count // PROCESSES))
        held = ProcessFigures.of(serve.process.pid)
        holds = LoopHolds(Path(home, "holds"))
        holds.take()
        lags_s = asyncio.run(_lags(f"ws://127.0.0.1:{serve.port}{PATH}", watch_s))
        longest_ms = max(holds.take(), default=0.0)
    each_mb = (held.resident_mb - early_mb) / count
    who = f"{count} silent sessions"
    return [
        Row(f"{who}: memory of each", each_mb, "MB", EACH_MB),
        Row(
            f"{who}: lag of the event loop, p99", 1e3 * quantile(lags_s, 0.99), "ms", LAG_BUDGET_MS
        ),
        Row(f"{who}: longest callback of the event loop", longest_ms, "ms", LAG_BUDGET_MS),
        Row(f"{who}: descriptors of each", held.descriptors / count, "", 1.1 if not small else 9.0),
    ]


@contextmanager
def _clients(port: int, count: int) -> Iterator[None]:
    """A process with ``count`` open sessions, none of which may be lost."""
    command = [sys.executable, "-m", "tests.benchmarks.idle_clients", str(port), str(count)]
    with subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield
        told, _ = process.communicate()
        assert told == "0 lost\n"


async def _lags(endpoint: str, seconds: float) -> list[float]:
    async with pinging(endpoint) as lags_s:
        await asyncio.sleep(seconds)
    return lags_s
