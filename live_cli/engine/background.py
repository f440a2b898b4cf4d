"""Work beside a session's turn, and the first failure of either."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from live_cli.errors import EngineError

INTERNAL_ERROR = "Internal error encountered."
"""What a client is told of a crash; the cause is for the log."""


class Background:
    """Tasks that nobody awaits. What goes wrong in one fails the session, once."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[EngineError] = asyncio.get_running_loop().create_future()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Start ``work``."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def fail(self, error: BaseException) -> None:
        """The session has failed; only the first reason counts."""
        if not isinstance(error, EngineError):
            crash = EngineError(INTERNAL_ERROR)
            crash.__cause__ = error
            error = crash
        if not self._failure.done():
            self._failure.set_result(error)

    def check(self) -> None:
        """Raises the EngineError of an earlier failure."""
        if self._failure.done():
            raise self._failure.result()

    async def failed(self) -> EngineError:
        """Returns once something has failed."""
        return await asyncio.shield(self._failure)

    async def close(self) -> None:
        """Cancel what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)
