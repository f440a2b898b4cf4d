"""Runs the real command, as a person would, with nothing of theirs in its environment."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

LIMIT_S = 120


def environment(home: Path, **more: str) -> dict[str, str]:
    """A new user's: no keys, no settings, an empty home."""
    kept = {
        name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ
    }
    return {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8", **more}


def live_cli(
    *args: str | Path,
    home: Path,
    stdin: str | bytes = b"",
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """`live-cli ARGS` to its end; output as bytes."""
    return subprocess.run(
        [sys.executable, "-m", "live_cli", *map(str, args)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**environment(home), **(env or {})},
        timeout=LIMIT_S,
        check=False,
    )


class Serve:
    """A running `live-cli serve`; what it logs is read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.address = self.until(r"http://127\.0\.0\.1:\d+")

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def ended(self) -> int:
        """Its exit code, once it has ended and all it said is read."""
        self._reader.join(LIMIT_S)
        return self._process.wait(LIMIT_S)

    def until(self, pattern: str) -> str:
        """What matches in the next line that has it."""
        while line := self._lines.get(timeout=LIMIT_S):
            if found := re.search(pattern, line):
                return found[0]
        raise AssertionError(f"serve ended without {pattern!r}")


@contextmanager
def serving(home: Path, env: Mapping[str, str]) -> Iterator[Serve]:
    """A running `live-cli serve`, which has to end in order."""
    process = subprocess.Popen(
        [sys.executable, "-m", "live_cli", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(home), **env},
    )
    try:
        serve = Serve(process)
        yield serve
        process.send_signal(signal.SIGTERM)
        assert serve.ended() == 0
    finally:
        process.kill()


def json_lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def of_type(records: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [record for record in records if record["type"] == kind]


def processes_in(home: Path) -> list[int]:
    """Processes that still run with this home: none may be left behind."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            names = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"HOME={home}".encode() in names:
            found.append(int(folder.name))
    return found
