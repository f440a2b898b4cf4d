"""Levels, and where speech ended."""

import numpy as np
import pytest

from live_cli.audio.levels import SILENCE_DBFS, SpeechEndMeter, SpeechRuns, level_dbfs

RATE = 16_000


def noise(seconds: float, dbfs: float, seed: int = 3) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return (samples * 10 ** (dbfs / 20)).astype(np.float32)


def syllables(seconds: float, dbfs: float) -> np.ndarray:
    """Noise at ``dbfs`` in bursts of 150 ms with 50 ms between them, as speech has."""
    sound = noise(seconds, dbfs, seed=4)
    gate = (np.arange(sound.size) % int(0.2 * RATE)) < int(0.15 * RATE)
    return sound * gate.astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "dbfs"),
    [
        (np.ones(100), 0.0),
        (np.sin(2 * np.pi * np.arange(1600) / 16), -3.01),
        (np.full(100, 0.1), -20.0),
        (np.zeros(100), SILENCE_DBFS),
        (np.zeros(0), SILENCE_DBFS),
        (np.full(10, 1e-9), SILENCE_DBFS),
        (np.full(10, np.nan), SILENCE_DBFS),
    ],
)
def test_level(samples: np.ndarray, dbfs: float) -> None:
    assert level_dbfs(samples.astype(np.float32)) == pytest.approx(dbfs, abs=0.01)


@pytest.mark.parametrize("background", [-100.0, -70.0, -55.0, -45.0])
def test_the_meter_finds_the_end_of_speech(background: float) -> None:
    meter = SpeechEndMeter(RATE)
    parts = [noise(2, background), syllables(3, -22), np.zeros(2 * RATE, dtype=np.float32)]
    sound = np.concatenate(parts)
    sound += noise(7, background, seed=5)
    for start in range(0, sound.size, 320):
        meter.push(sound[start : start + 320])
    assert meter.samples_heard == sound.size
    assert meter.last_speech_end is not None
    assert meter.last_speech_end / RATE == pytest.approx(4.95, abs=0.03)


def test_the_meter_hears_speech_that_begins_the_stream() -> None:
    meter = SpeechEndMeter(RATE)
    meter.push(np.concatenate((syllables(1, -20), noise(1, -60))))
    assert meter.last_speech_end is not None
    assert meter.last_speech_end / RATE == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("level", [-100.0, -60.0, -50.0, -35.0])
def test_steady_noise_and_clicks_are_no_speech(level: float) -> None:
    meter = SpeechEndMeter(RATE)
    meter.push(noise(1.5, level))
    start = meter.samples_heard
    sound = noise(5, level, seed=6)
    sound[RATE : RATE + 80] = 0.5  # a click of 5 ms
    meter.push(sound)
    assert meter.last_speech_end is None or meter.last_speech_end <= start


def test_speech_runs_bridge_the_pauses_within_a_sentence() -> None:
    rng = np.random.default_rng(2)
    runs = SpeechRuns(16_000)
    loud = [(1.0, 1.8), (2.2, 3.0), (5.0, 5.5)]
    for k in range(350):
        at_s = k * 0.02
        level = 0.1 if any(begin <= at_s < end for begin, end in loud) else 1e-4
        runs.push(rng.normal(0, level, 320).astype(np.float32), 100.0 + at_s)
    times = [time for run in runs.runs for time in run]
    assert times == pytest.approx([101.0, 103.0, 105.0, 105.5], abs=0.05)
