"""A `serve` with visitors for minutes to an hour: what it holds meanwhile, and how it ends.

python -m tests.benchmarks.soak [MINUTES [VISITORS]]

Visitors come and go side by side, with short and long sessions, all through the real stages. Once a
minute a line tells what the process holds. A process that ends by itself is told at once: by which
signal or code, after how many sessions, and what it said last (a crash of a library leaves the
place in every thread there).
"""

import asyncio
import contextlib
import itertools
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

from rich.console import Console
from websockets.exceptions import WebSocketException

from tests.benchmarks.row import Row, median
from tests.benchmarks.visits import LONG, SHORT, Act, visit
from tests.harness.process_figures import ProcessFigures
from tests.harness.serve_process import Serve, serving

MINUTES: Final = 10.0
VISITORS: Final = 4
LOOKS: Final = 60
"""How often the process is looked at in all, once a minute at most."""
_SMALL_MINUTES: Final = 0.1
_LAST_WORDS: Final = 20_000
"""Characters of what a process said before it ended."""


class ServeEndedError(Exception):
    """`serve` ended by itself. The message tells how, and what it said last."""


@dataclass
class Soak:
    """What has been seen so far."""

    begun_at: float = field(default_factory=monotonic)
    sessions: int = 0
    failures: list[str] = field(default_factory=list)
    figures: list[ProcessFigures] = field(default_factory=list)

    def line(self) -> str:
        """The newest figures, as a line of a log."""
        held = self.figures[-1]
        return (
            f"{monotonic() - self.begun_at:6.0f} s  {self.sessions:6} sessions  "
            f"{len(self.failures)} failed  {held.resident_mb:6.0f} MB  "
            f"{held.descriptors} descriptors  {held.threads} threads"
        )


def rows(small: bool = False) -> list[Row]:
    return soak_rows(_SMALL_MINUTES if small else MINUTES, VISITORS)


def soak_rows(minutes: float, visitors: int) -> list[Row]:
    """The figures of a soak. Raises ServeEndedError."""
    with tempfile.TemporaryDirectory() as home, serving(Path(home), {}) as serve:
        seen = asyncio.run(watched(serve, 60 * minutes, visitors))
    _say(f"serve ended by SIGTERM, with exit code {serve.process.returncode}, as it was asked to.")
    return [
        Row("sessions that failed", len(seen.failures), f"of {seen.sessions}", 0),
        _second_half("memory of serve", "MB", 1.08, [each.resident_mb for each in seen.figures]),
        _second_half("descriptors of serve", "", 1.25, [each.descriptors for each in seen.figures]),
        _second_half("threads of serve", "", 1.1, [each.threads for each in seen.figures]),
    ]


def _second_half(what: str, unit: str, budget: float, values: Sequence[float]) -> Row:
    """The median of the second half, against that of the second quarter: the first warms up."""
    half = max(1, len(values) // 2)
    early, late = values[half // 2 : half], values[half:] or values
    return Row(what, median([*late]), unit, budget, median([*early]), "second quarter")


async def watched(serve: Serve, seconds: float, visitors: int) -> Soak:
    """Let visitors come and go for so long; what has been seen. Raises ServeEndedError."""
    seen = Soak()
    acts = itertools.cycle((*SHORT, *LONG))
    visiting = [asyncio.create_task(_visit_on(serve, acts, seen)) for _ in range(visitors)]
    pause_s = min(60.0, seconds / LOOKS)
    try:
        while monotonic() - seen.begun_at < seconds:
            await asyncio.to_thread(_wait, serve, pause_s)
            _look(serve, seen)
    finally:
        for visitor in visiting:
            visitor.cancel()
        await asyncio.wait(visiting)
    for visitor in visiting:
        if not visitor.cancelled():
            visitor.result()
    return seen


def _wait(serve: Serve, seconds: float) -> None:
    """Return after so many seconds, or when the process has ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        serve.process.wait(seconds)


async def _visit_on(serve: Serve, acts: Iterator[Act], seen: Soak) -> None:
    """One session after another, until cancelled."""
    while True:
        act = next(acts)
        try:
            await visit(serve.port, act)
        except (OSError, TimeoutError, WebSocketException) as error:
            seen.failures.append(f"{act.__name__.strip('_')}: {error!r}")
            _say(f"A session failed: {seen.failures[-1]}")
            await asyncio.sleep(1.0)
        seen.sessions += 1


def _look(serve: Serve, seen: Soak) -> None:
    """Note and tell what the process holds. Raises ServeEndedError where there is none."""
    code = serve.process.poll()
    if code is not None:
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        after = f"after {monotonic() - seen.begun_at:.0f} s and {seen.sessions} sessions"
        serve.ended()
        raise ServeEndedError(f"serve ended {how}, {after}. It said:\n{serve.said[-_LAST_WORDS:]}")
    seen.figures.append(ProcessFigures.of(serve.process.pid))
    _say(seen.line())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Print the figures; 1 when a budget is missed or `serve` ended by itself."""
    from tests.benchmarks.__main__ import table

    minutes = float(arguments[0]) if arguments else MINUTES
    try:
        found = soak_rows(minutes, int(arguments[1]) if arguments[1:] else VISITORS)
    except ServeEndedError as ended:
        _say(str(ended))
        return 1
    Console(width=120).print(table(found))
    return 0 if all(row.holds for row in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
