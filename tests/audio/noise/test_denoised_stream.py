"""A stream beside itself with less noise: the same words at the same places."""

import numpy as np
import pytest

from live_cli.audio.noise.denoised_stream import DenoisedStream
from live_cli.audio.noise.denoiser import DeepFilterNet
from live_cli.audio.noise.triple_rate import TripleRate
from live_cli.audio.pcm import Samples
from live_cli.audio.sample_buffer import SampleBuffer
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.audio.noise.test_meter import reading
from tests.harness.noises import pink, with_noise


class LateDenoiser:
    """Returns what it took, 20 ms later, and remembers it."""

    delay_samples = 320

    def __init__(self) -> None:
        self.heard = np.zeros(0, np.float32)
        self._late = np.zeros(self.delay_samples, np.float32)

    def process(self, samples: Samples) -> Samples:
        self.heard = np.concatenate([self.heard, samples])
        self._late = np.concatenate([self._late, samples])
        out, self._late = self._late[: samples.size], self._late[samples.size :]
        return out


def ramp(count: int) -> Samples:
    return np.arange(count, dtype=np.float32)


def buffer_of(samples: Samples) -> SampleBuffer:
    sound = SampleBuffer()
    sound.append(samples)
    return sound


@pytest.mark.parametrize("piece", [1, 333, 16_000])
def test_what_is_denoised_stands_where_it_stood(piece):
    sound, stream = SampleBuffer(), DenoisedStream(LateDenoiser())
    for start in range(0, 16_000, piece):
        sound.append(ramp(16_000)[start : start + piece])
        stream.feed(sound, 0)
    assert stream.end == 16_000 - 320
    assert np.array_equal(stream.mixed(sound, 500, 15_000), ramp(15_000)[500:])
    late = stream.mixed(sound, 15_000, 16_000)
    assert np.array_equal(late[:680], ramp(16_000)[15_000:15_680])
    assert not late[680:].any()
    stream.finish(sound)
    assert np.array_equal(stream.mixed(sound, 15_000, 16_000), ramp(16_000)[15_000:])


def test_it_begins_again_with_a_second_before_what_is_wanted():
    denoiser = LateDenoiser()
    stream = DenoisedStream(denoiser)
    stream.feed(buffer_of(ramp(8_000)), 0)
    before = denoiser.heard.size
    sound = buffer_of(ramp(80_000))
    stream.feed(sound, 60_000)
    assert denoiser.heard[before] == 60_000 - INPUT_SAMPLE_RATE
    assert np.array_equal(stream.mixed(sound, 60_000, 70_000), ramp(70_000)[60_000:])


def test_the_rates_leave_speech_as_it_is():
    speech, rates = reading("beckett.wav"), TripleRate()
    pieces = np.split(speech, range(160, speech.size, 160))
    back = np.concatenate([rates.down(rates.up(piece)) for piece in pieces])
    late = rates.delay_samples
    error = back[late:] - speech[:-late]
    assert np.mean(error**2) < 1e-3 * np.mean(speech**2)


def test_the_real_denoiser_takes_out_noise_and_keeps_speech_in_its_place():
    clean = reading("beckett.wav")
    noisy = with_noise(clean, pink(10.0, 5), 5)
    sound, stream = buffer_of(noisy), DenoisedStream(DeepFilterNet())
    stream.feed(sound, 0)
    stream.finish(sound)
    after = stream.mixed(sound, 0, noisy.size)
    scale = float(np.dot(clean, noisy) / np.dot(clean, clean))

    def noise_in(samples: Samples) -> float:
        return float(np.mean((samples - scale * clean)[INPUT_SAMPLE_RATE:] ** 2))

    assert noise_in(after) < 0.4 * noise_in(noisy)


def test_what_comes_after_a_pause_is_another_stream():
    sound, stream = buffer_of(ramp(8_000)), DenoisedStream(LateDenoiser())
    stream.feed(sound, 0)
    stream.finish(sound)
    sound.append(ramp(16_000)[8_000:])
    stream.feed(sound, 8_000)
    assert np.array_equal(stream.mixed(sound, 8_000, 15_000), ramp(15_000)[8_000:])
