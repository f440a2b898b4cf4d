"""Captions: two lines of 42 characters, broken at phrases, and slow enough to read."""

import itertools
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.ui.subtitles.captions import LATEST_S, CaptionMaker, Subtitle, TimedWord
from live_cli.ui.subtitles.line_breaks import CaptionLimits, broken

LIMITS = CaptionLimits()
MS = 0.001

words = st.lists(st.text("abcdefgh'.,日本。\u0301", min_size=1, max_size=60), max_size=80)


def captions(*subtitles: Subtitle, limits: CaptionLimits = LIMITS) -> list[Subtitle]:
    maker = CaptionMaker(limits)
    return [caption for subtitle in subtitles for caption in maker.captions(subtitle)]


@given(words, st.integers(8, 60), st.integers(1, 4))
def test_no_word_is_lost_and_no_caption_is_too_large(
    spoken: list[str], length: int, lines: int
) -> None:
    text = " ".join(spoken)
    found = broken(text, CaptionLimits(length, lines))
    assert "".join("".join(caption) for caption in found).replace(" ", "") == "".join(text.split())
    assert all(len(line) <= length for caption in found for line in caption)
    assert all(0 < len(caption) <= lines for caption in found)


@pytest.mark.parametrize(
    "lines",
    [
        ["We all went straight to heaven.", "We all went straight the other way."],
        ["If you see her before the weekend,", "tell her that the letters have come."],
        ["I have always thought of the sea", "and of the people who live by it."],
        ["The man who had sold him the house", "came back for the keys of the barn."],
    ],
)
def test_lines_end_where_phrases_do(lines: list[str]) -> None:
    assert broken(" ".join(lines), LIMITS) == [lines]


@pytest.mark.parametrize("word", ["a", "the", "of", "and", "my", "is", "to", "very"])
def test_no_line_ends_with_a_word_that_binds(word: str) -> None:
    text = f"They said it was never {word} question whether anybody still wanted another answer."
    lines = [line for caption in broken(text, LIMITS) for line in caption]
    assert not any(line.endswith(f" {word}") for line in lines[:-1])


def test_text_that_fits_is_one_caption_and_one_line() -> None:
    assert broken("How many legs does a dog have?", LIMITS) == [["How many legs does a dog have?"]]
    assert len(broken("word " * 16, LIMITS)) == 1


def test_a_script_without_spaces_is_broken_and_never_before_a_closing_mark() -> None:
    text = (
        "私はその人を常に先生と呼んでいた。だからここでもただ先生と書くだけで本名は打ち明けない。"
        * 3
    )
    found = broken(text, CaptionLimits(16, 2))
    lines = [line for caption in found for line in caption]
    assert "".join(lines) == text
    assert all(line[0] not in "。、" for line in lines)
    assert max(map(len, lines)) <= 16


def test_a_mark_stays_with_its_letter() -> None:
    text = "e\u0301" * 60
    lines = [line for caption in broken(text, LIMITS) for line in caption]
    assert not any(unicodedata.combining(line[0]) for line in lines)


def test_a_long_text_costs_as_much_as_its_length() -> None:
    def cost(count: int) -> float:
        began = time.process_time()
        broken("word and the other " * count, LIMITS)
        return time.process_time() - began

    cost(10)
    assert min(cost(800) for _ in range(3)) < 12 * min(cost(200) for _ in range(3))


pace = st.floats(0.1, 60.0)


@given(st.lists(st.tuples(st.integers(1, 200), pace, st.floats(0, 3)), min_size=1, max_size=12))
def test_captions_are_in_order_and_at_most_three_seconds_late(
    spoken: list[tuple[int, float, float]],
) -> None:
    subtitles, at_s = [], 0.0
    for characters, per_s, pause_s in spoken:
        text = ("many words " * 20)[:characters].strip() or "a"
        subtitles.append(Subtitle(text, at_s, at_s + len(text) / per_s))
        at_s = subtitles[-1].end_s + pause_s
    found = captions(*subtitles)
    assert all(one.end_s <= other.start_s for one, other in itertools.pairwise(found))
    assert all(caption.start_s <= caption.end_s for caption in found)
    ends = {subtitle.end_s for subtitle in subtitles}
    assert found[-1].end_s <= max(ends) + LATEST_S + MS


@given(st.lists(st.tuples(st.integers(1, 200), st.floats(0, 3)), min_size=1, max_size=12))
def test_no_caption_is_faster_than_it_can_be_read(spoken: list[tuple[int, float]]) -> None:
    """Speech of 25 characters a second, with a pause behind each sentence that makes up for it."""
    subtitles, at_s = [], 0.0
    for characters, more_s in spoken:
        text = ("many words " * 20)[:characters].strip() or "a"
        subtitles.append(Subtitle(text, at_s, at_s + len(text) / 25))
        at_s += len(text) / 20 + 0.01 * len(text) + more_s
    for caption in captions(*subtitles):
        shown_s = round(caption.end_s, 3) - round(caption.start_s, 3)
        assert len(caption.text) / 20 <= shown_s + MS / 10


def test_a_caption_has_the_times_of_its_words_where_they_are_known() -> None:
    spoken = (
        "It was slow at first and then all of it came out at once before anybody could stop it."
    )
    times = [
        TimedWord(word, float(place), place + 0.5) for place, word in enumerate(spoken.split())
    ]
    subtitle = Subtitle(spoken, 0.0, 19.0, tuple(times))
    first, second = captions(subtitle)
    count = len(first.text.split())
    assert (first.start_s, first.end_s) == (0.0, count - 1 + 0.5)
    assert second.start_s == count


def test_the_limits_are_settings() -> None:
    text = "It was slow at first and then all of it came out at once."
    limits = CaptionLimits(line_length=20, lines=1, characters_per_s=5.0)
    found = captions(Subtitle(text, 0.0, 60.0), limits=limits)
    assert all("\n" not in caption.text and len(caption.text) <= 20 for caption in found)


def test_two_who_speak_at_once_are_shown_at_once() -> None:
    long = Subtitle("model: " + "many words " * 5, 0.0, 10.0)
    found = captions(long, Subtitle("you: Wait!", 4.0, 5.0), Subtitle("you: Go on.", 12.0, 13.0))
    assert [(caption.start_s, caption.end_s) for caption in found[1:]] == [(4.0, 5.0), (12.0, 13.0)]
