"""Files that are written whole or not at all: a reader finds what was there, or what is new."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

_numbers: Final = count()


@contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of ``path`` when the block has ended without an error.

    It is never readable by more than ``mode`` says, and lies beside ``path`` meanwhile: its name
    ends in ``.part``, and a killed process leaves it. Raises OSError; what was there stays then.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{next(_numbers)}.part")
    part.unlink(missing_ok=True)  # a killed process of the same number left it
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        with open(descriptor, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)  # a umask takes rights away from the owner too
            yield file
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


_BINARY: Final = getattr(os, "O_BINARY", 0)
"""Windows: without it each line feed becomes two bytes."""
