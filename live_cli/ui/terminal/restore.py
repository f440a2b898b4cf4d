"""The terminal restored, whatever ends or stops the process.

Code that changes the terminal holds a `TerminalGuard`. Its `restore` runs when the process ends
(atexit), is ended by a signal (any that ends a process by default and can be handled) or is
suspended (SIGTSTP); its `resume` runs when the process goes on (SIGCONT). Signals that have another
handler are left alone, for that handler also ends in order: Ctrl-C has Python's.
"""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

_held: list["TerminalGuard"] = []
_replaced: dict[int, Any] = {}


@dataclass(frozen=True, eq=False, slots=True)
class TerminalGuard:
    """Restores a terminal and changes it again.

    Both calls must be quick, must not raise, and may come at any moment, more than once.
    """

    restore: Callable[[], None]
    resume: Callable[[], None]


def hold(guard: TerminalGuard) -> None:
    """Register ``guard``: from now on the terminal is not as it was found."""
    if not _held:
        atexit.register(_restore_all)
        _watch_signals()
    _held.append(guard)


def release(guard: TerminalGuard) -> None:
    """Remove ``guard``: the terminal is as it was found. A second call does nothing."""
    if guard in _held:
        _held.remove(guard)
        if not _held:
            atexit.unregister(_restore_all)
            _unwatch_signals()


def _restore_all() -> None:
    for guard in reversed(_held):
        guard.restore()


def _watch_signals() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for name, handler in _HANDLERS.items():
        number = getattr(signal, name, None)  # Windows has few of them
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            _replaced[number] = handler
            signal.signal(number, handler)


def _unwatch_signals() -> None:
    for number, handler in list(_replaced.items()):
        if signal.getsignal(number) is handler:
            if threading.current_thread() is not threading.main_thread():
                continue
            signal.signal(number, signal.SIG_DFL)
        del _replaced[number]


def _end(number: int, frame: FrameType | None) -> None:
    _restore_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _suspend(number: int, frame: FrameType | None) -> None:
    _restore_all()
    signal.signal(number, signal.SIG_DFL)
    if sys.platform != "win32":
        # To this very thread, so that it stops here and not a little later.
        signal.pthread_kill(threading.get_ident(), number)
    signal.signal(number, _suspend)
    # A process without job control is not stopped at all, and gets no SIGCONT.
    _resume(number, frame)


def _resume(number: int, frame: FrameType | None) -> None:
    for guard in _held:
        guard.resume()


_ENDING = (
    *("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGABRT", "SIGUSR1", "SIGUSR2", "SIGALRM"),
    *("SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGIO", "SIGPWR", "SIGSYS", "SIGTRAP", "SIGSTKFLT"),
)
"""What ends a process by default. Not among them: faults of the process itself (SIGSEGV, SIGBUS,
SIGFPE, SIGILL), after which no Python runs, and SIGKILL."""
_HANDLERS: dict[str, Callable[[int, FrameType | None], None]] = {
    **dict.fromkeys(_ENDING, _end),
    "SIGTSTP": _suspend,
    "SIGCONT": _resume,
}
