"""The heap of a server: what is kept for good, and what ended sessions have freed."""

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Final

AFTER_S: Final = 0.5
"""From the end of the last session, for its threads to let go of what they have."""
EVERY_S: Final = 10.0
"""Trimming takes up to 100 ms of a core: a client that comes and goes must not have it often."""


def keep_for_good() -> None:
    """Leave all that there is out of later garbage collections: modules and models stay loaded.

    A collection runs on whichever thread makes objects, mostly the event loop's: with a quarter of
    a million objects to look at it held all sessions for 40 ms.
    """
    gc.collect()
    gc.freeze()


class HeapTrimmer:
    """Trims the heap soon after the last session has ended, in a thread, every `EVERY_S` at most.

    glibc keeps what is freed between blocks in use: after an hour of sessions some hundred MB.
    ``trim`` blocks while it works; None, as on systems without glibc, makes this do nothing.
    """

    def __init__(
        self,
        trim: Callable[[], object] | None,
        *,
        after_s: float = AFTER_S,
        every_s: float = EVERY_S,
    ) -> None:
        self._trim = trim
        self._after_s = after_s
        self._every_s = every_s
        self._next_at = 0.0
        self._due: asyncio.TimerHandle | None = None

    def note_idle(self) -> None:
        """Note that no session is open. Called on the event loop."""
        if self._trim is None or self._due is not None:
            return
        loop = asyncio.get_running_loop()
        at = max(loop.time() + self._after_s, self._next_at)
        self._due = loop.call_at(at, self._begin, self._trim)

    def _begin(self, trim: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        self._due, self._next_at = None, loop.time() + self._every_s
        loop.run_in_executor(None, trim)


def glibc_trim() -> Callable[[], object] | None:
    """Return glibc's `malloc_trim(0)`, None where the C library is another one."""
    if sys.platform != "linux":
        return None
    try:
        malloc_trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    malloc_trim.argtypes, malloc_trim.restype = [ctypes.c_size_t], ctypes.c_int
    return lambda: malloc_trim(0)
