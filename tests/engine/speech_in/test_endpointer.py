"""Endpointing on probabilities alone: windows of 32 ms, no sound, no time."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.speech_in.endpointer import (
    EARLY_PAUSE_MS,
    Endpointer,
    EndpointingRules,
    PauseLasts,
    SpeechCut,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

WINDOW, RATE = 512, 16_000
MS = RATE // 1000


def windows(ms):
    return round(ms / 32)


def run(rules, *stretches):
    """``stretches``: (probability, milliseconds). Returns the endpointer and its events."""
    endpointer = Endpointer(rules, WINDOW, RATE)
    events = []
    for probability, ms in stretches:
        for _ in range(windows(ms)):
            events += endpointer.push(probability, probability)
    return endpointer, events


def kinds(events):
    return [type(event).__name__.removeprefix("Speech") for event in events]


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([(0.9, 1000), (0.0, 600)], ["Started", "Paused", "Ended"]),
        ([(0.9, 1000), (0.0, 300), (0.9, 300)], ["Started", "Paused", "Resumed"]),
        ([(0.9, 1000), (0.0, 160), (0.9, 300)], ["Started"]),
        ([(0.9, 64), (0.0, 600)], []),
        ([(0.4, 2000)], []),
        # between the thresholds nothing changes its mind: neither ends speech nor resumes it
        ([(0.9, 500), (0.4, 2000)], ["Started"]),
        ([(0.9, 500), (0.1, 64), (0.4, 600)], ["Started", "Paused", "Ended"]),
        ([(0.9, 64), (0.4, 64), (0.9, 64), (0.0, 700)], ["Started", "Ended"]),
    ],
)
def test_events_of(stretches, expected):
    assert kinds(run(EndpointingRules(), *stretches)[1]) == expected


@pytest.mark.parametrize(
    ("rules", "started"),
    [
        (EndpointingRules(start_threshold=0.5), True),
        (EndpointingRules(start_threshold=0.7), False),
    ],
)
def test_start_sensitivity(rules, started):
    assert bool(run(rules, (0.6, 500))[1]) is started


@pytest.mark.parametrize(("end_threshold", "ended"), [(0.35, True), (0.15, False)])
def test_end_sensitivity(end_threshold, ended):
    _, events = run(EndpointingRules(end_threshold=end_threshold), (0.9, 500), (0.25, 1000))
    assert ("Ended" in kinds(events)) is ended


@pytest.mark.parametrize("padding_ms", [0, 20, 96, 300, 1000])
def test_prefix_padding_is_the_speech_needed_to_start(padding_ms):
    rules = EndpointingRules(prefix_padding_ms=padding_ms)
    endpointer = Endpointer(rules, WINDOW, RATE)
    needed = next(count for count in itertools.count(1) if endpointer.push(0.9, 1.0) or count > 100)
    assert (needed - 1) * 32 < max(padding_ms, 1) <= needed * 32


@pytest.mark.parametrize("silence_ms", [100, 500, 800, 2000])
def test_silence_duration_is_the_silence_needed_to_end(silence_ms):
    endpointer, _ = run(EndpointingRules(silence_ms=silence_ms), (0.9, 640))
    needed = next(
        count
        for count in itertools.count(1)
        if any(isinstance(event, SpeechEnded) for event in endpointer.push(0.0, 0.0))
    )
    assert (needed - 1) * 32 < silence_ms <= needed * 32


def test_a_segment_looks_back_and_has_a_tail():
    _, events = run(EndpointingRules(), (0.0, 3200), (0.9, 960), (0.0, 960))
    ended = events[-1]
    assert ended.start == (3200 - 300) * MS
    assert ended.end == (3200 + 960 + 200) * MS


@pytest.mark.parametrize("pause_ms", [64, 96, 200, 400])
@pytest.mark.parametrize("between_ms", [0, 32, 96, 320])
def test_the_pause_has_the_bounds_of_the_end(pause_ms, between_ms):
    rules = EndpointingRules(pause_ms=pause_ms)
    _, events = run(rules, (0.0, 640), (0.9, 960), (0.4, between_ms), (0.0, 960))
    paused, ended = events[1:]
    assert isinstance(paused, SpeechPaused)
    assert (paused.start, paused.end) == (ended.start, ended.end)
    assert ended.end == (640 + 960 + pause_ms) * MS


@pytest.mark.parametrize(("pause_ms", "needed"), [(EARLY_PAUSE_MS, 2), (96, 3), (200, 7)])
def test_a_pause_is_told_after_its_silence(pause_ms, needed):
    endpointer, _ = run(EndpointingRules(pause_ms=pause_ms), (0.9, 640))
    told = next(
        count
        for count in itertools.count(1)
        if any(isinstance(event, SpeechPaused) for event in endpointer.push(0.0, 0.0))
    )
    assert told == needed


def test_segments_do_not_overlap():
    rules = EndpointingRules(silence_ms=100)
    _, events = run(rules, (0.9, 640), (0.0, 128), (0.9, 640), (0.0, 640))
    first, second = (event for event in events if isinstance(event, SpeechEnded))
    assert second.start >= first.end


@pytest.mark.parametrize(("speech_ms", "worth"), [(128, False), (192, False), (224, True)])
def test_200_ms_of_real_speech_are_worth_transcribing(speech_ms, worth):
    _, events = run(EndpointingRules(), (0.9, speech_ms), (0.0, 960))
    assert events[-1].worth_transcribing is worth
    assert ("Paused" in kinds(events)) is worth


def test_long_speech_is_cut_at_its_quietest_point():
    endpointer = Endpointer(EndpointingRules(), WINDOW, RATE)
    events = []
    for index in range(windows(20_000)):
        quiet = 10_000 <= index * 32 < 10_300
        events += endpointer.push(0.9, 0.1 if quiet else 1.0)
    [started, cut] = events
    assert isinstance(started, SpeechStarted)
    assert isinstance(cut, SpeechCut)
    assert 10_000 * MS <= cut.end <= 10_300 * MS
    [ended] = endpointer.flush()
    assert ended.start == cut.end


def test_flush_ends_what_is_open_and_starts_anew():
    endpointer, _ = run(EndpointingRules(), (0.0, 320), (0.9, 640))
    [ended] = endpointer.flush()
    assert ended.end == endpointer.position
    assert endpointer.flush() == []
    assert endpointer.keep_from == endpointer.position


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), max_size=60),
    st.builds(
        EndpointingRules,
        start_threshold=st.sampled_from([0.5, 0.7]),
        end_threshold=st.sampled_from([0.35, 0.15]),
        prefix_padding_ms=st.integers(0, 400),
        silence_ms=st.integers(0, 1500),
    ),
)
def test_whatever_comes_the_events_make_sense(stretches, rules):
    endpointer = Endpointer(rules, WINDOW, RATE)
    is_open = paused = False
    last_end = 0
    for probability, count in stretches:
        for _ in range(count):
            kept = endpointer.keep_from
            for event in endpointer.push(probability, probability):
                match event:
                    case SpeechStarted():
                        assert not is_open
                        is_open, paused = True, False
                    case SpeechPaused():
                        assert is_open
                        assert not paused
                        paused = True
                    case SpeechResumed():
                        assert paused
                        paused = False
                    case SpeechCut(start, end) | SpeechEnded(start, end):
                        assert is_open
                        assert last_end <= start < end <= endpointer.position
                        assert start >= kept, "the buffer was told to forget this"
                        assert end - start <= 15_064 * MS
                        last_end = end
                        is_open = isinstance(event, SpeechCut)
                        paused = False
            assert endpointer.is_open is is_open


# --- a pause that somebody judges ----------------------------------------------------------------


def paused(rules=None):
    endpointer, events = run(rules or EndpointingRules(), (0.9, 1000), (0.0, 224))
    assert isinstance(events[-1], SpeechPaused)
    return endpointer, events[-1]


def silence_until_end(endpointer):
    """Milliseconds of silence after the pause was told; None: no end within five seconds."""
    for window in range(1, windows(5000)):
        if any(isinstance(event, SpeechEnded) for event in endpointer.push(0.0, 0.0)):
            return window * 32
    return None


@pytest.mark.parametrize(("silence_ms", "more"), [(0, 32), (200, 32), (800, 576), (2000, 1792)])
def test_a_judged_pause_ends_after_its_own_silence(silence_ms, more):
    endpointer, pause = paused()
    endpointer.wait(pause.end, silence_ms)
    assert silence_until_end(endpointer) == more


def test_a_judgement_holds_for_its_pause_alone():
    endpointer, pause = paused()
    for _ in range(windows(640)):
        endpointer.push(0.9, 0.9)
    endpointer.wait(pause.end, 0)
    assert silence_until_end(endpointer) == 512
    endpointer, pause = paused()
    endpointer.wait(pause.end + 512, 2000)
    assert silence_until_end(endpointer) == 288


def test_a_pause_that_lasts_is_told_again_and_again_with_its_bounds():
    endpointer, pause = paused(EndpointingRules(silence_ms=1500, retells_pauses=True))
    lasting = [event for _ in range(windows(1200)) for event in endpointer.push(0.0, 0.0)]
    assert [type(event) for event in lasting] == [PauseLasts] * 4
    assert {(event.start, event.end) for event in lasting} == {(pause.start, pause.end)}
    steps = [later.sample - one.sample for one, later in itertools.pairwise(lasting)]
    assert all(abs(step - 300 * MS) <= WINDOW for step in steps)
