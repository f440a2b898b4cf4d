"""The jitter buffer: what comes out, for any order of what goes in; and the arrival patterns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_cli.audio.pcm import Samples
from live_cli.audio.playback.playout import Playout, PlayoutState
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

MS = OUTPUT_SAMPLE_RATE // 1000


def ones(ms: float) -> Samples:
    return np.ones(round(ms * MS), dtype=np.float32)


def ramp(start: int, samples: int) -> Samples:
    """Each sample says which one it is: 1, 2, 3, … (exact in float32)."""
    return np.arange(start + 1, start + samples + 1, dtype=np.float32)


def sounding_ms(block: Samples) -> float:
    return np.count_nonzero(block) / MS


def voiced(seconds: float, pitch: float = 140.0) -> Samples:
    """A vowel-like sound: harmonics falling by 12 dB an octave, nothing above 3.5 kHz."""
    t = np.arange(round(seconds * OUTPUT_SAMPLE_RATE)) / OUTPUT_SAMPLE_RATE
    harmonics = range(1, int(3500 / pitch))
    wave = sum(np.sin(2 * np.pi * pitch * k * t + k) / k**2 for k in harmonics)
    return (0.3 * wave).astype(np.float32)


# --- starting ------------------------------------------------------------------------------


def test_starts_when_the_target_is_in_store() -> None:
    playout = Playout()
    playout.push(1, ones(119))
    assert playout.state is PlayoutState.BUFFERING
    assert not playout.pull(20 * MS).any()
    playout.push(1, ones(1))
    assert playout.pull(20 * MS).all()
    assert playout.state is PlayoutState.PLAYING
    assert playout.stats.start_delay_ms == 20


def test_reply_shorter_than_the_target_plays_once_it_has_ended() -> None:
    playout = Playout()
    playout.push(1, ones(30))
    assert not playout.pull(10 * MS).any()
    playout.end_turn(1)
    assert playout.state is PlayoutState.BUFFERING
    block = playout.pull(50 * MS)
    assert sounding_ms(block) == 30
    assert block[: 30 * MS].min() == 1.0  # all of it, and no fade
    playout.pull(1)
    assert playout.state is PlayoutState.IDLE
    assert playout.stats.underruns == 0


def test_waits_no_longer_than_400_ms_after_the_first_chunk() -> None:
    playout = Playout()
    playout.push(1, ones(50))
    waited = 0
    while not playout.pull(10 * MS).any():
        waited += 10
        assert waited <= 400
    assert waited == 400


def test_turns_play_in_order_without_a_gap() -> None:
    playout = Playout()
    playout.push(1, ones(100))
    playout.push(2, 2 * ones(100))  # a later turn ends the earlier one
    playout.end_turn(2)
    block = playout.pull(200 * MS)
    assert block.tolist() == [1.0] * 100 * MS + [2.0] * 100 * MS
    assert [(span.turn, span.offset, span.length) for span in playout.spans] == [
        (1, 0, 100 * MS),
        (2, 100 * MS, 100 * MS),
    ]
    assert playout.heard_ms(1) == playout.heard_ms(2) == 100


# --- running dry ---------------------------------------------------------------------------


def test_underrun_ends_in_a_fade_and_resumes_with_one() -> None:
    playout = Playout()
    playout.push(1, ones(200))
    block = playout.pull(300 * MS)
    assert block[: 195 * MS].min() == 1.0
    fade = block[195 * MS : 200 * MS]
    assert (np.diff(fade) < 0).all()
    assert 0 < fade[-1] < 0.001
    assert not block[200 * MS :].any()
    assert playout.state is PlayoutState.DRY

    playout.push(1, ones(400))
    assert playout.state is PlayoutState.BUFFERING
    resumed = playout.pull(20 * MS)
    assert (np.diff(resumed[: 5 * MS]) > 0).all()
    assert resumed[5 * MS :].min() == 1.0
    stats = playout.stats
    assert (stats.underruns, stats.dry_ms) == (1, 100)
    assert stats.target_ms == 120 + 100 + 40
    playout.end_turn(1)
    playout.pull(500 * MS)
    assert playout.stats.target_ms == 260  # a turn that ran dry lowers nothing


def test_end_that_comes_after_the_sound_ran_out_is_no_underrun() -> None:
    playout = Playout()
    playout.push(1, ones(200))
    playout.pull(600 * MS)
    playout.end_turn(1)
    playout.pull(20 * MS)
    assert playout.state is PlayoutState.IDLE
    assert (playout.stats.underruns, playout.stats.dry_ms) == (0, 0)
    assert playout.stats.target_ms == 120


def test_target_stays_within_its_bounds() -> None:
    playout = Playout()
    for turn in range(1, 8):  # each 1 s late in mid-turn
        playout.push(turn, ones(700))
        playout.pull(1700 * MS)
        playout.push(turn, ones(700))
        playout.end_turn(turn)
        playout.pull(800 * MS)
    assert playout.stats.target_ms == 600
    for turn in range(8, 80):  # a second in store at all times
        playout.push(turn, ones(2000))
        playout.pull(1000 * MS)
        playout.end_turn(turn)
        playout.pull(1100 * MS)
    assert playout.stats.target_ms == 60


# --- flush ---------------------------------------------------------------------------------


def test_flush_fades_in_the_next_pull_and_refuses_what_comes_late() -> None:
    playout = Playout()
    playout.push(1, ones(1000))
    playout.pull(100 * MS)
    playout.flush(1)
    block = playout.pull(20 * MS)
    assert (np.diff(block[: 10 * MS]) < 0).all()
    assert not block[10 * MS :].any()
    assert playout.heard_ms(1) == 110
    assert playout.state is PlayoutState.IDLE
    assert not playout.push(1, ones(100))
    assert playout.stats.refused_chunks == 1
    assert not playout.pull(500 * MS).any()
    assert playout.push(2, ones(200))
    assert playout.pull(20 * MS).all()


def test_flush_before_the_start_is_silent() -> None:
    playout = Playout()
    playout.push(1, ones(100))
    playout.flush(1)
    assert not playout.pull(20 * MS).any()
    assert playout.heard_ms(1) == 0


def test_flush_takes_earlier_turns_along_and_leaves_later_ones() -> None:
    playout = Playout()
    for turn in (1, 2, 3):
        playout.push(turn, turn * ones(500))
    playout.pull(20 * MS)
    playout.flush(2)
    block = playout.pull(30 * MS)
    assert block[: 10 * MS].max() < 1.0
    assert set(block[10 * MS :]) == {3.0}


def test_flush_of_a_turn_never_seen_refuses_its_chunks() -> None:
    playout = Playout()
    playout.flush(3)
    assert not playout.push(3, ones(10))
    assert playout.push(4, ones(10))


@pytest.mark.parametrize("cut_at_ms", [137, 151.3, 164.7, 180])
def test_flush_makes_no_click(cut_at_ms: float) -> None:
    """Energy above 4 kHz around the cut, below the signal's: 60 dB at least; a hard cut has 34."""
    sound = voiced(1.0)
    playout = Playout()
    playout.push(1, sound)
    before = playout.pull(round(cut_at_ms * MS))
    playout.flush(1)
    played = np.concatenate((before, playout.pull(100 * MS)))
    hard = np.concatenate((before, np.zeros(100 * MS, dtype=np.float32)))
    assert click_db(played, before.size) <= -60
    assert click_db(hard, before.size) > -50


