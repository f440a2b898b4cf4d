"""Runs `live-cli` and notes how long callbacks hold its event loop, in processor time.

LOOP_HOLDS=FILE python tests/harness/timed_loop.py serve ...

A line in the file for each callback of a millisecond or more: its milliseconds. Processor time of
the loop's thread, unlike the time of the clock, is the same on a busy machine; a wait for the
interpreter's lock is not in it.
"""

import os
import sys
from asyncio import Handle
from pathlib import Path
from time import thread_time
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = (sys.executable, __file__)
"""Stands for `live-cli`, in `serve_process.serving`."""
VARIABLE: Final = "LOOP_HOLDS"
_SHORTEST_S: Final = 0.001


class LoopHolds:
    """Reads what a process notes in ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def take(self) -> list[float]:
        """Milliseconds of the callbacks that were noted since the last time."""
        noted = self._path.read_text().split() if self._path.exists() else []
        new, self._read = noted[self._read :], len(noted)
        return [float(each) for each in new]


def note_holds(path: str) -> None:
    """Let every callback of every event loop of this process be timed from now on."""
    notes = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    run = Handle._run

    def timed(handle: Handle) -> None:
        begun = thread_time()
        run(handle)
        took_s = thread_time() - begun
        if took_s >= _SHORTEST_S:
            os.write(notes, f"{1000 * took_s:.2f}\n".encode())

    Handle._run = timed  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # in place of this folder
    note_holds(os.environ[VARIABLE])
    from live_cli.__main__ import main

    main()
