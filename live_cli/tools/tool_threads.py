"""Python functions run beside the event loop of the session, which no tool may hold up.

A function that is not async runs in a thread of its own; the async ones share an event loop in a
thread of theirs, so that one that blocks holds up the others alone. The threads are daemons: nobody
can stop a thread, and one that never ends must not keep the program.
"""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

CLEANING_UP_S: Final = 2.0
"""How long an async function that was cancelled may take for its ``finally``."""


def in_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` as a coroutine function that runs it in a new thread.

    Cancelling it ends the processes that the thread has started, where the system tells of them
    (Linux): a function that waits for one of them then ends too.
    """

    async def run(**arguments: Any) -> Any:
        outcome = _Outcome()

        def work() -> None:
            try:
                outcome.settle(outcome.future.set_result, function(**arguments))
            except (Exception, SystemExit) as exc:  # noqa: BLE001 - who waits gets it
                outcome.settle(outcome.future.set_exception, _ordinary(exc))

        thread = threading.Thread(target=work, name=f"tool {function.__name__}", daemon=True)
        thread.start()
        try:
            return await outcome.future
        finally:
            if thread.is_alive() and not outcome.is_settled:
                _end_children(thread)

    return run


def on_tool_loop(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return the async ``function`` as one that runs on the event loop of all tools.

    Cancelling it cancels ``function``, and waits `CLEANING_UP_S` for its end at most.
    """

    async def run(**arguments: Any) -> Any:
        outcome = _Outcome()

        async def work() -> None:
            try:
                outcome.settle(outcome.future.set_result, await function(**arguments))
            except asyncio.CancelledError:
                outcome.settle(outcome.future.cancel)
            except (Exception, SystemExit) as exc:  # noqa: BLE001 - who waits gets it
                outcome.settle(outcome.future.set_exception, _ordinary(exc))

        running = asyncio.run_coroutine_threadsafe(work(), _tool_loop())
        try:
            return await asyncio.shield(outcome.future)
        finally:
            if not outcome.future.done():
                running.cancel()
                await asyncio.wait([outcome.future], timeout=CLEANING_UP_S)

    return run


def _end_children(thread: threading.Thread) -> None:
    children = Path(f"/proc/self/task/{thread.native_id}/children")
    with contextlib.suppress(OSError, ValueError):
        for process in children.read_text().split():
            os.kill(int(process), signal.SIGTERM)


class _Outcome:
    """The end of a function in another thread, awaited in the thread that makes this."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self._loop.create_future()
        self.is_settled = False

    def settle(self, act: Callable[..., object], *value: Any) -> None:
        """Settle the future by ``act``, one of its methods, from any thread."""
        self.is_settled = True

        def settled() -> None:
            if not self.future.done():
                act(*value)
                if not self.future.cancelled():
                    self.future.exception()  # nobody may wait for it any more

        with contextlib.suppress(RuntimeError):  # the session is over
            self._loop.call_soon_threadsafe(settled)


_loop: asyncio.AbstractEventLoop | None = None


def _tool_loop() -> asyncio.AbstractEventLoop:
    global _loop
    if _loop is None:
        _loop = asyncio.new_event_loop()
        threading.Thread(target=_loop.run_forever, name="async tools", daemon=True).start()
    return _loop


def _ordinary(exc: BaseException) -> Exception:
    """Return ``exc`` as an error like any other: two mean something else to an event loop."""
    if isinstance(exc, Exception) and not isinstance(exc, StopIteration):
        return exc
    return RuntimeError(repr(exc))
