"""A progress bar on stderr, on a terminal; nothing on a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from live_cli.ui.printable import printable


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
    with progress:
        task = progress.add_task(Text(printable(name)).plain, total=None)

        def show(done_s: float, total_s: float | None) -> None:
            progress.update(task, completed=done_s, total=total_s)

        yield show
