"""`serve` takes as many open files as its settings need, and says which limit is in the way."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.command import LIMIT_S, PROGRAM, environment
from tests.harness.serve_process import serving

LIMITING = (
    "import os, resource, sys\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (200, int(sys.argv[1])))\n"
    "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)


def limited(hard: int) -> tuple[str, ...]:
    """The command in a process that may open 200 files, and raise that to ``hard``."""
    return (sys.executable, "-c", LIMITING, str(hard), *PROGRAM[1:])


@pytest.mark.parametrize("verb", ["serve", "stages"])
@pytest.mark.parametrize(
    ("sessions", "connections", "said"),
    [
        ("2000", "2000", "max_connections = 2000 needs 2128 open files, and this process may have"),
        ("2000", "500", "max_sessions = 2000 needs 2128 open files, and this process may have 900"),
        ("600", "500", "max_sessions = 600 needs as many connections, and max_connections is 500"),
    ],
)
def test_a_limit_that_is_in_the_way_is_named(
    verb: str, sessions: str, connections: str, said: str, tmp_path: Path
) -> None:
    settings = {
        "LIVE_CLI_SERVE_MAX_SESSIONS": sessions,
        "LIVE_CLI_SERVE_MAX_CONNECTIONS": connections,
    }
    done = subprocess.run(
        [*limited(900), verb, "--port", "0"],
        env=environment(tmp_path, **settings),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_limit_is_raised_as_far_as_it_is_needed(tmp_path: Path) -> None:
    settings = {"LIVE_CLI_SERVE_MAX_CONNECTIONS": "700", "LIVE_CLI_ENGINE_CHAT": "scripted"}
    settings |= {f"LIVE_CLI_ENGINE_{stage}": "scripted" for stage in ("DETECTOR", "TRANSCRIBER")}
    settings |= {"LIVE_CLI_ENGINE_SYNTHESIZER": "scripted"}
    with serving(tmp_path, settings, limited(900)) as serve:
        limits = Path(f"/proc/{serve.process.pid}/limits").read_text()
    [line] = [each for each in limits.splitlines() if each.startswith("Max open files")]
    assert line.split()[3:5] == ["828", "900"]
