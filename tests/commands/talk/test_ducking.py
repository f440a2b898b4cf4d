"""Ducking: when the model's voice is turned down, and for how long."""

from live_cli.commands.talk.ducking import Ducking


def test_it_is_given_back_when_the_server_hears_nobody() -> None:
    ducking = Ducking()
    low = []
    for tick in range(60):
        ducking.note(near_speech=10 <= tick < 50, now=tick * 0.05)
        low.append(ducking.low)
    assert low == [10 <= tick < 30 for tick in range(60)]


def test_it_ends_with_the_interruption_and_comes_again_with_the_next_voice() -> None:
    ducking = Ducking()
    ducking.note(near_speech=True, now=0.0)
    assert ducking.low
    ducking.interrupted()
    ducking.note(near_speech=True, now=0.1)
    assert not ducking.low
    ducking.note(near_speech=False, now=1.2)
    ducking.note(near_speech=True, now=1.3)
    assert ducking.low


def test_a_pause_within_a_sentence_does_not_make_it_come_again() -> None:
    ducking = Ducking()
    low = []
    for tick in range(100):
        ducking.note(near_speech=tick % 15 < 10, now=tick * 0.05)
        low.append(ducking.low)
    assert low == [tick < 20 for tick in range(100)]
