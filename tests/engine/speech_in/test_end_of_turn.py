"""The silence that ends a turn, by what is heard and what is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.speech_in.end_of_turn import LONGEST_MS, UNJUDGED_MS, silence_for

SURE, UNSURE, UNFINISHED = 0.98, 0.6, 0.1


@pytest.mark.parametrize(
    "text",
    [
        "How many legs does a dog have?",
        "Set a timer for ten minutes.",
        "Which one is it for?",
        "When does the train leave?",
        "If I may ask, where are you?",
        "Wie spät ist es?",
        "In 12 days.",
        "Twenty.",
        "I know that.",
    ],
)
def test_what_is_whole_by_sound_and_words_ends_at_the_pause(text):
    assert silence_for(SURE, text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "I would like a pizza with.",
        "Please write to Peter and",
        "What I wanted to ask is, um,",
        "It was the age of foolishness,",
        "My number is five five five.",
        "The code is 73-92.",
        "Zero, one, seven, six.",
        "0176.",
        "If it rains tomorrow.",
        "When I came home yesterday.",
        "Ich hätte gern eine.",
        "Ich komme nicht, weil",
        "Quiero una pizza con mucho queso y",
    ],
)
def test_unfinished_words_are_waited_for_however_finished_they_sound(text):
    assert 1200 <= silence_for(SURE, text) < LONGEST_MS
    assert silence_for(UNFINISHED, text) == LONGEST_MS


@pytest.mark.parametrize("text", ["Yes.", "No,", "Tuesday,", "In London,", "Not really.", "Two."])
@pytest.mark.parametrize("probability", [0.0, UNFINISHED, UNSURE, SURE])
def test_a_short_answer_is_never_waited_on_for_long(text, probability):
    assert silence_for(probability, text) <= 600


def test_who_went_on_right_after_an_end_is_not_cut_at_the_pause_again():
    for text in ("Ever tried.", "It was the season of light.", "Yes."):
        assert silence_for(SURE, text, went_on=True) == UNJUDGED_MS


def test_nothing_understood_is_left_to_silence():
    assert silence_for(SURE, "") == silence_for(UNFINISHED, " ... ") == UNJUDGED_MS


@given(st.floats(0, 1), st.floats(0, 1), st.text(max_size=60), st.booleans())
def test_the_surer_the_sooner_and_never_past_the_longest(one, other, text, went_on):
    low, high = sorted((one, other))
    waits = [silence_for(each, text, went_on=went_on) for each in (low, high)]
    assert LONGEST_MS >= waits[0] >= waits[1] >= 0
