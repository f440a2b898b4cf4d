"""The standard streams of the process: closed at the start, or with nobody at the other end.

A descriptor that leads nowhere leads to the null device: writes to it succeed and are gone.
"""

import contextlib
import errno
import os
import sys
from typing import IO, TextIO


def lead_nowhere(descriptor: int) -> None:
    """Open the null device as ``descriptor``, in place of what was open there."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def open_nowhere() -> IO[bytes]:
    """Return a file that takes all that is written to it and keeps nothing."""
    return open(os.devnull, "wb")


def replace_closed_streams() -> None:
    """Lead nowhere what the process was started without (``>&-``): quiet, and no bug.

    The descriptors too, else the next file or socket would take the place of stdout. `sys.stdin`
    stays None: the code that reads stdin says that it is closed.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            lead_nowhere(descriptor)
    if sys.stdout is None:
        sys.stdout = _null_stream()
    if sys.stderr is None:
        sys.stderr = _null_stream()


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether ``stream`` is a terminal; one that was closed at the start is none."""
    return stream is not None and stream.isatty()


def leave_stdout() -> None:
    """Lead stdout nowhere, so that what is left in its buffer makes no noise at exit."""
    with contextlib.suppress(OSError, ValueError):
        lead_nowhere(sys.stdout.fileno())


def leave_closed_terminal() -> None:
    """Lead stdout and stderr nowhere once their terminal is closed: a write would be an error."""
    if sys.platform == "win32":
        return
    for descriptor in (1, 2):
        try:
            os.ttyname(descriptor)
        except OSError as exc:
            if exc.errno == errno.EIO:
                lead_nowhere(descriptor)


def can_encode(encoding: str | None, characters: str) -> bool:
    """Return whether a stream with ``encoding`` can write ``characters``; None stands for UTF-8."""
    try:
        characters.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _null_stream() -> TextIO:
    """Return a text stream that stays open as long as the process, as the one it replaces."""
    return open(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)
