"""The threads of the engine: one pool for each stage, so that no stage waits for another.

The size of a pool is the number of calls that its stage takes at a time; further calls wait in the
order in which they came. Replies are streamed side by side, so chat has as many threads as there
may be sessions, and so has a stage that works elsewhere: its threads only wait.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from live_cli.engine.backends.table import Stage

Result = TypeVar("Result")

_THREADS = {
    Stage.DETECTOR: 2,
    Stage.TURN_DETECTOR: 1,
    Stage.TRANSCRIBER: 1,
    Stage.CHAT: 16,
    Stage.SYNTHESIZER: 1,
}
_THREADS_ELSEWHERE = 16


class Workers:
    """The thread pools of one engine; threads start when they are first needed.

    ``elsewhere``: the stages that are behind an endpoint.
    """

    def __init__(self, elsewhere: Collection[Stage] = ()) -> None:
        counts = _THREADS | dict.fromkeys(elsewhere, _THREADS_ELSEWHERE)
        self._pools = {
            stage: ThreadPoolExecutor(count, thread_name_prefix=stage.value)
            for stage, count in counts.items()
        }
        self._running = dict.fromkeys(_THREADS, 0)

    def running(self, stage: Stage) -> int:
        """Return how many calls of ``stage`` are awaited."""
        return self._running[stage]

    async def run(self, stage: Stage, call: Callable[[], Result]) -> Result:
        """``call()`` in a thread of ``stage``. Cancelling abandons the call, which goes on."""
        running = asyncio.get_running_loop().run_in_executor(self._pools[stage], call)
        self._running[stage] += 1
        running.add_done_callback(lambda _: self._ended(stage))
        try:
            return await running
        finally:
            del running  # its error's traceback holds this frame

    async def iterate(self, stage: Stage, items: Iterator[Result]) -> AsyncGenerator[Result, None]:
        """Yield ``items``, each made in a thread of ``stage``.

        With this generator ``items`` are closed, too, as soon as no thread is in them.
        """
        left = threading.Event()

        def advance() -> Result | None:
            item = next(items, None)
            if left.is_set():
                _close(items)
            return item

        try:
            while (item := await self.run(stage, advance)) is not None:
                yield item
        finally:
            left.set()
            _close(items)

    def _ended(self, stage: Stage) -> None:
        self._running[stage] -= 1

    def close(self) -> None:
        """Take no more calls; running ones end by themselves."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def _close(items: Iterator[object]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        with contextlib.suppress(ValueError):  # a thread is in it, and closes it when it comes out
            close()
