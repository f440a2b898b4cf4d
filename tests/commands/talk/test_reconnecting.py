"""Sessions that outlive a connection of a real `serve`, which ends each after four seconds."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.harness.command import LIMIT_S, json_lines, live_cli, of_type, started
from tests.harness.serve_process import Serve, serving
from tests.harness.speech import speech_like

SERVER = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted:One.|Two.|Three.|Four.",
    "LIVE_CLI_ENGINE_CHAT": "scripted",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
    "LIVE_CLI_SERVE_CONNECTION_LIMIT_S": "4",
}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with serving(tmp_path, SERVER) as running:
        yield running


def test_a_talk_goes_on_over_several_connections(serve: Serve, tmp_path: Path) -> None:
    file, question = tmp_path / "talk.wav", speech_like(0.6)
    quiet = np.zeros(16_000 * 2, np.float32)
    # the first answer ends a second before its connection does, on a busy machine too
    sound = np.concatenate([quiet[:16_000], question, quiet, question, quiet])
    soundfile.write(file, sound, 16_000)
    files = ("--input", file, "--output", tmp_path / "answer.wav")
    done = live_cli("talk", "--server", serve.address, "--json", *files, home=tmp_path)
    records = json_lines(done.stdout)
    assert done.returncode == 0, done.stderr
    assert len(of_type(records, "reconnected")) == len(of_type(records, "reconnecting")) >= 1
    heard = [record["text"] for record in of_type(records, "input_transcript")]
    assert heard == ["One.", "Two."]
    asked = [record["prompt"] for record in of_type(records, "usage")]
    assert len(asked) == 2
    assert asked[1] > asked[0], "the second answer has forgotten the first"
    assert b"without its memory" not in done.stderr


def test_a_chat_that_waited_too_long_goes_on(serve: Serve, tmp_path: Path) -> None:
    to = ("--server", serve.address)
    with started(
        "text", "--json", *to, home=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("My name is Ada.\n")
        process.stdin.flush()
        lines = []
        for line in process.stdout:
            lines.append(line)
            if '"turn_complete"' in line:
                break
        serve.until("session 1 left")  # the next connection is made when there is something to say
        rest, _ = process.communicate("Who am I?\n", timeout=LIMIT_S)
    records = json_lines("".join([*lines, rest]).encode())
    assert process.returncode == 0
    assert of_type(records, "reconnected")
    said = "".join(record["text"] for record in of_type(records, "text"))
    assert said == "You said: My name is Ada.You said: Who am I?"
    first, second = (record["prompt"] for record in of_type(records, "usage"))
    assert second > first
