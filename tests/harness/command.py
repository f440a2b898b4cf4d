"""Runs the real command, as a person would, with nothing of theirs in its environment."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from live_cli.engine.backends.llm.quick_copy import quick_copy_of
from live_cli.engine.chat_models.lookup import bundled_model
from live_cli.paths import make_private

LIMIT_S = 120  # a bound on waiting, not a measure
PROGRAM = (sys.executable, "-m", "live_cli")


def environment(home: Path, **more: str) -> dict[str, str]:
    """A new user's: no keys, no settings, an empty home."""
    _lend_quick_copy(home)
    kept = {
        name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ
    }
    return {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8", **more}


def _lend_quick_copy(home: Path) -> None:
    """Spare a new user's first start the copy of the chat model: all homes have the same file."""
    model = bundled_model()
    if model is None or sys.platform != "linux":
        return
    copy = quick_copy_of(model)
    folder = Path(home, ".cache", "live-cli", copy.parent.name)
    if not folder.is_dir():
        make_private(folder)
        try:
            Path(folder, copy.name).hardlink_to(copy)
        except OSError:  # on another disk
            shutil.copyfile(copy, folder / copy.name)


def live_cli(
    *args: str | Path,
    home: Path,
    stdin: str | bytes = b"",
    env: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_S,
) -> subprocess.CompletedProcess[bytes]:
    """`live-cli ARGS` to its end; output as bytes."""
    return subprocess.run(
        [*PROGRAM, *map(str, args)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**environment(home), **(env or {})},
        timeout=limit_s,
        check=False,
    )


@contextmanager
def started(
    *args: str | Path,
    home: Path,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
    **streams: Any,
) -> Iterator[subprocess.Popen[str]]:
    """`live-cli ARGS`, running; ended at the end if it still runs. ``streams``: those of Popen."""
    process = subprocess.Popen(
        [*program, *map(str, args)], text=True, env={**environment(home), **(env or {})}, **streams
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


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
