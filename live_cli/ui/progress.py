"""A progress bar on stderr, on a terminal; nothing on a pipe.

One row, drawn over and over: name, bar, percent, and once a second has told them, rate and time
left. Both come from all that was done since the first report, so they do not jump with its pace.
"""

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.cells import cell_len, set_cell_size

from live_cli.streams import can_encode
from live_cli.ui.printable import printable
from live_cli.ui.terminal.restore import TerminalGuard, hold, release

_ERASED = "\r\x1b[K"
_SHOW_CURSOR, _HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"
_EVERY_S = 0.1
_TELLING_S = 1.0
"""How long a rate is measured before it is shown."""
_BAR_COLUMNS = 24
_NAME_COLUMNS = 32
_USUAL_COLUMNS = 80
"""Those of a terminal that does not tell."""

RateText = Callable[[float], str]
"""The rate, in units a second, as the user reads it."""


class ProgressBar:
    """Where a task is, on a terminal's row that is erased at the end.

    Any unit serves, such as seconds or bytes. ``rate_text``: None shows no rate. ``cells``: the
    two characters of the bar.
    """

    def __init__(
        self,
        name: str,
        rate_text: RateText | None,
        write: Callable[[str], None],
        columns: Callable[[], int],
        cells: str = "█░",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = printable(name)
        self._cells = cells
        self._rate_text = rate_text
        self._write = write
        self._columns = columns
        self._clock = clock
        self._first: tuple[float, float] | None = None  # when, and what was done by then
        self._drawn_at: float | None = None
        self._row = ""

    def __call__(self, done: float, total: float | None) -> None:
        """Show how much is done, and of what whole; the whole is None where it is not known."""
        now = self._clock()
        if self._first is None:
            self._first = (now, done)
        if self._drawn_at is None or now - self._drawn_at >= _EVERY_S:
            self._drawn_at = now
            row = self._text(done, total, now)
            self._row = set_cell_size(row, max(0, min(cell_len(row), self._columns() - 1)))
            self._write(_ERASED + self._row)

    def erase(self) -> None:
        """Take the row away, for what is written in its place."""
        if self._row:
            self._write(_ERASED)

    def redraw(self) -> None:
        """Show the row again, below what was written."""
        if self._row:
            self._write(_ERASED + self._row)

    def _text(self, done: float, total: float | None, now: float) -> str:
        name = set_cell_size(self._name, min(_NAME_COLUMNS, cell_len(self._name)))
        parts = [name]
        if total:
            share = min(1.0, done / total)
            full = int(share * _BAR_COLUMNS)
            done_cell, open_cell = self._cells[0], self._cells[1]
            parts += [
                done_cell * full + open_cell * (_BAR_COLUMNS - full),
                f"{math.floor(100 * share)} %",
            ]
        began, before = self._first or (now, done)
        rate = (done - before) / (now - began) if now - began >= _TELLING_S else 0.0
        if rate > 0 and self._rate_text is not None:
            parts.append(self._rate_text(rate))
        if rate > 0 and total and total > done:
            parts.append(f"{clock_text((total - done) / rate)} left")
        return "  ".join(parts)


def clock_text(seconds: float) -> str:
    """Return a time as a clock shows it: ``0:07``, ``12:30``, ``1:02:03``."""
    minutes, s = divmod(int(seconds), 60)
    h, m = divmod(minutes, 60)
    return f"{h}:{m:02}:{s:02}" if h else f"{m}:{s:02}"


@contextmanager
def progress_bar(name: str, rate_text: RateText | None = None) -> Iterator[ProgressBar]:
    """Yield the bar of a task; one that shows nothing where stderr is no terminal.

    Its row is taken away whatever ends the process meanwhile.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield ProgressBar(name, rate_text, lambda text: None, lambda: 0)
        return
    out = sys.stderr.fileno()  # not 2, which may lead elsewhere while native code is silenced

    def write(text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(out, text.encode(sys.stderr.encoding or "utf-8", "replace"))

    def columns() -> int:
        with contextlib.suppress(OSError):
            return os.get_terminal_size(out).columns or _USUAL_COLUMNS
        return _USUAL_COLUMNS

    cells = "█░" if can_encode(sys.stderr.encoding, "█░") else "#-"
    bar = ProgressBar(name, rate_text, write, columns, cells)

    def begin() -> None:
        write(_HIDE_CURSOR)
        bar.redraw()

    def end() -> None:
        bar.erase()
        write(_SHOW_CURSOR)

    guard = TerminalGuard(end, begin)
    hold(guard)
    begin()
    try:
        yield bar
    finally:
        end()
        release(guard)
