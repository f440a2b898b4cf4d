"""How long a person waited: from the end of what a turn answers to its first sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.protocol.events import (
    AudioChunk,
    Interrupted,
    OutputTranscript,
    Reconnecting,
    SessionClosed,
    TextChunk,
    TurnComplete,
)
from live_cli.ui.session_stats import SessionStats
from live_cli.ui.waiting_times import WaitingTimes

SOUND = b"\0\0"


def audio(turn: int) -> AudioChunk:
    return AudioChunk(turn, SOUND, 24_000)


def speak(stats: SessionStats, begin: float, end: float, *, over: bool = False) -> None:
    """Speech that grows frame by frame, as a microphone tells it."""
    at = begin + 0.04
    while at < end:
        stats.waits.spoke(begin, at, over_answer=over)
        at += 0.02
    stats.waits.spoke(begin, end, over_answer=over)


@pytest.fixture
def stats() -> SessionStats:
    return SessionStats(0.0, plays=True)


def median_of(stats: SessionStats) -> float | None:
    return stats.summary(100.0).median_latency_ms


def test_a_person_waits_until_the_answer_sounds_and_not_until_it_arrives(stats):
    speak(stats, 1.0, 3.0)
    arrival = stats.event(OutputTranscript(1, "Hi"), 3.5) | stats.event(audio(1), 3.6)
    assert arrival["first_text_ms"] == pytest.approx(500)
    assert arrival["first_audio_ms"] == pytest.approx(600)
    assert "latency_ms" not in arrival
    assert median_of(stats) is None
    assert stats.sounded({1: 3.9}) == {"latency_turn": 1, "latency_ms": pytest.approx(900)}
    assert stats.sounded({1: 3.9}) == {}
    assert median_of(stats) == pytest.approx(900)


def test_waiting_begins_at_the_last_sound_that_the_turn_answers(stats):
    speak(stats, 1.0, 2.0)
    speak(stats, 2.6, 3.0)  # a pause within the question
    stats.waits.spoke(3.3, 3.38)  # a knock asks for nothing
    stats.event(audio(1), 3.6)
    assert stats.sounded({1: 3.7})["latency_ms"] == pytest.approx(700)


def test_what_nobody_asked_for_has_no_wait(stats):
    speak(stats, 1.0, 3.0)
    stats.event(audio(1), 3.5)
    stats.sounded({1: 3.6})
    stats.event(TurnComplete(1), 5.0)
    # a second answer to the same question, such as a function's result
    assert stats.event(audio(2), 8.0) == {}
    assert stats.sounded({1: 3.6, 2: 8.1}) == {}
    assert median_of(stats) == pytest.approx(600)


def test_a_turn_that_is_cut_counts_for_nothing(stats):
    for turn, wait in ((1, 0.6), (2, 9.0), (3, 0.8)):
        begin = 20.0 * turn
        speak(stats, begin, begin + 1)
        stats.event(audio(turn), begin + 1.1)
        stats.sounded({turn: begin + 1 + wait})
        if turn == 2:
            stats.event(Interrupted(2), begin + 14)
    assert median_of(stats) == pytest.approx(700)


def test_neither_does_one_that_broke_off_with_its_connection(stats):
    speak(stats, 1.0, 2.0)
    stats.event(audio(1), 2.5)
    stats.sounded({1: 2.6})
    stats.event(Reconnecting(SessionClosed(1006, "", turn_lost=True)), 3.0)
    assert median_of(stats) is None


@pytest.mark.parametrize("begin", [3.3, 3.45, 3.55])
def test_neither_does_one_that_the_user_spoke_over(stats, begin):
    """Who goes on, after the server took the question for ended, is not answered by this turn."""
    speak(stats, 1.0, 3.0)
    speak(stats, 3.2, 3.25)
    stats.event(audio(1), 3.4)
    speak(stats, begin, begin + 0.6)
    stats.sounded({1: 3.8})
    assert median_of(stats) is None


def test_speech_over_an_answer_that_plays_is_told_from_its_echo(stats):
    for over, expected in ((False, 600), (True, None)):
        own = SessionStats(0.0, plays=True)
        speak(own, 1.0, 3.0)
        own.event(audio(1), 3.4)
        own.sounded({1: 3.6})
        speak(own, 3.55, 5.0, over=over)  # the answer's own echo, where it can be one
        assert median_of(own) == (None if expected is None else pytest.approx(expected))
    speak(stats, 1.0, 3.0)
    stats.event(audio(1), 3.4)
    stats.sounded({1: 3.6})
    stats.waits.spoken_over()  # what the echo canceller tells
    assert median_of(stats) is None


def test_a_line_is_waited_for_from_its_sending(stats):
    speak(stats, 1.0, 2.0)
    stats.waits.asked(4.0)
    stats.event(audio(1), 4.5)
    assert stats.sounded({1: 4.6})["latency_ms"] == pytest.approx(600)


def test_a_written_answer_is_there_when_it_arrives():
    for plays in (True, False):
        stats = SessionStats(0.0, plays=plays)
        stats.waits.asked(1.0)
        changes = stats.event(TextChunk(1, "Four."), 1.4)
        assert changes["latency_ms"] == changes["first_text_ms"] == pytest.approx(400)
        assert median_of(stats) == pytest.approx(400)


@given(
    st.lists(
        st.tuples(st.floats(0.2, 5), st.floats(0.05, 3), st.floats(0, 1), st.booleans()),
        max_size=8,
    )
)
def test_the_median_is_that_of_undisturbed_turns(turns):
    waits, now, heard = WaitingTimes(), 0.0, []
    for turn, (speech, thought, delay, cut) in enumerate(turns, 1):
        waits.spoke(now, now + speech)
        asked, now = now + speech, now + speech + thought
        waits.arrived(turn, now)
        waits.sounded(turn, now + delay)
        if cut:
            waits.cut(turn)
        else:
            heard.append((now + delay - asked) * 1000)
        now += delay + 1
    heard.sort()
    middle = heard[(len(heard) - 1) // 2 : len(heard) // 2 + 1]
    told = waits.median_ms()
    assert told == (pytest.approx(sum(middle) / len(middle), abs=1e-3) if heard else None)
