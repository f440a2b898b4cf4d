"""A stream's clock is robust to noise in the times of blocks, and follows drift and steps."""

import numpy as np
import pytest

from live_cli.audio.stream_clock import StreamClock

BLOCK_S = 0.02
START = 1_000.0


def errors_ms(noted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Errors of the clock at each block's end, from the times noted of the blocks so far."""
    clock = StreamClock()
    off = []
    for k, at in enumerate(noted):
        clock.note(k * BLOCK_S, float(at))
        off.append(clock.at((k + 1) * BLOCK_S) - true[k] - BLOCK_S)
    return np.array(off) * 1000


def test_late_callbacks_do_not_move_it() -> None:
    rng = np.random.default_rng(1)
    true = START + np.arange(500) * BLOCK_S
    late_s = np.where(rng.random(500) < 0.2, rng.exponential(0.01, 500), 0.0)
    assert np.abs(errors_ms(true + late_s, true)[10:]).max() < 0.5
    assert late_s.max() > 0.03


@pytest.mark.parametrize("ppm", [-100, 100])
def test_drift_is_followed(ppm: int) -> None:
    true = START + np.arange(30_000) * BLOCK_S * (1 + ppm * 1e-6)
    assert np.abs(errors_ms(true, true)).max() < 0.1


def test_lost_blocks_are_a_step_that_is_taken_within_half_a_second() -> None:
    true = START + np.arange(100) * BLOCK_S
    true[50:] += 0.2
    off = np.abs(errors_ms(true, true))
    assert off[64:].max() < 0.1
    assert off[55] == pytest.approx(200)


def test_a_device_that_was_away_begins_anew_at_once() -> None:
    true = START + np.arange(100) * BLOCK_S
    true[50:] += 5.0
    assert np.abs(errors_ms(true, true)).max() < 0.1
