"""A progress bar on stderr, on a terminal; nothing on a pipe."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from live_cli.ui.printable import printable
from live_cli.ui.terminal.restore import TerminalGuard, hold, release

_SHOW_CURSOR, _HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"
_ERASED = "\r\x1b[K"


@contextmanager
def progress_bar(name: str) -> Iterator[Callable[[float, float | None], None]]:
    """Show the progress of ``name``; yields a function of the amount done and of the whole.

    The whole is None where it is not known. Any unit serves, such as seconds or bytes.
    """
    if not sys.stderr.isatty():
        yield lambda done_s, total_s: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with _cursor_guarded(), progress:
        task = progress.add_task(Text(printable(name)).plain, total=None)

        def show(done_s: float, total_s: float | None) -> None:
            progress.update(task, completed=done_s, total=total_s)

        yield show


@contextmanager
def _cursor_guarded() -> Iterator[None]:
    """Show the cursor, which rich hides, whatever ends the process meanwhile.

    Written past rich, whose lock may be held where the signal comes.
    """
    out = sys.stderr.fileno()  # not 2, which may lead elsewhere while native code is silenced
    guard = TerminalGuard(
        lambda: _write(out, _ERASED + _SHOW_CURSOR), lambda: _write(out, _HIDE_CURSOR)
    )
    hold(guard)
    try:
        yield
    finally:
        guard.restore()  # Ctrl-C while rich starts: it hides the cursor and knows of no end
        release(guard)


def _write(descriptor: int, sequence: str) -> None:
    if os.environ.get("TERM") != "dumb":
        with contextlib.suppress(OSError):
            os.write(descriptor, sequence.encode())
