"""Commands in, sound out, and what a snapshot says: without a device, on a clock of its own."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.audio.pcm import pcm16_from_float
from live_cli.audio.playback.heard import HeardLog, heard_at
from live_cli.audio.playback.playout import Span
from live_cli.devices.playback import Playback

BLOCK = 240  # 10 ms


def pcm(ms: int, value: float = 0.5) -> bytes:
    return pcm16_from_float(np.full(ms * 24, value, dtype=np.float32))


def test_snapshot_follows_a_turn_from_the_queue_to_the_device() -> None:
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


# --- a device that is lost, and another one with another clock --------------------------------


def test_a_turn_goes_on_where_it_stopped_on_the_next_device_without_a_click() -> None:
    playback = Playback()
    ramp = np.linspace(0.1, 0.9, 300 * 24, dtype=np.float32)
    playback.play(1, pcm16_from_float(ramp))
    playback.end_turn(1)
    before = playback.render(BLOCK * 10, at=5000.0)
    assert playback.restart(drop=False) == 0
    assert playback.snapshot(3.0).heard_ms == 100  # on a clock that is far behind the first
    after = playback.render(BLOCK * 20, at=3.0)
    assert before[-1] < after[BLOCK] < before[-1] + 0.05  # not a sample is lost or twice
    assert after[0] < 0.01
    assert (np.diff(after[:120]) > 0).all()
    heard = playback.snapshot(3.05)
    assert (heard.turn, heard.heard_ms, heard.playing) == (1, pytest.approx(150), True)
    assert playback.snapshot(math.inf).heard_ms == 300
    assert playback.snapshot(math.inf).underruns == 0


def test_what_is_stale_is_dropped_and_the_next_turn_plays() -> None:
    playback = Playback()
    playback.play(1, pcm(1000))
    playback.render(BLOCK * 10, at=0.0)
    playback.play(1, pcm(1000))  # came while there was no device
    assert playback.restart(drop=True) == 1900
    playback.play(1, pcm(100))
    assert not playback.render(BLOCK * 50, at=60.0).any()
    dropped = playback.snapshot(math.inf)
    assert (dropped.heard_ms, dropped.idle, dropped.refused_chunks) == (100, True, 1)
    playback.play(2, pcm(200))
    playback.end_turn(2)
    assert np.count_nonzero(playback.render(BLOCK * 50, at=61.0)) == 200 * 24


def test_the_outcome_of_each_turn_is_in_the_snapshot() -> None:
    playback = Playback()
    playback.play(1, pcm(200))
    playback.render(BLOCK * 30, at=0.0)  # 100 ms of silence
    playback.play(1, pcm(300))
    playback.end_turn(1)
    playback.render(BLOCK * 40, at=0.3)
    playback.play(2, pcm(50))
    playback.render(BLOCK * 3, at=0.7)
    playback.end_turn(2)
    playback.render(BLOCK * 10, at=0.73)
    outcomes = playback.snapshot(math.inf).outcomes
    assert (outcomes[1].underruns, outcomes[1].dry_ms, outcomes[1].start_delay_ms) == (1, 100, 0)
    assert (outcomes[2].underruns, outcomes[2].dry_ms, outcomes[2].start_delay_ms) == (0, 0, 30)
    assert playback.snapshot(math.inf).mean_start_delay_ms == 15
    for turn in range(3, 300):
        playback.play(turn, pcm(10))
    playback.end_turn(299)
    playback.render(BLOCK * 310, at=1.0)
    assert len(playback.snapshot(math.inf).outcomes) <= 65


def test_a_ducked_voice_is_15_db_lower_without_a_click_and_comes_back() -> None:
    playback = Playback()
    tone = np.sin(2 * np.pi * 200 * np.arange(48_000) / 24_000) * 0.5
    playback.play(1, (tone * 32767).astype("<i2").tobytes())
    playback.end_turn(1)
    blocks = []
    for at in range(60):
        if at in (20, 40):
            playback.duck(at == 20)
        blocks.append(playback.render(480, at * 0.02))
    sound = np.concatenate(blocks)
    peaks = [float(np.abs(block).max()) for block in blocks]
    assert peaks[30] / peaks[19] == pytest.approx(10 ** (-15 / 20), rel=0.01)
    assert peaks[59] == pytest.approx(peaks[19], rel=0.01)
    steepest = float(np.abs(np.diff(sound)).max())
    assert steepest < 1.1 * 0.5 * 2 * np.pi * 200 / 24_000
