"""Context windows that nobody has used yet: the memory of their pages given back to the system.

llama.cpp writes zeros into the windows of all its slots when it makes them, so that they take all
their memory at once: 400 MB for eight of the bundled model. On Linux a page that is given back is
one of zeros again, which takes memory when something is written to it. A window takes what the
chats in it have filled, then: 12 kB a token of that model.
"""

import ctypes
import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

_LEAST_BYTES = 32 << 20
"""A run of zeros as long as this is windows: nothing else is made of zeros and left so."""
_PAGE = mmap.PAGESIZE
_PAGES_AT_ONCE = 1024
_ENTRY, _PRESENT = 8, np.uint64(1 << 63)  # of /proc/self/pagemap

Mapping = tuple[int, int]
"""First address, and that after the last."""


@contextmanager
def unused_windows_given_back() -> Iterator[None]:
    """Give back the windows that are made inside this context and unused at its end.

    Nothing else may be at work in them by then. Pages that have never been written to stay: they
    may belong to a file that is just being read. Does nothing where /proc does not tell: outside
    Linux, and in some sandboxes.
    """
    try:
        before = _mappings()
    except OSError:
        yield
        return
    yield
    with suppress(OSError):
        _give_back_zeros(before)


def _give_back_zeros(before: list[Mapping]) -> None:
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        for mapping in _mappings():
            for made in _without(before, mapping):
                for zeros in _runs_of_zeros(made, memory):
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


def _runs_of_zeros(mapping: Mapping, memory: FileIO) -> list[Mapping]:
    """Return the runs in ``mapping`` of `_LEAST_BYTES` and more that were written: with zeros."""
    first, end = mapping
    with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
        pagemap.seek(first // _PAGE * _ENTRY)
        entries = np.frombuffer(pagemap.read((end - first) // _PAGE * _ENTRY), np.uint64)
    zero = (entries & _PRESENT) != 0
    for each in range(0, zero.size, _PAGES_AT_ONCE):
        some = slice(each, each + _PAGES_AT_ONCE)
        if zero[some].any():
            zero[some] = zero[some] & _are_zero(first + each * _PAGE, zero[some].size, memory)
    borders = np.diff(zero, prepend=False, append=False).nonzero()[0]
    runs = (borders.reshape(-1, 2) * _PAGE + first).tolist()
    return [(since, until) for since, until in runs if until - since >= _LEAST_BYTES]


def _are_zero(address: int, pages: int, memory: FileIO) -> npt.NDArray[np.bool_]:
    """Return of each page whether it holds zeros alone.

    Read as a file: memory that another thread gives back meanwhile is an error then, no crash.
    """
    try:
        memory.seek(address)
        words = np.frombuffer(memory.read(pages * _PAGE), np.uint64)
        zeros: npt.NDArray[np.bool_] = words.reshape(pages, _PAGE // 8).max(axis=1) == 0
    except (OSError, ValueError):
        return np.zeros(pages, np.bool_)
    return zeros


def _give_back(zeros: Mapping) -> None:
    first, end = zeros
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    madvise(first, end - first, mmap.MADV_DONTNEED)  # locked memory stays, which is no harm
