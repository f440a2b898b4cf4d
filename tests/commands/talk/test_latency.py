"""The latency that is told is the one that a recording of the room shows."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.playback.first_sounds import AUDIBLE
from tests.commands.talk.test_talk_record import files, sides
from tests.harness.command import json_lines, live_cli, of_type
from tests.harness.speech import QUESTION
from tests.harness.talking import talking
from tests.harness.virtual_audio import VirtualAudio

ANSWER = "A dog has four legs. A bird has two wings."
WITHIN_MS = 50


def silence_ms(sound: np.ndarray, rate: int, gap_s: float = 0.3) -> list[float]:
    """How long each silence between two stretches of sound is, in ms; pauses in speech aside."""
    loud = np.flatnonzero(np.abs(sound) >= AUDIBLE)
    gaps = np.diff(loud) / rate
    return [float(gap * 1000) for gap in gaps[gaps > gap_s]]


def test_it_is_that_of_a_recording(
    virtual_audio: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    """Question and answer are on one speaker, which the microphone hears at once."""
    room = tmp_path / "room.wav"
    options = ("--no-interruption", "--no-echo-cancel")
    env = {"LIVE_CLI_ENGINE_CHAT": f"scripted:{ANSWER}|", "PULSE_SOURCE": "speaker.monitor"}
    with (
        virtual_audio.recording(room, "speaker"),
        talking(virtual_audio, tmp_path, *options, **env) as talk,
    ):
        talk.until("session_open")
        player = ["paplay", "--device=speaker", str(question)]
        subprocess.run(player, env=virtual_audio.full_env(), check=True)
        told = talk.until("turn_complete")
        assert talk.interrupt() == 0
        closed = talk.until("session_close")
    sound, rate = soundfile.read(room, dtype="float32")
    measured = max(silence_ms(sound, rate))
    assert told["latency_ms"] == pytest.approx(measured, abs=WITHIN_MS)
    assert closed["summary"]["median_latency_ms"] == pytest.approx(told["latency_ms"], abs=0.1)
    assert told["first_audio_ms"] < told["latency_ms"]


def test_it_is_that_of_the_talk_s_own_recording(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    done = live_cli(
        "talk", "--input", QUESTION, "--output", tmp_path / "a.wav", "--json", "--record", folder,
        home=tmp_path, env={"LIVE_CLI_ENGINE_CHAT": f"scripted:{ANSWER}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    left, right = sides(folder)
    asked = np.flatnonzero(np.abs(left) >= AUDIBLE)[-1]
    answered = np.flatnonzero(np.abs(right) >= AUDIBLE)[0]
    measured = (answered - asked) / 24_000 * 1000
    [told] = of_type(json_lines(done.stdout), "turn_complete")
    assert told["latency_ms"] == pytest.approx(measured, abs=WITHIN_MS)
    kept = [json.loads(line) for line in files(folder)[".jsonl"].read_text().splitlines()]
    assert of_type(kept, "turn_complete")[0]["latency_ms"] == told["latency_ms"]
