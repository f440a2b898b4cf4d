"""Samples and bytes, rates, frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_cli.audio.framer import Framer
from live_cli.audio.pcm import float_from_pcm16, mono, pcm16_from_float
from live_cli.audio.resampler import Resampler


@given(st.binary(max_size=400))
def test_pcm16_survives_the_round_trip(data: bytes) -> None:
    whole = data[: len(data) - len(data) % 2]
    assert pcm16_from_float(float_from_pcm16(data)) == whole


@pytest.mark.parametrize(
    ("sample", "value"),
    [(0.0, 0), (1.0, 32767), (-1.0, -32768), (7.0, 32767), (-7.0, -32768), (0.5, 16384),
     (float("nan"), 0), (float("inf"), 32767)],
)  # fmt: skip
def test_pcm16_clips(sample: float, value: int) -> None:
    data = pcm16_from_float(np.array([sample], dtype=np.float32))
    assert int.from_bytes(data, "little", signed=True) == value


def test_mono_is_the_mean_of_the_channels() -> None:
    stereo = np.array([[1.0, 0.0], [0.5, -0.5]], dtype=np.float32)
    assert mono(stereo).tolist() == [0.5, 0.0]
    assert mono(stereo[:, :1]).tolist() == [1.0, 0.5]


def tone(frequency: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)).astype(
        "f4"
    )


RATES = [(48_000, 16_000), (44_100, 16_000), (8_000, 16_000), (24_000, 48_000), (24_000, 44_100)]


@pytest.mark.parametrize(("source", "target"), RATES)
def test_resampled_tone_is_pure_and_of_the_right_length(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    out = np.concatenate((resampler.process(tone(1000, source)), resampler.flush()))
    assert abs(out.size - target) <= 1
    middle = out[target // 4 : target * 3 // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.blackman(middle.size))) ** 2
    frequencies = np.fft.rfftfreq(middle.size, 1 / target)
    at_tone = np.abs(frequencies - 1000) < 20
    assert frequencies[spectrum.argmax()] == pytest.approx(1000, abs=3)
    assert 10 * np.log10(spectrum[~at_tone].sum() / spectrum[at_tone].sum()) < -80


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(RATES), st.lists(st.integers(1, 3000), min_size=1, max_size=12))
def test_streaming_equals_one_shot(rates: tuple[int, int], sizes: list[int]) -> None:
    sound = np.random.default_rng(1).standard_normal(sum(sizes)).astype(np.float32)
    streaming, one_shot = Resampler(*rates), Resampler(*rates)
    pieces, start = [], 0
    for size in sizes:
        pieces.append(streaming.process(sound[start : start + size]))
        start += size
    joined = np.concatenate([*pieces, streaming.flush()])
    whole = np.concatenate((one_shot.process(sound), one_shot.flush()))
    np.testing.assert_array_equal(joined, whole)


def test_equal_rates_pass_through_at_once() -> None:
    sound = tone(440, 16_000, 0.02)
    resampler = Resampler(16_000, 16_000)
    assert resampler.process(sound) is sound
    assert resampler.flush().size == 0


def test_a_flushed_resampler_serves_a_new_stream() -> None:
    resampler = Resampler(48_000, 16_000)
    first = np.concatenate((resampler.process(tone(500, 48_000)), resampler.flush()))
    again = np.concatenate((resampler.process(tone(500, 48_000)), resampler.flush()))
    np.testing.assert_array_equal(first, again)


@given(st.integers(1, 50), st.lists(st.integers(0, 200), max_size=20))
def test_frames_joined_are_the_stream(frame_samples: int, sizes: list[int]) -> None:
    stream = np.arange(1, sum(sizes) + 1, dtype=np.float32)
    framer, frames, start = Framer(frame_samples), [], 0
    for size in sizes:
        frames += framer.push(stream[start : start + size])
        start += size
    assert len(frames) == stream.size // frame_samples
    last = framer.flush()
    joined = np.concatenate([*frames, *([] if last is None else [last]), np.zeros(0, "f4")])
    assert all(frame.size == frame_samples for frame in frames)
    np.testing.assert_array_equal(joined[: stream.size], stream)
    assert not joined[stream.size :].any()
    assert framer.flush() is None
