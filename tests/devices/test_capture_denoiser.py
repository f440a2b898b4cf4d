"""What is captured, denoised while it is noisy: all of it, once, in order."""

import threading

import numpy as np
import pytest

from live_cli.audio.noise.denoiser import Denoiser, DenoiserError
from live_cli.audio.pcm import Samples
from live_cli.devices.capture_denoiser import CaptureDenoiser
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
