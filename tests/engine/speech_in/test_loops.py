"""What a transcriber says over and over is said twice at most; what people repeat is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.speech_in.loops import without_loops


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("I'm scared. I'm scared. I'm scared. I'm scared.", "I'm scared. I'm scared."),
        ("We make a way to make a way to make a way to make a way to make",
         "We make a way to make a way to"),
        ("It is the team of the team of the team of the team of the te",
         "It is the team of the team of the te"),
        ("you " * 40, "you you"),
        ("you, You. YOU you you you", "you, You."),
        ("number is i-i-i-i-i-i-i-i-i-i-i", "number is i-i"),
        ("The first one is the first one. " * 3, "The first one is the first one. " * 2),
        ("A b c. " * 9 + "Then it went on.", "A b c. A b c. Then it went on."),
        ("谢谢 " * 30, "谢谢 谢谢"),
        ("one two three " * 30, "one two three one two three"),
    ],
)  # fmt: skip
def test_a_loop_is_said_twice(text, left):
    assert without_loops(text) == left.strip()


@pytest.mark.parametrize(
    "text",
    [
        "", "Yes.", "No, no, no, no!", "It was very very very good.", "That that is, is.",
        "My number is five five five, one two three four.", "1 1 1 1 1 1 1 1",
        "It was the age of wisdom, it was the age of foolishness, it was the epoch of belief.",
        "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.",
        "Row, row, row your boat.  Two spaces stay.",
    ],
)  # fmt: skip
def test_what_people_say_is_left_as_it_is(text):
    assert without_loops(text) == text


@given(st.lists(st.sampled_from("abcde"), max_size=40))
def test_no_phrase_is_left_in_a_row_for_long(letters):
    words = [f"w{letter}" for letter in letters]
    for _ in range(3):  # what is left of one loop may stand beside another
        words = without_loops(" ".join(words)).split()
    for size in range(2, 5):
        for at in range(len(words) - 3 * size + 1):
            phrase = words[at : at + size]
            if len(set(phrase)) > 1:
                assert words[at : at + 3 * size] != phrase * 3


@given(st.text(max_size=200))
def test_nothing_is_made_up(text):
    assert len(without_loops(text)) <= len(text)


def test_a_long_text_takes_no_long_time():
    assert (
        without_loops("a b c d e f g h " * 5_000).split()
        == ["a", "b", "c", "d", "e", "f", "g", "h"] * 2
    )
