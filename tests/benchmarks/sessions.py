"""What sessions that have ended leave in the memory of `serve`, with the real stages."""

import asyncio
import tempfile
from pathlib import Path
from time import sleep

from tests.benchmarks.row import Row
from tests.benchmarks.visits import visits
from tests.harness.process_figures import ProcessFigures
from tests.harness.serve_process import Serve, serving

COUNT, AT_A_TIME = 400, 4
SMALL_COUNT = 8
_SETTLE_S = 15.0
"""After the last session: as long as `serve` may wait before it gives memory back, and a little."""
_SMALL_SETTLE_S = 0.5


def rows(small: bool = False) -> list[Row]:
    count, settle_s = (SMALL_COUNT, _SMALL_SETTLE_S) if small else (COUNT, _SETTLE_S)
    with tempfile.TemporaryDirectory() as home, serving(Path(home), {}) as serve:
        early = _memory_after(serve, count // 4, 0, settle_s)
        late = _memory_after(serve, count - count // 4, count // 4, settle_s)
        figures = ProcessFigures.of(serve.process.pid)
    first = f"after {count // 4}"
    return [
        Row(f"memory of serve after {count} sessions", late, "MB", 1.08, early, first),
        Row("threads of serve then", figures.threads, "", 80),
        Row("descriptors of serve then", figures.descriptors, "", 100),
    ]


def _memory_after(serve: Serve, count: int, first: int, settle_s: float) -> float:
    """Resident MB of ``serve`` when ``count`` more sessions have ended."""
    asyncio.run(visits(serve.port, count, AT_A_TIME, first))
    sleep(settle_s)
    return ProcessFigures.of(serve.process.pid).resident_mb
