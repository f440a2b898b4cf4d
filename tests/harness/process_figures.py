"""What a process holds, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class ProcessFigures:
    """Resident memory in MB, open descriptors and threads of one process, at one moment."""

    resident_mb: float
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> "ProcessFigures":
        """Read the figures of ``pid``. Raises OSError when there is no such process."""
        folder = Path("/proc") / str(pid)
        pages = int((folder / "statm").read_text().split()[1])
        return cls(
            pages * _PAGE_BYTES / 1e6,
            len(list((folder / "fd").iterdir())),
            len(list((folder / "task").iterdir())),
        )
