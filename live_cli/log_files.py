"""Log files: their owner's alone, bounded, and open to append.

A log is rotated, one earlier generation kept: ``serve.log`` and ``serve.log.1``.
"""

import contextlib
import os
from pathlib import Path
from typing import IO

from live_cli.paths import make_private

LOG_BYTES = 1024 * 1024
"""Size at which a log is rotated: weeks of sessions, and a mail's attachment with its earlier one.
"""


def open_log(path: Path) -> IO[bytes]:
    """Open the log at ``path`` to append and to read, rotated where it is large. Raises OSError."""
    make_private(path.parent)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES:
            os.replace(path, _earlier(path))
    log = os.fdopen(open_private(path), "a+b")
    log.seek(0, os.SEEK_END)
    return log


def _earlier(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def open_private(path: Path) -> int:
    """Open ``path`` to append with mode 0600, also where it was there and wider."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    if os.name == "posix":
        os.fchmod(descriptor, 0o600)
    return descriptor
