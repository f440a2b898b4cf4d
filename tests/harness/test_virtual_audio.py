"""The virtual sound card itself: other tests lean on these facts."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.harness.virtual_audio import RATE, VirtualAudio

CLI = Path(__file__).with_name("virtual_audio.py")


def burst(path: Path) -> np.ndarray:
    """A second of noise-like PCM16, no sample of it silent."""
    sound = np.random.default_rng(8).integers(1000, 8000, RATE, dtype=np.int16)
    soundfile.write(path, sound, RATE)
    return sound


def test_the_microphone_hears_what_is_fed_bit_by_bit(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    fed = burst(tmp_path / "in.wav")
    with virtual_audio.recording(tmp_path / "out.wav", "mic"):
        virtual_audio.feed(tmp_path / "in.wav")
    heard, rate = soundfile.read(tmp_path / "out.wav", dtype="int16")
    begin = int(np.flatnonzero(heard)[0])
    assert rate == RATE
    same = heard[begin : begin + RATE // 4] == fed[: RATE // 4]
    assert same.mean() > 0.99


def test_the_echo_lets_the_microphone_hear_the_speaker(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    soundfile.write(tmp_path / "in.wav", tone, RATE)

    def loudness(wav: str) -> float:
        with virtual_audio.recording(tmp_path / wav, "mic"):
            subprocess.run(
                ["paplay", "--device=speaker", str(tmp_path / "in.wav")],
                env=virtual_audio.full_env(),
                check=True,
            )
        sound, _ = soundfile.read(tmp_path / wav, dtype="float32")
        return float(np.percentile(np.abs(sound), 99))

    assert loudness("off.wav") == 0
    virtual_audio.connect_echo(delay_ms=80, gain_db=-6)
    assert loudness("on.wav") == pytest.approx(0.2, rel=0.1)
    virtual_audio.disconnect_echo()
    assert loudness("off again.wav") == 0


def test_the_command_runs_a_program_with_the_card_and_takes_it_away(sound_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(CLI), "run", str(sound_folder), "--", "pactl", "list", "short"],
        capture_output=True,
        text=True,
        env=os.environ | {"LC_ALL": "C"},
    )
    assert done.returncode == 0
    assert "speaker.monitor" in done.stdout
    assert not (sound_folder / "native").exists()
