"""Tasks beside the turn of a session, and the first failure of the session."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from live_cli.errors import EngineError

INTERNAL_ERROR = "Internal error encountered."
"""The message of a crash for the client; its cause goes to the log."""


class Background:
    """The background tasks of one session; the first exception in one fails the session."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[EngineError] = asyncio.get_running_loop().create_future()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Start ``work`` as a task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def fail(self, error: BaseException) -> None:
        """Fail the session with ``error``; only the first error counts."""
        if not isinstance(error, EngineError):
            crash = EngineError(INTERNAL_ERROR)
            crash.__cause__ = error
            error = crash
        if not self._failure.done():
            self._failure.set_result(error)

    def check(self) -> None:
        """Raise the EngineError of the session's failure, if there is one."""
        if self._failure.done():
            raise self._failure.result()

    async def failed(self) -> EngineError:
        """Wait for the failure of the session."""
        return await asyncio.shield(self._failure)

    async def close(self) -> None:
        """Cancel the tasks, wait for their end, and forget the failure.

        A failure's traceback holds the frames of the session that holds it.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._failure = asyncio.get_running_loop().create_future()

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)
