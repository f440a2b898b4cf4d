"""The signals by which a person or a system stops a command: Ctrl-C, SIGTERM, a closed terminal."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
