"""How long the event loop of this process was held up, told by a task that wants to run often."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

TICK_S = 0.002


@dataclass
class LoopLag:
    """Milliseconds by which each tick came late."""

    late_ms: list[float] = field(default_factory=list)

    @property
    def worst_ms(self) -> float:
        return max(self.late_ms, default=0.0)

    @property
    def p99_ms(self) -> float:
        return sorted(self.late_ms)[len(self.late_ms) * 99 // 100] if self.late_ms else 0.0

    async def watch(self) -> None:
        """Tick until cancelled. Time of other processes counts: take the best of several runs."""
        while True:
            due = time.perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            self.late_ms.append(max(0.0, time.perf_counter() - due) * 1000)


@contextlib.asynccontextmanager
async def watched_loop() -> AsyncIterator[LoopLag]:
    """Within the context the loop's lag is measured."""
    lag = LoopLag()
    watching = asyncio.create_task(lag.watch())
    try:
        yield lag
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
