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


def runs(pid: int) -> bool:
    """Whether a process is there, and not a zombie that nobody has asked how it ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def reset_peak(pid: int) -> None:
    """Let `peak_mb` count from now on."""
    (Path("/proc") / str(pid) / "clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    """The most resident memory of a process, in MB, since the last `reset_peak`."""
    status = (Path("/proc") / str(pid) / "status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def cpu_s(pid: int) -> float:
    """Processor time of a process with all its threads, in seconds, since it began."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
