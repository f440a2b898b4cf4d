"""Failures written into a file that is its owner's alone, bounded, and safe to show in a terminal.

What a record says may come from outside, such as an endpoint's error: no character of it steers a
terminal or begins a line of its own.
"""

import logging
import traceback
from collections import Counter
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from live_cli.log_files import LOG_BYTES, open_private
from live_cli.paths import make_private
from live_cli.ui.printable import printable

_MOST_KINDS: Final = 256
"""Kinds of failures that are told apart, far beyond what one program can fail with. The next
begins to count anew, which bounds the memory."""
_MOST_CHARACTERS: Final = 16_384
"""Of one record: an exception may quote all that it could not read."""
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
        line = f"{line}: {printable(repr(cause)[:_MOST_CHARACTERS])}"
        if not self._tracebacks:
            return line
        times = self._count(cause)
        if times > 1:
            return f"{line} (number {times} of this kind, its traceback is with the first)"
        text = "".join(traceback.format_exception(cause))
        if len(text) > _MOST_CHARACTERS:
            half = _MOST_CHARACTERS // 2
            text = f"{text[:half]}\n(cut)\n{text[-half:]}"
        lines = printable(text, newlines=True).splitlines()
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
        """Do nothing: where the file cannot be written, nothing can be told of it here."""


def log_failures(logger: str, path: Path) -> None:
    """Write what ``logger`` gets into the log at ``path`` alone, made with the first record."""
    kept = PrivateLogHandler(path)
    kept.setFormatter(LogFormatter(tracebacks=True))
    log = logging.getLogger(logger)
    log.propagate = False
    log.handlers = [kept]
