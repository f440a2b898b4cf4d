"""Freed memory that the C library keeps goes back to the system."""

import ctypes
import os

from live_cli.engine.freed_memory import give_back_freed_memory
from tests.harness.process_figures import ProcessFigures

BLOCK, BLOCKS = 64 * 1024, 1000


def resident_mb():
    return ProcessFigures.of(os.getpid()).resident_mb


def test_freed_memory_goes_back_though_what_came_last_is_in_use():
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = [libc.malloc(BLOCK) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    for block in blocks[:-1]:
        libc.free(block)
    kept_mb = resident_mb()
    give_back_freed_memory()
    assert kept_mb - resident_mb() > 0.8 * BLOCK * BLOCKS / 1e6
    libc.free(blocks[-1])
