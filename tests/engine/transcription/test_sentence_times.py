"""Sentences of a segment and where they lie."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.transcription.sentence_times import sentence_times
from tests.harness.scripted_session import silence
from tests.harness.speech import speech_like


def test_a_boundary_lies_in_the_pause():
    text = "This is the first of two sentences. And this one here is the second one of them."
    samples = np.concatenate([speech_like(2.2), silence(0.3), speech_like(3.0)])
    first, second = sentence_times(text, samples)
    assert first.text == "This is the first of two sentences."
    assert 2.2 <= first.end_s <= 2.5
    assert second.start_s == first.end_s
    assert second.end_s == len(samples) / 16_000


def test_short_sentences_stay_together():
    [one] = sentence_times("Ever tried. Ever failed. No matter.", speech_like(4))
    assert one.text == "Ever tried. Ever failed. No matter."


@given(
    st.lists(
        st.sampled_from(["A sentence of some length.", "No.", "Why is that so, I ask?"]),
        min_size=1,
        max_size=12,
    ),
    st.floats(0.01, 15),
)
def test_timed_sentences_are_the_text_in_order(sentences, seconds):
    text = " ".join(sentences)
    timed = sentence_times(text, speech_like(seconds))
    assert " ".join(sentence.text for sentence in timed) == text
    bounds = [bound for sentence in timed for bound in (sentence.start_s, sentence.end_s)]
    assert bounds == sorted(bounds)


def test_the_times_of_words_are_those_of_their_sentences() -> None:
    text = "It was the best of times. It was the worst of times."
    words = [(0.5 + place, 1.0 + place) for place in range(12)]
    one, other = sentence_times(text, np.zeros(16_000 * 20, np.float32), words)
    assert (one.start_s, one.end_s, other.start_s, other.end_s) == (0.5, 6.0, 6.5, 12.0)
    assert one.words == tuple(words[:6])
    assert other.later(2.0).words[0] == (8.5, 9.0)


def test_times_of_other_words_do_not_count() -> None:
    text = "It was the best of times. It was the worst of times."
    samples = np.zeros(16_000, np.float32)
    assert sentence_times(text, samples, [(0.1, 0.2)]) == sentence_times(text, samples)
