"""What is captured, denoised while it is noisy: all of it, once, in order."""

import threading

import numpy as np
import pytest
import soundfile

from live_cli.audio.noise.denoiser import DeepFilterNet, Denoiser, DenoiserError
from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.devices.capture_denoiser import CaptureDenoiser
from live_cli.devices.file_ends import FileMicrophone
from live_cli.sample_rates import FRAME_SAMPLES, INPUT_SAMPLE_RATE
from tests.audio.noise.test_denoised_stream import LateDenoiser
from tests.harness.noises import pink

LOUD = pink(12.0, 1)
QUIET = 1e-3 * LOUD
SILENCED = 0 * LOUD


def sent(denoiser: CaptureDenoiser, sound: Samples, between: threading.Event | None = None):
    out = []
    for start in range(0, sound.size, FRAME_SAMPLES):
        out.append(denoiser.clean(sound[start : start + FRAME_SAMPLES]))
        if between is not None and start == 6 * INPUT_SAMPLE_RATE:
            assert between.wait(30)
    return np.concatenate([*out, denoiser.finish()])


def nobody(reason: str) -> None:
    raise AssertionError(reason)


def test_all_is_sent_once_and_in_order_over_beginnings_and_ends():
    made: list[LateDenoiser] = []
    there = threading.Event()

    def begin() -> Denoiser:
        made.append(LateDenoiser())
        there.set()
        return made[-1]

    sound = np.concatenate([QUIET, LOUD, SILENCED, LOUD, QUIET, QUIET, LOUD])
    denoiser = CaptureDenoiser(begin, nobody)
    assert np.array_equal(sent(denoiser, QUIET), QUIET)
    assert made == []
    rest = sent(denoiser, sound[QUIET.size :], there)
    assert len(made) == 1
    assert np.allclose(rest, sound[QUIET.size :], atol=1e-6)
    heard = made[0].heard.size / INPUT_SAMPLE_RATE
    assert 30 < heard < 60  # of the 84 s: it rests in the quiet


@pytest.mark.parametrize("sound", [LOUD, QUIET])
def test_always_is_always_from_the_first_sample(sound):
    made: list[LateDenoiser] = []

    def begin() -> Denoiser:
        made.append(LateDenoiser())
        return made[0]

    assert np.allclose(sent(CaptureDenoiser(begin, nobody, always=True), sound), sound, atol=1e-6)
    assert np.array_equal(made[0].heard[: sound.size], sound)


def test_a_denoiser_that_does_not_load_is_told_and_the_sound_is_sent():
    told: list[str] = []
    there = threading.Event()

    def begin() -> Denoiser:
        raise DenoiserError("it is broken")

    def tell(reason: str) -> None:
        told.append(reason)
        there.set()

    assert np.array_equal(sent(CaptureDenoiser(begin, tell), LOUD, there), LOUD)
    assert told == ["it is broken"]


def test_a_file_is_sent_denoised_and_whole(tmp_path):
    noisy = pink(1.5, 2)
    soundfile.write(tmp_path / "noise.wav", noisy, INPUT_SAMPLE_RATE, subtype="FLOAT")
    frames: list[bytes] = []
    ended = threading.Event()
    microphone = FileMicrophone(
        tmp_path / "noise.wav",
        lambda frame, *_: frames.append(frame),
        ended.set,
        CaptureDenoiser(DeepFilterNet, nobody, always=True),
    )
    microphone.start()
    assert ended.wait(60)
    microphone.stop()
    sent = float_from_pcm16(b"".join(frames))
    assert len(frames) == 75
    assert np.mean(sent[-8000:] ** 2) < 0.3 * np.mean(noisy[-8000:] ** 2)
