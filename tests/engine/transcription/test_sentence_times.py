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
