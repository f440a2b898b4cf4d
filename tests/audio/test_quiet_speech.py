"""Quiet speech is brought up, before 16 bits round it away; all else stays as it is."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.levels import level_dbfs
from live_cli.audio.quiet_speech import QuietSpeechGain
from tests.harness.speech import QUESTION

RATE = 16_000


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    sound = soundfile.read(QUESTION, dtype="float32")[0]
    return sound / np.sqrt(np.mean(sound**2))


def at(sound: np.ndarray, dbfs: float) -> np.ndarray:
    return (sound * 10 ** (dbfs / 20)).astype("f4")


def brought_up(sound: np.ndarray) -> np.ndarray:
    gain = QuietSpeechGain()
    blocks = [sound[start : start + RATE] for start in range(0, sound.size, RATE)]
    return np.concatenate(
        [ready for block in blocks for ready in gain.process(block)] + [*gain.flush()]
    )


@pytest.mark.parametrize("dbfs", [-55, -60, -65, -70, -75])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_quiet_speech_is_brought_up(
    tmp_path: Path, speech: np.ndarray, dbfs: float, subtype: str
) -> None:
    path = tmp_path / "quiet.wav"
    soundfile.write(path, at(speech, dbfs), RATE, subtype=subtype)
    with open_speech(path) as reader:
        sound = np.concatenate(list(reader))
    assert -38 < level_dbfs(sound) < -24
    assert np.abs(sound).max() < 1.0
    assert np.corrcoef(sound, speech)[0, 1] > (0.9 if subtype == "PCM_16" else 0.999)


@pytest.mark.parametrize("dbfs", [-10, -25, -40])
def test_speech_that_is_loud_enough_stays_to_the_bit(speech: np.ndarray, dbfs: float) -> None:
    sound = at(speech, dbfs)
    np.testing.assert_array_equal(brought_up(sound), sound)


@pytest.mark.parametrize("dbfs", [-95, -120])
def test_silence_stays_silence(dbfs: float) -> None:
    noise = at(np.random.default_rng(1).standard_normal(RATE * 5), dbfs)
    np.testing.assert_array_equal(brought_up(noise), noise)
    np.testing.assert_array_equal(brought_up(np.zeros(100, "f4")), np.zeros(100, "f4"))


def test_loud_speech_after_quiet_does_not_clip(speech: np.ndarray) -> None:
    pause = np.zeros(RATE, "f4")
    sound = np.concatenate([at(speech, -65), pause, at(speech, -20), pause, at(speech, -65)])
    up = brought_up(sound)
    assert up.size == sound.size
    loud = slice(speech.size + RATE, 2 * speech.size + RATE)
    np.testing.assert_array_equal(up[loud], sound[loud])


def test_an_offset_is_not_brought_up_with_it(speech: np.ndarray) -> None:
    up = brought_up(at(speech, -65) + np.float32(0.1))
    assert np.abs(up).max() < 1.0
    assert -38 < level_dbfs(up - up.mean()) < -24


@pytest.mark.parametrize("size", [1, 500, 1_600, 16_001])
def test_no_sample_is_lost(size: int) -> None:
    assert brought_up(at(np.ones(size), -60)).size == size
