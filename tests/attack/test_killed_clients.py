"""`--resume` after `talk` or `text` was killed (SIGKILL), at whatever moment."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.plan.last_session import LastSession, recall, remember
from tests.harness.command import PROGRAM, environment, json_lines, live_cli, of_type, started
from tests.harness.dropping_server import answer_to, dropping
from tests.harness.serve_process import serving
from tests.harness.speech import speech_like
from tests.harness.talking import talking

SCRIPTED = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted:My name is Ada.",
    "LIVE_CLI_ENGINE_CHAT": "scripted",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
}
CHANGING = """
import sys
from pathlib import Path
from live_cli.plan.last_session import LastSession, remember

print("begun", flush=True)
for k in range(10_000_000):
    remember(LastSession("ws://host", "local", f"h{k}" * 2000), Path(sys.argv[1]))
"""
WITHIN_S = 30.0


def state_file(home: Path) -> Path:
    return home / ".local" / "state" / "live-cli" / "last-session.json"


def until_kept(home: Path, handle: str | None = None) -> str:
    """The handle that is kept, once it is there, or once it is that one."""
    end = time.monotonic() + WITHIN_S
    while True:
        if state_file(home).exists():
            kept: str = json.loads(state_file(home).read_bytes())["handle"]
            if handle in (None, kept):
                return kept
        assert time.monotonic() < end, "no such handle is kept"
        time.sleep(0.01)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
async def test_the_handle_is_kept_with_every_change_and_survives_a_kill(
    tmp_path: Path, umask: int
) -> None:
    file = state_file(tmp_path)
    file.parent.mkdir(parents=True)

    def ask() -> None:
        with subprocess.Popen(
            [*PROGRAM, "text", "--server", server.address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment(tmp_path), umask=umask,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            for number, line in enumerate(("one", "two", "three"), start=1):
                process.stdin.write(f"{line}\n")
                process.stdin.flush()
                assert process.stdout.readline() == answer_to(line) + "\n"
                until_kept(tmp_path, f"h{number}")
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
            process.send_signal(signal.SIGKILL)

    async with dropping("", 0) as server:
        await asyncio.to_thread(ask)
        done = await asyncio.to_thread(
            live_cli, "text", "four", "--resume", "--server", server.address, home=tmp_path
        )
    assert done.returncode == 0, done.stderr
    assert server.handles == [None, "h3"]


def prompt_tokens(home: Path, server: str, *args: str) -> int:
    done = live_cli("text", "Who am I?", "--json", "--server", server, *args, home=home)
    assert done.returncode == 0, done.stderr
    [usage] = of_type(json_lines(done.stdout), "usage")
    return int(usage["prompt"])


def test_a_text_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    with serving(tmp_path, SCRIPTED) as serve:
        with started(
            "text", "--server", serve.address,
            home=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("My name is Ada.\n")
            process.stdin.flush()
            assert process.stdout.readline() == "You said: My name is Ada.\n"
            until_kept(tmp_path)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        resumed = prompt_tokens(tmp_path, serve.address, "--resume")
        afresh = prompt_tokens(tmp_path, serve.address)
    assert resumed > afresh


def test_a_talk_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "talk.wav"
    quiet = np.zeros(16_000 * 60, np.float32)
    soundfile.write(file, np.concatenate([speech_like(0.8), quiet]), 16_000)
    files = ("--input", file, "--output", tmp_path / "answer.wav")
    with serving(tmp_path, SCRIPTED) as serve:
        with talking(None, tmp_path, "--server", serve.address, *files) as talk:
            talk.until("turn_complete")
            until_kept(tmp_path)
            talk.process.send_signal(signal.SIGKILL)
            talk.process.wait()
        resumed = prompt_tokens(tmp_path, serve.address, "--resume")
        afresh = prompt_tokens(tmp_path, serve.address)
    assert resumed > afresh


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.11, 0.23])
def test_a_kill_amid_changes_leaves_a_whole_file(tmp_path: Path, after_s: float) -> None:
    path = tmp_path / "state" / "last.json"
    torn: list[bytes] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            if path.exists() and not _is_whole(content := path.read_bytes()):
                torn.append(content)

    reader = threading.Thread(target=read)
    with subprocess.Popen(
        [sys.executable, "-c", CHANGING, path], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        reader.start()
        while not path.exists():
            time.sleep(0.001)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
    done.set()
    reader.join()
    assert torn == []
    assert recall("ws://host", "local", path).startswith("h")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    remember(LastSession("ws://host", "local", "next"), path)
    assert recall("ws://host", "local", path) == "next"


def _is_whole(content: bytes) -> bool:
    try:
        return len(json.loads(content)["handle"]) >= 4000
    except ValueError:
        return False


FOREIGN = {
    "empty": b"",
    "cut": b'{"server": "ws://h',
    "another kind": b"[1, 2]",
    "numbers": b'{"server": 1, "model": 2, "handle": 3}',
    "no handle": b'{"server": "s", "model": "m"}',
    "an empty handle": b'{"server": "s", "model": "m", "handle": ""}',
    "bytes": bytes(range(256)),
    "UTF-16": '{"server": "s"}'.encode("utf-16")[:-1],
    "zeros": bytes(4096),
    "deep": b"[" * 60_000,
    "huge": b'{"server": "' + b"s" * 50_000_000 + b'"}',
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_holds_no_session_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    state_file(tmp_path).parent.mkdir(parents=True)
    state_file(tmp_path).write_bytes(content)
    assert_is_told(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_a_sentence(tmp_path: Path, kind: str) -> None:
    path = state_file(tmp_path)
    path.parent.mkdir(parents=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    assert_is_told(tmp_path)


def assert_is_told(home: Path) -> None:
    to = ("--server", "ws://127.0.0.1:9")
    done = live_cli("text", "Hi", *to, "--resume", home=home)
    says = done.stderr.decode()
    assert done.returncode == 3, says
    assert says.count("\n") == 1
    assert "last-session.json" in says
    assert "leave --resume away" in says
