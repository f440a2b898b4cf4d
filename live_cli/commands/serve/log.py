"""The server's log: sessions on stderr, a line each; crashes in a file, with their tracebacks."""

import contextlib
import logging
import os
import stat
from typing import IO

from live_cli.commands.failure_log import LogFormatter, PrivateLogHandler
from live_cli.log_files import LOG_BYTES
from live_cli.paths import state_folder

_LOGS = ("live_cli.serve", "live_cli.stages")


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
    for name in (*_LOGS, "asyncio"):  # asyncio tells of a failure that nobody asked for
        log = logging.getLogger(name)
        log.propagate = False
        log.handlers = [shown, kept]
    for name in _LOGS:
        logging.getLogger(name).setLevel(logging.INFO)
