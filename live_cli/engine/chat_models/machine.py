"""The pullable chat model that suits this machine, by its cores and its memory."""

import ctypes
import os
import sys

from live_cli.engine.chat_models.lookup import PULLABLE, Pullable

_SHARE = 0.5
"""Of the memory that the model and its context may take; the rest is for everything else."""
_CONTEXT_BYTES = 1_000_000_000


def cores() -> int:
    """Return the cores that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Return the memory of this machine; None where the system does not tell."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def recommended(its_cores: int, memory: int | None) -> Pullable:
    """Return the largest model that ``its_cores`` run fast enough and ``memory`` (bytes) holds."""
    rated = sorted((each for each in PULLABLE.values() if each.cores), key=lambda each: each.cores)
    room = float("inf") if memory is None else memory * _SHARE
    fits = [
        each
        for each in rated
        if each.cores <= its_cores and each.whole_size + _CONTEXT_BYTES <= room
    ]
    return fits[-1] if fits else rated[0]


def recommended_here() -> Pullable:
    """Return the model that suits this machine."""
    return recommended(cores(), memory_bytes())


class _MemoryStatus(ctypes.Structure):
    """Windows' MEMORYSTATUSEX."""

    _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
        (name, ctypes.c_ulonglong)
        for name in ("total", "free", "page", "free_page", "virtual", "free_virtual", "extended")
    ]


def _windows_memory() -> int | None:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    windll = getattr(ctypes, "windll")  # noqa: B009 - there is none elsewhere
    if not windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.total)
