"""The server's log: its lines are printable, its files bounded and their owner's alone.

What a record says may come from outside, such as an endpoint's error: no character of it steers a
terminal or begins a line of its own.
"""

import contextlib
import logging
import os
import stat
import traceback
from collections import Counter
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Final

from live_cli.log_files import LOG_BYTES, open_private
from live_cli.paths import make_private, state_folder
from live_cli.ui.printable import printable

_MOST_KINDS: Final = 256
"""Kinds of failures that are told apart, far beyond what one program can fail with. The next
begins to count anew, which bounds the memory."""
_INDENT = "    "


class LogFormatter(logging.Formatter):
    """Formats a record as one line with its time and the exception's own words.

    ``tracebacks``: the first exception of a kind (its type, and the line that raised it) is
    followed by its traceback, indented; later ones say the how many-th they are.
    """

    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks
        self._seen: Counter[tuple[type[BaseException], str, int]] = Counter()

    def format(self, record: logging.LogRecord) -> str:
        line = printable(f"{self.formatTime(record)} {record.getMessage()}")
        cause = record.exc_info[1] if record.exc_info else None
        if cause is None:
            return line
        line = f"{line}: {printable(repr(cause))}"
        if not self._tracebacks:
            return line
        times = self._count(cause)
        if times > 1:
            return f"{line} (number {times} of this kind, its traceback is with the first)"
        lines = printable("".join(traceback.format_exception(cause)), newlines=True).splitlines()
        return "\n".join([line, *(_INDENT + each for each in lines)])

    def _count(self, cause: BaseException) -> int:
        frames = list(traceback.walk_tb(cause.__traceback__))
        frame, number = frames[-1] if frames else (None, 0)
        kind = (type(cause), frame.f_code.co_filename if frame else "", number)
        if kind not in self._seen and len(self._seen) >= _MOST_KINDS:
            self._seen.clear()
        self._seen[kind] += 1
        return self._seen[kind]


class PrivateLogHandler(RotatingFileHandler):
    """Writes records into the log at ``path``, made with the first record."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        make_private(Path(self.baseFilename).parent)
        descriptor = open_private(Path(self.baseFilename))
        return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Do nothing: where the file cannot be written, the line on stderr remains."""


class BoundedStderrHandler(logging.StreamHandler[IO[str]]):
    """Writes records to stderr; where that is a log file, its older part is cut when it is large.

    For a process whose stderr `open_log` opened: nobody rotates it while the process runs.
    """

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        with contextlib.suppress(OSError, ValueError):
            _cut(self.stream.fileno())


def _cut(log: int) -> None:
    """Keep the newer half of a log file above its size."""
    found = os.fstat(log)
    if not stat.S_ISREG(found.st_mode) or found.st_size <= LOG_BYTES or not hasattr(os, "pread"):
        return
    newer = os.pread(log, LOG_BYTES // 2, found.st_size - LOG_BYTES // 2)
    os.ftruncate(log, 0)
    os.write(log, newer[newer.find(b"\n") + 1 :])


def log_to_stderr() -> None:
    """Log sessions to stderr, a line each, and crashes with their tracebacks to a file."""
    shown = logging.StreamHandler()
    shown.setFormatter(LogFormatter(tracebacks=False))
    kept = PrivateLogHandler(state_folder() / "serve.log")
    kept.setFormatter(LogFormatter(tracebacks=True))
    kept.setLevel(logging.ERROR)
    for name in ("live_cli.serve", "asyncio"):  # asyncio tells of a failure that nobody asked for
        log = logging.getLogger(name)
        log.propagate = False
        log.handlers = [shown, kept]
    logging.getLogger("live_cli.serve").setLevel(logging.INFO)
