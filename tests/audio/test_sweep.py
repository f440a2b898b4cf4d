"""A sweep through simulated rooms: delay, loss, noise, clipping, and nothing where nothing is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_cli.audio.sweep import (
    HIGH_HZ,
    LOW_HZ,
    cancelled_db,
    levels_over_time,
    make_hiss,
    make_sweep,
    measure,
)

RATE = 24_000
SWEEP_AT_S, LENGTH_S = 1.0, 3.2


def played() -> np.ndarray:
    sound = np.zeros(int(LENGTH_S * RATE), dtype=np.float32)
    sweep = make_sweep(RATE)
    sound[int(SWEEP_AT_S * RATE) :][: sweep.size] = sweep
    return sound


def delayed(sound: np.ndarray, delay_ms: float, gain_db: float) -> np.ndarray:
    lag = round(delay_ms * RATE / 1000)
    late = np.concatenate((np.zeros(lag, np.float32), sound))[: sound.size]
    return late * np.float32(10 ** (gain_db / 20))


def noise(dbfs: float, seed: int = 0) -> np.ndarray:
    level = 10 ** (dbfs / 20)
    return np.random.default_rng(seed).normal(0, level, int(LENGTH_S * RATE)).astype(np.float32)


def test_the_sweep_is_as_loud_as_asked_in_its_band_and_ends_softly() -> None:
    sweep = make_sweep(RATE, level_dbfs=-20)
    assert sweep.size == RATE
    assert 10 * np.log10(np.mean(sweep**2)) == pytest.approx(-20, abs=0.3)
    assert np.abs(sweep).max() < 0.15
    assert np.abs(sweep[[0, -1]]).max() < 1e-3
    power = np.abs(np.fft.rfft(sweep)) ** 2  # 1 Hz a bin
    octaves = [power[int(low) : int(2 * low)].sum() for low in (200, 400, 800, 1600, 3200)]
    assert max(octaves) / min(octaves) < 1.3
    assert power[int(LOW_HZ) : int(HIGH_HZ)].sum() / power.sum() > 0.98


@settings(max_examples=40, deadline=None)
@given(
    delay_ms=st.floats(0, 600),
    gain_db=st.floats(-40, 6),
    noise_dbfs=st.floats(-90, -50),
    inverted=st.booleans(),
)
def test_delay_and_loss_are_found_in_noise(
    delay_ms: float, gain_db: float, noise_dbfs: float, inverted: bool
) -> None:
    source = played()
    echo = delayed(source, delay_ms, gain_db) * (-1 if inverted else 1)
    report = measure(echo + noise(noise_dbfs), source, RATE)
    assert report.path is not None
    assert report.path.delay_ms == pytest.approx(delay_ms, abs=0.1)
    assert report.path.loss_db == pytest.approx(-gain_db, abs=1.5)
    assert report.noise_dbfs == pytest.approx(noise_dbfs, abs=0.5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), noise_dbfs=st.floats(-90, -10))
def test_noise_alone_is_no_echo(seed: int, noise_dbfs: float) -> None:
    report = measure(noise(noise_dbfs, seed), played(), RATE)
    assert report.path is None
    assert report.noise_dbfs == pytest.approx(noise_dbfs, abs=0.5)


def test_what_would_have_been_found_is_found() -> None:
    """An echo just above ``hidden_below_db`` stands out, one far below does not."""
    source, background = played(), noise(-50)
    limit_db = measure(background, source, RATE).hidden_below_db
    assert 30 < limit_db < 60
    assert measure(background + delayed(source, 90, 4 - limit_db), source, RATE).path is not None
    assert measure(background + delayed(source, 90, -15 - limit_db), source, RATE).path is None


@pytest.mark.parametrize("hum_dbfs", [-30, -12])
def test_a_hum_hides_nothing(hum_dbfs: float) -> None:
    source = played()
    t = np.arange(source.size) / RATE
    hum = (10 ** (hum_dbfs / 20) * np.sqrt(2) * np.sin(2 * np.pi * 50 * t)).astype(np.float32)
    report = measure(delayed(source, 120, -20) + hum, source, RATE)
    assert report.path is not None
    assert report.path.delay_ms == pytest.approx(120, abs=0.2)


def test_a_microphone_that_is_off_hears_nothing_at_all() -> None:
    report = measure(np.zeros_like(played()), played(), RATE)
    assert (report.path, report.noise_dbfs, report.clipped_samples) == (None, -100.0, 0)


def test_reflections_count_for_what_comes_back() -> None:
    """Two paths of equal strength bring twice the energy."""
    source = played()
    both = delayed(source, 40, -12) + delayed(source, 97, -12)
    report = measure(both + noise(-80), source, RATE)
    assert report.path is not None
    assert report.path.delay_ms == pytest.approx(40, abs=0.1) or (
        report.path.delay_ms == pytest.approx(97, abs=0.1)
    )
    assert report.path.loss_db == pytest.approx(12 - 3, abs=1.5)


def test_clipping_is_counted_where_the_sweep_comes_back() -> None:
    source = played()
    clean = measure(delayed(source, 60, 0), source, RATE)
    loud = measure(np.clip(delayed(source, 60, 26), -1, 1), source, RATE)
    assert clean.clipped_samples == 0
    assert loud.clipped_samples > 1000
    assert loud.peak == 1.0
    assert loud.path is not None
    assert loud.path.delay_ms == pytest.approx(60, abs=0.2)
    assert clean.level_dbfs == pytest.approx(-20, abs=0.5)


def test_nothing_played_is_an_error() -> None:
    with pytest.raises(ValueError, match="no sweep"):
        measure(noise(-50), np.zeros(int(LENGTH_S * RATE), dtype=np.float32), RATE)


def test_levels_over_time_show_when_it_sounds() -> None:
    levels = levels_over_time(played(), RATE)
    assert len(levels) == 64
    assert [levels[k] > -40 for k in (10, 30, 50)] == [False, True, False]


@pytest.mark.parametrize(("delay_ms", "gain_db"), [(0, -6), (30, -6), (80, -6), (250, -12)])
def test_an_echo_that_the_filter_can_follow_is_cancelled(delay_ms: float, gain_db: float) -> None:
    rng = np.random.default_rng(1)
    gap = np.zeros(RATE // 2, np.float32)
    played = np.concatenate([gap, make_hiss(RATE), gap])
    room = np.zeros(round(delay_ms * RATE / 1000) + 2400)
    room[-2400:] = rng.normal(0, 0.02, 2400) * np.exp(-np.arange(2400) / 600)
    room[-2400] = 1.0
    echo = np.convolve(played, room)[: played.size] * 10 ** (gain_db / 20)
    noise = rng.normal(0, 1e-3, played.size)
    assert cancelled_db((echo + noise).astype(np.float32), played, RATE) > 10
    alone = noise.astype(np.float32)
    assert cancelled_db(alone, played, RATE) < 3  # nothing came back, nothing was taken out
