"""`live-cli talk --record`: both sides in one recording, and nothing lost however the talk ends."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.commands.talk.test_talk_live import read_until
from tests.harness.command import environment, json_lines, live_cli
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_error_rate
from tests.harness.talking import Talk, sound, talking
from tests.harness.virtual_audio import VirtualAudio

ANSWER = "A dog has four legs. A bird has two wings."
TAPE_RATE = 24_000


def files(folder: Path) -> dict[str, Path]:
    found = {path.suffix: path for path in folder.iterdir()}
    assert len(found) == len(list(folder.iterdir()))
    return found


def sides(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    sound, rate = soundfile.read(files(folder)[".flac"], dtype="float32")
    assert rate == TAPE_RATE
    return sound[:, 0], sound[:, 1]


def place(wanted: np.ndarray, side: np.ndarray) -> tuple[float, float]:
    """Return the place of ``wanted`` in ``side``, in seconds, and its gain: 1 is unchanged."""
    size = side.size + wanted.size
    spectrum = np.fft.rfft(side, size) * np.conj(np.fft.rfft(wanted, size))
    likeness = np.fft.irfft(spectrum, size)[: side.size]
    at = int(likeness.argmax())
    return at / TAPE_RATE, float(likeness[at] / np.dot(wanted, wanted))


def seconds_of(time: str) -> float:
    """A time of SRT, as in ``00:01:02,500``."""
    hours, minutes, seconds = time.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_files_in_and_out_are_recorded_as_they_were(tmp_path: Path) -> None:
    folder, answer = tmp_path / "kept", tmp_path / "answer.wav"
    done = live_cli(
        "talk", "--input", QUESTION, "--output", answer, "--json", "--record", folder,
        home=tmp_path, env={"LIVE_CLI_ENGINE_CHAT": f"scripted:{ANSWER}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode().startswith(f"Recording into {folder}")
    left, right = sides(folder)
    speech, rate = soundfile.read(QUESTION, dtype="float32")
    asked_at_s, loudness = place(soxr.resample(speech, rate, TAPE_RATE), left)
    assert loudness == pytest.approx(1, abs=0.01)
    played, _ = soundfile.read(answer, dtype="float32")
    answered_at_s, loudness = place(played, right)
    assert loudness == pytest.approx(1, abs=0.001)
    # the events' seconds are the sound's, and they are those of --json
    records = [json.loads(line) for line in files(folder)[".jsonl"].read_text().splitlines()]
    shown = json_lines(done.stdout)
    assert [record["type"] for record in records] == [record["type"] for record in shown]
    [heard] = [record for record in records if record["type"] == "input_transcript"]
    first_audio_s = next(record["t"] for record in records if record["type"] == "audio")
    assert asked_at_s + heard["end_s"] < heard["t"]
    # an event has the time of its handling: on a busy machine that of its sound, or later
    assert abs(answered_at_s - first_audio_s) < 0.5
    # words
    assert files(folder)[".txt"].read_text().startswith(f"you: {heard['text']}\nmodel: A dog")
    captions = files(folder)[".srt"].read_text().split("\n\n")
    assert captions[0].endswith(f"you: {heard['text']}")
    begin = captions[1].split("\n")[1].split(" --> ")[0]
    assert seconds_of(begin) == pytest.approx(answered_at_s, abs=0.0011)


def test_what_is_played_and_heard_at_once_is_at_one_place_in_the_recording(
    virtual_audio: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    """The microphone is the speaker's own output, without any way through the air between."""
    folder = tmp_path / "kept"
    with talking(
        virtual_audio, tmp_path, "--no-interruption", "--no-echo-cancel", "--record", str(folder),
        LIVE_CLI_ENGINE_CHAT=f"scripted:{ANSWER}|", PULSE_SOURCE="speaker.monitor",
    ) as talk:  # fmt: skip
        talk.until("session_open")
        player = ["paplay", "--device=speaker", str(question)]
        subprocess.run(player, env=virtual_audio.full_env(), check=True)
        talk.until("turn_complete")
        assert talk.interrupt() == 0
    left, right = sides(folder)
    loud = np.flatnonzero(np.abs(right) > 0.02)
    half_s = TAPE_RATE // 2
    for begin in (loud[0], loud[-1] - half_s):  # at its begin and at its end
        heard_at_s, likeness = place(right[begin : begin + half_s], left)
        assert heard_at_s == pytest.approx(begin / TAPE_RATE, abs=0.020)
        assert likeness == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_was_recorded_outlives_the_process(tmp_path: Path, how: signal.Signals) -> None:
    folder, speech = tmp_path / "kept", tmp_path / "speech.wav"
    samples, rate = soundfile.read(QUESTION, dtype="float32")
    soundfile.write(speech, np.concatenate([samples, np.zeros(rate * 60, np.float32)]), rate)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "live_cli", "talk", "--json", "--input", str(speech),
            "--output", str(tmp_path / "answer.wav"), "--record", str(folder),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path, LIVE_CLI_ENGINE_CHAT=f"scripted:{ANSWER}"),
        text=True,
    )  # fmt: skip
    try:
        Talk(process).until("turn_complete")
        process.send_signal(how)
        code = process.wait(60)
    finally:
        process.kill()
        process.communicate()
    left, right = sides(folder)
    assert place(soxr.resample(samples, rate, TAPE_RATE), left)[1] == pytest.approx(1, abs=0.01)
    assert np.abs(right).max() > 0.05
    records = [json.loads(line) for line in files(folder)[".jsonl"].read_text().splitlines()]
    played_s = records[-1]["t"]
    if how is signal.SIGKILL:
        # all but what was held back, and the encoder's block
        assert code == -how
        assert left.size / TAPE_RATE > played_s - 2.0 - 0.5
        return
    assert code == 0
    assert left.size / TAPE_RATE == pytest.approx(played_s, abs=0.5)
    assert records[-1]["type"] == "session_close"
    text = files(folder)[".txt"].read_text()
    assert word_error_rate(f"you {QUESTION_WORDS} model {ANSWER}", text) == 0
    assert QUESTION_WORDS in files(folder)[".srt"].read_text()


def test_a_closed_terminal_ends_the_recording_in_order(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "-c", sys.executable, "-m", "live_cli", "talk", "--record", str(folder)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={
            **environment(tmp_path, LIVE_CLI_ENGINE_CHAT="scripted", TERM="xterm-256color"),
            **sound(virtual_audio),
        },
    )
    os.close(terminal)
    try:
        read_until(screen, b"listening")
        os.close(screen)
        assert process.wait(60) == 0
    finally:
        process.kill()
    records = [json.loads(line) for line in files(folder)[".jsonl"].read_text().splitlines()]
    assert records[-1]["type"] == "session_close"
    assert records[-1]["summary"]["turns"] == 0
    assert list(tmp_path.rglob("bug-*")) == []


def test_no_session_leaves_no_files(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    done = live_cli(
        "talk", "--server", "ws://127.0.0.1:9", "--input", QUESTION, "--output",
        tmp_path / "answer.wav", "--record", folder, home=tmp_path,
    )  # fmt: skip
    assert done.returncode == 4
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = live_cli(
        "talk", "--input", QUESTION, "--output", tmp_path / "answer.wav",
        "--record", tmp_path / "file" / "kept", home=tmp_path,
    )  # fmt: skip
    assert done.returncode == 7
    assert done.stderr.count(b"\n") == 1
    assert b"--record" in done.stderr
    assert not os.path.exists(tmp_path / "answer.wav")
