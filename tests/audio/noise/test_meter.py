"""How far speech stands out of its background."""

import numpy as np
import pytest
import soundfile

from live_cli.audio.noise.denoised_stream import NOISY_BELOW_DB
from live_cli.audio.noise.meter import NoiseMeter
from live_cli.audio.pcm import Samples
from live_cli.audio.resampler import Resampler
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.noises import music, pink, street, with_noise
from tests.harness.speech import moonshine_asset


def reading(name: str) -> Samples:
    samples, rate = soundfile.read(moonshine_asset(name), dtype="float32")
    return Resampler(rate, INPUT_SAMPLE_RATE).process(samples)


def stands_out(samples: Samples) -> float | None:
    meter = NoiseMeter()
    for start in range(0, samples.size, 1000):
        meter.push(samples[start : start + 1000])
    return meter.snr_db(max(0, samples.size - 15 * INPUT_SAMPLE_RATE), samples.size)


@pytest.mark.parametrize("name", ["beckett.wav", "two_cities.wav"])
@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_a_clean_reading_is_not_noisy_however_loud_it_is(name, gain):
    assert stands_out(gain * reading(name)) > NOISY_BELOW_DB + 5


@pytest.mark.parametrize("noise", [pink, street, music])
def test_noise_is_noisy_and_the_more_the_louder_it_is(noise):
    speech = reading("beckett.wav")
    sound = noise(speech.size / INPUT_SAMPLE_RATE, 3)
    by_snr = [stands_out(with_noise(speech, sound, snr_db)) for snr_db in (0, 5, 10, 30)]
    assert by_snr == sorted(by_snr)
    assert by_snr[1] < NOISY_BELOW_DB < by_snr[3]


def test_what_cannot_be_heard_and_what_is_too_short_are_not_noisy():
    hiss = 3e-4 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    assert stands_out(hiss) == float("inf")
    assert stands_out(np.zeros(32_000, np.float32)) == float("inf")
    assert stands_out(100 * hiss[:6000]) is None


def test_levels_are_kept_for_twenty_seconds():
    meter = NoiseMeter()
    for _ in range(30):
        meter.push(np.ones(INPUT_SAMPLE_RATE, np.float32))
    assert meter.snr_db(0, 9 * INPUT_SAMPLE_RATE) is None
    assert meter.snr_db(0, 12 * INPUT_SAMPLE_RATE) == 0.0