def click_db(played: Samples, cut: int) -> float:
    window = played[cut - 60 * MS : cut + 60 * MS]
    spectrum = np.abs(np.fft.rfft(window * np.hanning(window.size))) ** 2
    frequencies = np.fft.rfftfreq(window.size, 1 / OUTPUT_SAMPLE_RATE)
    return float(10 * np.log10(spectrum[frequencies > 4000].sum() / spectrum.sum()))


# --- bounds --------------------------------------------------------------------------------


def test_holds_six_minutes_and_cuts_the_turn_that_overfills_it() -> None:
    playout = Playout()
    minute = ones(60_000)
    for _ in range(6):
        assert playout.push(1, minute)
    assert playout.buffered_ms == 360_000
    playout.push(1, ones(1500))
    assert not playout.push(1, ones(1000))
    assert playout.buffered_ms == 360_000
    assert playout.stats.overflow_ms == 1500
    assert playout.stats.refused_chunks == 1


# --- properties ----------------------------------------------------------------------------

acts = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(1, 6000)),
        st.tuples(st.just("pull"), st.integers(1, 3000)),
        st.tuples(st.just("end"), st.just(0)),
        st.tuples(st.just("flush"), st.just(0)),
        st.tuples(st.just("next"), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(acts)
def test_never_invents_repeats_or_reorders_a_sample(acts: list[tuple[str, int]]) -> None:
    """Sound out is each turn's sound in, from its start and without a hole; only fades touch it."""
    playout = Playout()
    turn, pushed, heard, faded = 1, {1: 0}, dict[int, int](), 0
    flushes = ends = 0

    def check_pull(samples: int) -> None:
        nonlocal faded
        block = playout.pull(samples)
        assert block.size == samples
        covered = np.zeros(samples, dtype=bool)
        for span in playout.spans:
            assert span.position == heard.get(span.turn, 0)  # contiguous, nothing twice
            assert span.turn == max(heard | {span.turn: 0})  # in order
            heard[span.turn] = span.position + span.length
            assert heard[span.turn] <= pushed[span.turn]
            piece = block[span.offset : span.offset + span.length]
            expected = ramp(span.position, span.length)
            assert (piece <= expected).all()
            assert (piece > 0).all()
            faded += int(np.count_nonzero(piece != expected))
            covered[span.offset : span.offset + span.length] = True
        assert not block[~covered].any()

    for act, size in acts:
        if act == "push" and playout.push(turn, ramp(pushed[turn], size)):
            pushed[turn] += size
        elif act == "pull":
            check_pull(size)
        elif act == "end":
            playout.end_turn(turn)
            ends += 1
        elif act == "flush":
            playout.flush(turn)
            flushes += 1
        elif act == "next":
            turn += 1
            pushed[turn] = 0
    playout.end_turn(turn)
    while playout.buffered_ms:
        check_pull(2400)
    check_pull(2400)
    assert playout.state is PlayoutState.IDLE
    assert all(playout.heard_ms(t) == n / MS for t, n in heard.items())
    if not flushes:
        assert {t: n for t, n in pushed.items() if n} == heard
    # 5 ms out and 5 in each time it ran dry (out only before an end that came late), 10 a flush
    dried = playout.stats.underruns + ends + turn
    assert faded <= (10 * dried + 10 * flushes) * MS


# --- arrival patterns ----------------------------------------------------------------------


def play_trace(playout: Playout, turns: list[list[tuple[float, float]]]) -> list[float]:
    """Play turns of (arrival ms, sound ms), pulling 10 ms blocks; the start delays in ms."""
    delays = []
    for number, chunks in enumerate(turns, start=1):
        pending, now = list(chunks), 0.0
        while pending or playout.state is not PlayoutState.IDLE:
            while pending and pending[0][0] <= now:
                playout.push(number, ones(pending.pop(0)[1]))
            if not pending:
                playout.end_turn(number)
            playout.pull(10 * MS)
            now += 10
        delays.append(playout.stats.start_delay_ms)
    return delays


def arrivals(rtf: float, sound_ms: float, stalls: dict[int, float]) -> list[tuple[float, float]]:
    """Chunks of 80 ms made at ``rtf``; a stall before chunk k takes ``stalls[k]`` ms."""
    at, chunks = 0.0, []
    for k in range(int(sound_ms / 80)):
        at += 80 * rtf + stalls.get(k, 0.0)
        chunks.append((at, 80.0))
    return chunks


def test_fast_clean_connection_learns_to_start_early() -> None:
    playout = Playout()
    delays = play_trace(playout, [arrivals(0.3, 4000, {}) for _ in range(40)])
    assert playout.stats.underruns == 0
    assert delays[0] <= 40
    assert delays[-1] <= delays[0]
    assert playout.stats.target_ms < 120


def test_real_time_pace_with_stalls_learns_to_hold_more() -> None:
    """As a server that paces itself: no faster than speech, with a 300 ms stall in each turn."""
    turns = [arrivals(1.0, 6000, {10 + k % 30: 300.0}) for k in range(30)]
    playout = Playout()
    delays = play_trace(playout, turns)
    first = Playout()
    play_trace(first, turns[:1])
    assert first.stats.underruns >= 1
    assert playout.stats.underruns <= 0.25 * len(turns)
    assert 200 <= np.mean(delays[5:]) <= 420  # max_wait bounds it
    assert playout.stats.dry_ms < 0.1 * 300 * len(turns) + 600


def test_slow_synthesis_runs_dry_less_often_than_a_fixed_cushion() -> None:
    rng = np.random.default_rng(7)
    turns = [
        arrivals(0.85, 5000, {int(rng.integers(3, 40)): float(rng.integers(100, 400))})
        for _ in range(60)
    ]
    adaptive = Playout()
    play_trace(adaptive, turns)
    fixed_underruns, fixed_dry_ms = 0, 0.0
    for turn in turns:  # a fresh one for each turn keeps the 120 ms it starts with
        fresh = Playout()
        play_trace(fresh, [turn])
        fixed_underruns += fresh.stats.underruns
        fixed_dry_ms += fresh.stats.dry_ms
    assert adaptive.stats.underruns <= 0.7 * fixed_underruns
    assert adaptive.stats.dry_ms <= 0.8 * fixed_dry_ms
