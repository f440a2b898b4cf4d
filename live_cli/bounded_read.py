"""Small files that a person names, read whole: within a size, and never waited for without end.

A name can lead to anything: to `/dev/zero`, which has no end, to a pipe that nobody writes to, or
to `@<(command)`, a pipe whose writer takes a moment. All are read the same way.
"""

import contextlib
import errno
import os
import sys
import time
from pathlib import Path

WAIT_S = 60.0
"""Time for all of it to come, where it comes through a pipe: a command behind it may ask a person
for a passphrase first."""
_PIECE_BYTES = 1 << 16


def read_bounded(path: Path, limit: int) -> bytes:
    """Return what is in ``path``. Raises OSError, its ``strerror`` the end of a sentence.

    More than ``limit`` bytes are refused after so many are read; so is what does not end in time.
    """
    if sys.platform == "win32":
        with path.open("rb") as file:
            return _within(file.read(limit + 1), limit)
    # without O_NONBLOCK the opening of a pipe already waits for its writer
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        return _read(descriptor, limit)
    finally:
        os.close(descriptor)


def read_bounded_stdin(limit: int) -> bytes:
    """Return all of standard input, as `read_bounded` does of a file; closed, it is empty."""
    if sys.platform == "win32":
        return _within(sys.stdin.buffer.read(limit + 1) if sys.stdin else b"", limit)
    try:
        return _read(0, limit)
    except OSError as exc:
        if exc.errno == errno.EBADF:
            return b""
        raise


def _read(descriptor: int, limit: int) -> bytes:
    import select

    if sys.platform == "win32":
        raise AssertionError("read_bounded reads by itself there")
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    deadline = time.monotonic() + WAIT_S
    content = bytearray()
    while len(content) <= limit:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not ready.poll(left_s * 1000):
            raise TimeoutError(errno.ETIMEDOUT, f"nothing came to its end within {WAIT_S:g} s")
        with contextlib.suppress(BlockingIOError):
            piece = os.read(descriptor, min(_PIECE_BYTES, limit + 1 - len(content)))
            if not piece:
                break
            content += piece
    return _within(bytes(content), limit)


def _within(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit:,} bytes")
    return content
