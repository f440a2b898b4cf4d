"""Context windows that nobody has used yet: the memory of their pages given back to the system.

llama.cpp writes zeros into the windows of all its slots when it makes them, so that they take all
their memory at once: 400 MB for eight of the bundled model. On Linux a page that is given back is
one of zeros again, which takes memory when something is written to it. A window takes what the
chats in it have filled, then: 12 kB a token of that model.
"""

import ctypes
import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_LEAST_BYTES = 32 << 20
"""A run of zeros as long as this is windows: nothing else is made of zeros and left so."""
_PRESENT = np.uint64(1 << 63)  # in /proc/self/pagemap
_PAGEMAP_ENTRY = 8

Mapping = tuple[int, int]
"""First address, and that after the last."""


@contextmanager
def unused_windows_given_back() -> Iterator[None]:
    """Give back the windows that are made inside this context and unused at its end.

    Nothing else may be at work in them by then. No pages are touched that have never been written
    to: those may belong to a file that is just being read. Does nothing outside Linux.
    """
    if sys.platform != "linux":
        yield
        return
    before = _mappings()
    yield
    for mapping in _mappings():
        for made in _without(before, mapping):
            for zeros in _runs_of_zeros(made):
                _give_back(zeros)


def _mappings() -> list[Mapping]:
    """Return where there is memory that belongs to no file, by address."""
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, _, _, inode, *_ = line.split()
        if access == "rw-p" and inode == "0":
            first, end = addresses.split("-")
            found.append((int(first, 16), int(end, 16)))
    return found


def _without(others: list[Mapping], mapping: Mapping) -> Iterator[Mapping]:
    """Yield the large parts of ``mapping`` that are in none of ``others``.

    Linux makes one mapping of memory that was there and memory beside it that is new.
    """
    since, end = mapping
    for first, last in [*others, (end, end)]:
        if last <= since or first > end:
            continue
        if first - since >= _LEAST_BYTES:
            yield since, first
        since = last


def _runs_of_zeros(mapping: Mapping) -> list[Mapping]:
    """Return the runs in ``mapping`` of `_LEAST_BYTES` and more that were written: with zeros."""
    first, end = mapping
    page = mmap.PAGESIZE
    written = np.fromfile(
        "/proc/self/pagemap",
        dtype=np.uint64,
        offset=first // page * _PAGEMAP_ENTRY,
        count=(end - first) // page,
    )
    borders = np.diff((written & _PRESENT) != 0, prepend=False, append=False).nonzero()[0]
    runs = []
    for since, until in borders.reshape(-1, 2).tolist():
        if (until - since) * page >= _LEAST_BYTES:
            runs += _zeros_within((first + since * page, first + until * page))
    return runs


def _zeros_within(written: Mapping) -> list[Mapping]:
    first, end = written
    words = (ctypes.c_uint64 * ((end - first) // 8)).from_address(first)
    pages = np.ctypeslib.as_array(words).reshape(-1, mmap.PAGESIZE // 8)
    borders = np.diff(~pages.any(axis=1), prepend=False, append=False).nonzero()[0]
    runs = (borders.reshape(-1, 2) * mmap.PAGESIZE + first).tolist()
    return [(since, until) for since, until in runs if until - since >= _LEAST_BYTES]


def _give_back(zeros: Mapping) -> None:
    first, end = zeros
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    madvise(first, end - first, mmap.MADV_DONTNEED)  # locked memory stays, which is no harm
