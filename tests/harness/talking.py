"""A running `live-cli talk --json`, and what it says."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.harness.command import LIMIT_S, started
from tests.harness.virtual_audio import VirtualAudio


class Talk:
    """A running `live-cli talk --json`; its lines are read as they come.

    Each record gets ``read_at``, on ``time.monotonic``.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.records: list[dict[str, Any]] = []
        self._lines: Queue[tuple[float, str] | None] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put((time.monotonic(), line))
        self._lines.put(None)

    def until(self, kind: str, *, limit_s: float = LIMIT_S, **facts: object) -> dict[str, Any]:
        """The next record of that type, with those facts. Raises Empty after ``limit_s``."""
        end = time.monotonic() + limit_s
        while (stamped := self._lines.get(timeout=max(0.0, end - time.monotonic()))) is not None:
            read_at, line = stamped
            record = {**json.loads(line), "read_at": read_at}
            self.records.append(record)
            if record["type"] == kind and facts.items() <= record.items():
                return record
        raise AssertionError(f"no {kind} {facts} in {self.records}")

    def during(self, seconds: float, kind: str) -> list[dict[str, Any]]:
        """The records of that type that come within that time."""
        found, end = [], time.monotonic() + seconds
        with suppress(Empty):
            while True:
                found.append(self.until(kind, limit_s=end - time.monotonic()))
        return found

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(LIMIT_S)


@contextmanager
def talking(
    sound_card: VirtualAudio | None,
    home: Path,
    *args: str | Path,
    stdin: int = subprocess.DEVNULL,
    **env: str,
) -> Iterator[Talk]:
    """`talk` on a sound card, or without one when ``args`` name files in its place."""
    with started(
        "talk", "--json", *args,
        home=home,
        env={**(sound(sound_card) if sound_card else {}), **env},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            yield Talk(process)
        finally:
            process.kill()
            process.communicate()


def sound(sound_card: VirtualAudio) -> dict[str, str]:
    """The environment in which an app finds that card."""
    return {name: value for name, value in sound_card.env.items() if value}
