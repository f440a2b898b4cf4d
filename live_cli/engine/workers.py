"""The threads of the engine: one pool a stage, so that no stage waits for another's thread.

A pool's size says how many calls may be in its stage, the others wait in the order in which they
came. Replies are streamed side by side, so chat has as many threads as there may be sessions.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import TypeVar

Result = TypeVar("Result")


class Stage(Enum):
    DETECTOR = "detector"
    TRANSCRIBER = "transcriber"
    CHAT = "chat"
    SYNTHESIZER = "synthesizer"


_THREADS = {Stage.DETECTOR: 2, Stage.TRANSCRIBER: 1, Stage.CHAT: 16, Stage.SYNTHESIZER: 1}


class Workers:
    """Threads that are started when first needed."""

    def __init__(self) -> None:
        self._pools = {
            stage: ThreadPoolExecutor(count, thread_name_prefix=stage.value)
            for stage, count in _THREADS.items()
        }

    async def run(self, stage: Stage, call: Callable[[], Result]) -> Result:
        """``call()`` in one of the stage's threads. Cancelling abandons it, it does not stop it."""
        return await asyncio.get_running_loop().run_in_executor(self._pools[stage], call)

    def close(self) -> None:
        """Take no more calls; those running end by themselves."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
