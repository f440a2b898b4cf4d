"""Commands in, sound out, and what a snapshot says: without a device, on a clock of its own."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.audio.heard import HeardLog, heard_at
from live_cli.audio.pcm import pcm16_from_float
from live_cli.audio.playout import Span
from live_cli.devices.playback import Playback

BLOCK = 240  # 10 ms


def pcm(ms: int, value: float = 0.5) -> bytes:
    return pcm16_from_float(np.full(ms * 24, value, dtype=np.float32))


def test_snapshot_follows_a_turn_from_the_queue_to_the_ear() -> None:
    playback = Playback()
    assert playback.snapshot(0.0).idle
    playback.play(1, pcm(300))
    playback.end_turn(1)
    queued = playback.snapshot(0.0)
    assert (queued.idle, queued.playing, queued.buffered_ms) == (False, False, 300)
    latency_s = 0.05
    for k in range(31):
        playback.render(BLOCK, at=k * 0.01 + latency_s)
    pulled = playback.snapshot(0.3)  # all is pulled, 50 ms are still on their way
    assert (pulled.playing, pulled.idle, pulled.buffered_ms) == (True, False, 0)
    assert (pulled.turn, pulled.heard_ms) == (1, pytest.approx(250))
    done = playback.snapshot(0.36)
    assert (done.playing, done.idle, done.heard_ms) == (False, True, 300)


def test_interrupt_acts_in_the_next_block_before_what_comes_late() -> None:
    playback = Playback()
    playback.play(1, pcm(1000))
    playback.render(BLOCK * 10, at=0.0)
    playback.interrupt(1)
    playback.play(1, pcm(1000))
    block = playback.render(BLOCK * 2, at=0.1)
    assert block[0] > 0.4
    assert not block[BLOCK:].any()
    snapshot = playback.snapshot(math.inf)
    assert (snapshot.heard_ms, snapshot.refused_chunks, snapshot.idle) == (110, 1, True)


def test_a_device_that_takes_nothing_does_not_fill_the_memory() -> None:
    playback = Playback()
    for _ in range(10_000):
        playback.play(1, pcm(1))
    playback.interrupt(1)
    assert playback.snapshot(0.0).buffered_ms < 9000
    assert playback.snapshot(0.0).refused_chunks > 1000
    playback.render(BLOCK, at=0.0)
    assert playback.snapshot(math.inf).idle


@given(st.lists(st.floats(0, 2), min_size=1, max_size=20))
def test_heard_never_falls_and_never_runs_ahead(times: list[float]) -> None:
    log = HeardLog()
    for k in range(100):  # a second of one turn, with 200 ms of silence in the middle
        if not 40 <= k < 60:
            position = (k if k < 40 else k - 20) * BLOCK
            log.note(0.5 + k * 0.01, [Span(1, 0, position, BLOCK)])
    spans = log.published()
    heard = [heard_at(spans, now)[1] for now in sorted(times)]
    assert heard == sorted(heard)
    for now, ms in zip(sorted(times), heard, strict=True):
        assert ms <= max(0.0, (now - 0.5) * 1000) + 0.001
        assert ms <= 800
    assert heard_at(spans, 0.4) == (0, 0.0, False)
    assert heard_at(spans, 1.0) == (1, pytest.approx(400), False)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_a_turn_at_another_rate_keeps_its_length_and_pitch(rate: int) -> None:
    playback = Playback()
    t = np.arange(rate) / rate
    data = pcm16_from_float((0.4 * np.sin(2 * np.pi * 500 * t)).astype(np.float32))
    for start in range(0, len(data), 1000):
        playback.play(1, data[start : start + 1000], rate)
    playback.end_turn(1)
    sound = playback.render(48_000, at=0.0)
    assert playback.snapshot(math.inf).heard_ms == pytest.approx(1000, abs=0.1)
    assert np.abs(np.fft.rfft(sound[:24_000])).argmax() == 500
    playback.play(2, pcm(200))
    playback.end_turn(2)
    playback.render(48_000, at=2.0)
    assert playback.snapshot(math.inf).heard_ms == 200
