"""The room that the other tests are held in."""

import numpy as np
import pytest

from tests.harness.simulated_room import (
    DEVICE_LATENCY_MS,
    HARD_ROOMS,
    PLAYED_RATE,
    RATE,
    Room,
    echo_in,
)

RNG = np.random.default_rng(1)
PLAYED = RNG.standard_normal(4 * PLAYED_RATE).astype(np.float32) * 0.1
PLAIN = echo_in(Room(), PLAYED)


def lag_ms(sound: np.ndarray, at_s: float, among: np.ndarray = PLAIN) -> float:
    """How much later than ``among`` half a second of ``sound`` is."""
    window = slice(int(at_s * RATE), int((at_s + 0.5) * RATE))
    size = 2 * RATE
    shared = np.fft.rfft(sound[window], size) * np.conj(np.fft.rfft(among[window], size))
    lag = int(np.argmax(np.fft.irfft(shared, size)))
    return (lag if lag < size // 2 else lag - size) * 1000 / RATE


def test_the_echo_comes_after_the_devices_latency_and_the_way() -> None:
    came = np.flatnonzero(np.abs(PLAIN) > 0.01)[0] * 1000 / RATE
    assert came == pytest.approx(DEVICE_LATENCY_MS + 80, abs=1)


@pytest.mark.parametrize(
    ("room", "early_ms", "late_ms"),
    [
        (Room(delay_ms=120), 40, 40),
        (Room(jumps=((2.0, 60), (2.5, -40))), 0, 20),
        (Room(drift_ppm=1000.0), 0.6, 3.1),
        (Room(moved_at_s=2.0), 0, 3),
    ],
)
def test_the_way_is_as_long_as_the_room_says(room: Room, early_ms: int, late_ms: int) -> None:
    echo = echo_in(room, PLAYED)
    assert lag_ms(echo, 0.5) == pytest.approx(early_ms, abs=0.3)
    assert lag_ms(echo, 3.0) == pytest.approx(late_ms, abs=0.3)


def test_a_clipping_speaker_adds_what_was_not_played() -> None:
    clipped = echo_in(Room(clipped_dbfs=-16.0), PLAYED)
    gain = np.dot(clipped, PLAIN) / np.dot(PLAIN, PLAIN)
    added = clipped - gain * PLAIN
    assert 5 < 10 * np.log10(np.sum(clipped**2) / np.sum(added**2)) < 20


@pytest.mark.parametrize("name", HARD_ROOMS)
def test_an_echo_is_as_long_as_what_was_played(name: str) -> None:
    echo = echo_in(HARD_ROOMS[name], PLAYED)
    assert echo.size == PLAYED.size * RATE // PLAYED_RATE
    assert echo.dtype == np.float32
