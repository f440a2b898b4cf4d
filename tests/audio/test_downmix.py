"""One channel of several: no word is lost where sides cancel, nothing changes where they do not."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.downmix import Downmix
from live_cli.audio.files.speech_files import open_speech
from live_cli.devices.piped_speech import PipedSpeech
from tests.harness.sound_files import wav_bytes
from tests.harness.speech import QUESTION

RATE = 16_000


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return soundfile.read(QUESTION, dtype="float32")[0]


def one_channel(frames: np.ndarray) -> tuple[np.ndarray, bool]:
    downmix = Downmix()
    blocks = [downmix.process(frames[at : at + RATE]) for at in range(0, len(frames), RATE)]
    return np.concatenate(blocks), downmix.cancelled


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


@pytest.mark.parametrize(
    "sides",
    [(1, -1), (-1, 1), (1, -0.9), (0.5, -1), (1, -1, 1, -1), (0.001, -0.001), (1, -1, 0, 0)],
)
def test_where_sides_cancel_the_louder_one_is_taken(
    speech: np.ndarray, sides: tuple[float, ...]
) -> None:
    sound, cancelled = one_channel(np.outer(speech, sides).astype("f4"))
    loudest = max(abs(side) for side in sides)
    assert rms(sound) >= 0.9 * loudest * rms(speech)
    assert cancelled


def test_sides_that_cancel_with_a_delay_or_noise_of_their_own(speech: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1 * rms(speech), (speech.size, 2))
    late = np.concatenate([np.zeros(1, "f4"), speech[:-1]])
    for frames in (np.column_stack([speech, -speech]) + noise, np.column_stack([speech, -late])):
        sound, cancelled = one_channel(frames.astype("f4"))
        assert rms(sound) > 0.9 * rms(speech)
        assert cancelled


@pytest.mark.parametrize("sides", [(1, 1), (1, 0.5), (1, 0), (0, 1), (1, 0, 0, 0, 0, 0)])
def test_where_they_do_not_it_is_their_mean(speech: np.ndarray, sides: tuple[float, ...]) -> None:
    frames = np.outer(speech, sides).astype("f4")
    sound, cancelled = one_channel(frames)
    np.testing.assert_allclose(sound, frames.mean(axis=1), atol=1e-7)
    assert not cancelled


def test_two_people_each_on_a_side_are_both_heard(speech: np.ndarray) -> None:
    silence = np.zeros_like(speech)
    frames = np.column_stack([np.concatenate([speech, silence]), np.concatenate([silence, speech])])
    sound, cancelled = one_channel(frames)
    np.testing.assert_allclose(sound, frames.mean(axis=1), atol=1e-7)
    assert not cancelled


def test_music_on_unrelated_sides_is_left_alone() -> None:
    frames = np.random.default_rng(2).normal(0, 0.1, (RATE * 20, 2)).astype("f4")
    sound, cancelled = one_channel(frames)
    np.testing.assert_allclose(sound, frames.mean(axis=1), atol=1e-7)
    assert not cancelled


def test_a_part_of_a_recording_may_cancel(speech: np.ndarray) -> None:
    frames = np.concatenate([np.column_stack([speech, side * speech]) for side in (1, -1, 1)])
    sound, cancelled = one_channel(frames)
    assert all(rms(part) > 0.8 * rms(speech) for part in np.split(sound, 3))
    assert cancelled


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_broken_samples_choose_no_side(speech: np.ndarray, broken: float) -> None:
    frames = np.column_stack([speech, -speech])
    frames[100] = broken
    assert one_channel(frames)[0].size == speech.size


@pytest.mark.parametrize("piped", [False, True])
def test_a_word_is_said_about_it(tmp_path: Path, speech: np.ndarray, piped: bool) -> None:
    path = tmp_path / "inverted.wav"
    path.write_bytes(wav_bytes(np.column_stack([speech, -speech]), RATE))
    with path.open("rb") as stream:
        reader = PipedSpeech(stream) if piped else open_speech(stream)
        sound = np.concatenate(list(reader))
    assert reader.warning is not None
    assert "sides that cancel" in reader.warning
    assert rms(sound) == pytest.approx(rms(speech), rel=0.02)
