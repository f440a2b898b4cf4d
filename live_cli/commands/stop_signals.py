"""The signals by which a person or a system stops a command: Ctrl-C, SIGTERM, a closed terminal."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from live_cli.errors import StoppedError
from live_cli.streams import leave_closed_terminal

_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def stopping_on_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Call ``stop`` in the event loop with the number of each signal that comes.

    On Windows Ctrl-C ends the process as it always does. Behind this each signal does again what it
    did before: the terminal is not given back yet.
    """
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in _STOPPING if hasattr(signal, name)]

    def end(number: int) -> None:
        leave_closed_terminal()
        stop(number)

    before = {number: signal.getsignal(number) for number in numbers}
    # nohup has SIGHUP ignored, and means it; a shell's "&" has SIGINT ignored, and does not
    ignored = [number for number in numbers if before[number] is signal.SIG_IGN]
    heeded = [number for number in numbers if number == signal.SIGINT or number not in ignored]
    try:
        for number in heeded:
            loop.add_signal_handler(number, end, number)
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])


@contextmanager
def cancelling_on_signals() -> Iterator[None]:
    """Cancel the task at SIGTERM and SIGHUP, so that it cleans up, then raise StoppedError.

    Ctrl-C does the same by itself. What sets these signals meanwhile is heeded in place of this.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    came: list[int] = []

    def cancel(number: int, _: FrameType | None) -> None:
        came.append(number)
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    numbers = [getattr(signal, name) for name in _STOPPING[1:] if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = [number for number in numbers if before[number] is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, cancel)
    try:
        yield
    except asyncio.CancelledError:
        if came:
            raise StoppedError(f"Stopped by {signal.Signals(came[0]).name}.", came[0]) from None
        raise
    finally:
        for number in heeded:
            signal.signal(number, before[number])
