"""The child's side of a server that runs as a child process: its pipe to the parent, its end.

Standard library only and cheap to import: it runs before anything else of the child.
The lines on the pipe are JSON objects: ``{"url", "key"}`` once the server listens, and
``{"error", "exit_code"}`` when the child cannot go on.
"""

import contextlib
import json
import os
import sys
import threading
from typing import IO

from live_cli.errors import LiveError

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


class ParentPipe:
    """The pipe to the parent: the child's stdout, taken away from everything else that prints."""

    def __init__(self) -> None:
        self._pipe: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what a model library prints goes to stderr

    def announce(self, url: str, key: str) -> None:
        """Write the address at which the server listens, and its key."""
        self._write({"url": url, "key": key})

    def fail(self, error: LiveError) -> None:
        """Write the error that ends the child, with its exit code."""
        self._write({"error": str(error), "exit_code": error.exit_code})

    def _write(self, line: dict[str, object]) -> None:
        try:
            self._pipe.write(json.dumps(line) + "\n")
            self._pipe.flush()
        except OSError:
            os._exit(0)  # the parent is gone


def die_with_parent() -> None:
    """End this process at once when the parent closes its stdin, or dies in whatever way."""
    threading.Thread(target=_watch, name="parent-watch", daemon=True).start()


def _watch() -> None:
    _ask_kernel()
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    with contextlib.suppress(OSError):
        os.write(2, b"Ended with its parent.\n")
    # Not sys.exit: model calls cannot be interrupted, and no parent is left to wait for them.
    os._exit(0)


def _ask_kernel() -> None:
    """Have Linux kill this process with its parent, also while a model call holds the GIL."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    # a C library without prctl: the pipe alone must do
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
