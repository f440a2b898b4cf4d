"""The threads of the engine: one pool for each stage, so that no stage waits for another.

The size of a pool is the number of calls that its stage takes at a time; further calls wait in the
order in which they came. Replies are streamed side by side, so chat has as many threads as there
may be sessions, and so has a stage that works elsewhere: its threads only wait.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

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
        closable = _Closable(items)
        try:
            while (item := await self.run(stage, closable.advance)) is not None:
                yield item
        finally:
            closable.close()

    def _ended(self, stage: Stage) -> None:
        self._running[stage] -= 1

    def close(self) -> None:
        """Take no more calls; running ones end by themselves."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


class _Closable(Generic[Result]):
    """Items that one thread makes and another closes.

    To close a generator while a thread is in it is no mere ValueError: Python 3.11 looks into its
    frame first, and the process may end by that. So only one of the two is in it at any time.
    """

    def __init__(self, items: Iterator[Result]) -> None:
        self._items = items
        self._in_use = threading.Lock()
        self._left = False

    def advance(self) -> Result | None:
        """Return the next item, None after the last. What is closed meanwhile ends with it."""
        with self._in_use:
            item = None if self._left else next(self._items, None)
        if self._left:
            self.close()
        return item

    def close(self) -> None:
        """Close the items: at once, or as soon as no thread is in them."""
        self._left = True
        if self._in_use.acquire(blocking=False):
            try:
                if close := getattr(self._items, "close", None):
                    close()
            finally:
                self._in_use.release()
