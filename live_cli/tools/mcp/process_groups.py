"""The process groups of the MCP servers: whatever ends the program, none of them is left."""

import atexit
import contextlib
import os
import signal

_living: set[int] = set()


def note_started(group: int) -> None:
    """Note that a process group has been started, by the id of its leader."""
    if not _living:
        atexit.register(kill_all)
    _living.add(group)


def note_ended(group: int) -> None:
    """Note that a process group has ended."""
    _living.discard(group)


def kill_all() -> None:
    """Kill what has not ended in order."""
    for group in (*_living,):
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
        _living.discard(group)
