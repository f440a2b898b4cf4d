"""Microphone and model in one stereo mix: each sample stands at the time it sounded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.audio.playback.playout import Span
from live_cli.audio.stereo_mix import StereoMix, TimeMap, Track
from live_cli.sample_rates import INPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE

START = 5_000.0
FRAME, BLOCK = INPUT_SAMPLE_RATE // 50, OUTPUT_SAMPLE_RATE // 50


def click(rate: int, seconds: float, at_s: float) -> Samples:
    sound = np.zeros(int(rate * seconds), dtype=np.float32)
    sound[round(at_s * rate) : round((at_s + 0.001) * rate)] = 0.5
    return sound


def first_loud(side: Samples) -> float:
    return float(np.flatnonzero(np.abs(side) > 0.2)[0]) / OUTPUT_SAMPLE_RATE


def recorded(
    mix: StereoMix, microphone: Samples, model: Samples, noise_s: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Mix both, block by block, taken a second late; the times have noise."""
    rng = np.random.default_rng(seed)
    taken = []
    for k in range(microphone.size // FRAME):
        frame = microphone[k * FRAME : (k + 1) * FRAME]
        mix.sent(pcm16_from_float(frame), START + (k + 1) * 0.02)
        late_s = rng.exponential(noise_s) if noise_s and rng.random() < 0.3 else 0.0
        block = model[k * BLOCK : (k + 1) * BLOCK]
        mix.played(block, START + k * 0.02 + late_s, (Span(1, 0, k * BLOCK, block.size),))
        taken.append(mix.take(START + k * 0.02 - 1.0))
    return np.concatenate([*taken, mix.rest()])


@pytest.mark.parametrize("noise_s", [0.0, 0.005, 0.02])
def test_two_clicks_at_one_time_are_at_one_time_in_the_mix(noise_s: float) -> None:
    mix = StereoMix(START)
    both = click(INPUT_SAMPLE_RATE, 10, 7.0), click(OUTPUT_SAMPLE_RATE, 10, 7.0)
    stereo = recorded(mix, *both, noise_s=noise_s)
    assert stereo.shape[0] / OUTPUT_SAMPLE_RATE == pytest.approx(10, abs=0.03)
    assert first_loud(stereo[:, 0]) == pytest.approx(7.0, abs=0.001)
    assert first_loud(stereo[:, 1]) == pytest.approx(7.0, abs=0.011)
    assert mix.lost_s == 0


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), min_size=1, max_size=20),
    st.integers(1, 50),
)
def test_every_sample_is_where_its_time_says_and_silence_between(
    parts: list[tuple[int, int]], step: int
) -> None:
    """Any pauses, taken in any steps: the track is the sum of its blocks."""
    rate = 1000
    track, wanted, now = Track(rate), np.zeros(0, dtype=np.float32), 0
    for pause, length in parts:
        begin = now if pause * 1000 <= 10 * rate // 1000 else now + pause * 20
        block = np.full(length, 0.1 * (pause + 1), dtype=np.float32)
        track.place(block, begin / rate)
        wanted = np.concatenate((wanted, np.zeros(begin - wanted.size, np.float32), block))
        now = begin + length
    taken = [track.take(until) for until in range(step, now + step, step)]
    sound = np.concatenate(taken)
    np.testing.assert_array_equal(sound[: wanted.size], wanted)
    assert not sound[wanted.size :].any()
    assert track.lost_samples == 0


def test_rounding_and_jitter_tear_nothing_apart() -> None:
    track = Track(OUTPUT_SAMPLE_RATE)
    tone = np.sin(np.arange(OUTPUT_SAMPLE_RATE) / 30).astype(np.float32)
    for k in range(50):
        track.place(tone[k * BLOCK : (k + 1) * BLOCK], k * 0.02 + (0.004, -0.004, 0.0)[k % 3 - 1])
    np.testing.assert_array_equal(track.take(50 * BLOCK), tone)


def test_what_comes_after_it_was_taken_is_counted() -> None:
    track = Track(1000)
    track.take(500)
    track.place(np.ones(200, dtype=np.float32), 0.4)
    assert track.lost_samples == 100
    np.testing.assert_array_equal(track.take(650)[:150], [1.0] * 100 + [0.0] * 50)


def test_a_time_that_is_far_off_does_not_fill_the_memory() -> None:
    track = Track(1000)
    track.place(np.ones(10, dtype=np.float32), 0.0)
    track.place(np.ones(10, dtype=np.float32), 1e6)
    assert track.end == 10
    assert track.lost_samples == 10


def test_a_muted_microphone_is_silence_and_what_follows_is_in_place() -> None:
    mix = StereoMix(START)
    loud = pcm16_from_float(np.full(FRAME, 0.5, dtype=np.float32))
    for k in (*range(50), *range(100, 150)):
        mix.sent(loud, START + (k + 1) * 0.02)
    left = mix.rest()[:, 0]
    assert (
        np.abs(left[int(1.05 * OUTPUT_SAMPLE_RATE) : int(1.95 * OUTPUT_SAMPLE_RATE)]).max() < 0.01
    )
    assert left[int(2.05 * OUTPUT_SAMPLE_RATE) : int(2.95 * OUTPUT_SAMPLE_RATE)].min() > 0.45
    # the sound that was sent has no pause in it
    assert mix.sent_places.at(0.5) == pytest.approx(0.5)
    assert mix.sent_places.at(1.5) == pytest.approx(2.5)


def test_a_pre_roll_stands_before_the_key() -> None:
    mix = StereoMix(START)
    preroll = pcm16_from_float(np.full(15 * FRAME, 0.5, dtype=np.float32))
    taken = mix.take(START + 0.5)
    mix.sent(preroll, START + 2.0)
    left = np.concatenate((taken, mix.rest()))[:, 0]
    assert first_loud(left) == pytest.approx(1.7, abs=0.001)


def test_a_turn_is_found_where_it_was_played() -> None:
    mix = StereoMix(START)
    block = np.zeros(BLOCK, dtype=np.float32)
    for k in range(100):
        sounds = 20 <= k < 40 or k >= 60  # a second of it, a pause of 0.4 s within
        position = (k - 20 if k < 40 else k - 40) * BLOCK
        spans = (Span(1, 0, position, BLOCK),) if sounds else ()
        mix.played(block, START + k * 0.02, spans)
    places = mix.turn_places[1]
    assert places.at(0.0) == pytest.approx(0.4)
    assert places.at(0.39) == pytest.approx(0.79)
    assert places.at(0.5) == pytest.approx(1.3)
    assert places.end_s == pytest.approx(1.2)


def test_an_empty_map_knows_nothing() -> None:
    assert TimeMap().at(0.0) is None
    assert TimeMap().end_s == 0
