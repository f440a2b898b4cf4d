"""Speech over an answer, by its words, the transcriber's confidence and its length."""

import pytest

from live_cli.engine.conversation.floor.barge_in import (
    GOES_ON_MS,
    WORDLESS_MS,
    Overlap,
    OverlapJudge,
    is_backchannel,
    needs_confidence,
)
from live_cli.engine.stages import Confidence

PASSES, INTERRUPTS, OPEN = Overlap.BACKCHANNEL, Overlap.INTERRUPTION, Overlap.OPEN


def judged(text, sure=-0.1, spoken_ms=400, *, ended=False, judge=None, hummed=False, first=()):
    confidence = None if sure is None else Confidence(sure, 3, first)
    judge = judge or OverlapJudge()
    return judge.judge(text, confidence, spoken_ms, ended=ended, hummed=hummed)


@pytest.mark.parametrize(
    "text",
    [
        *("Mm-hmm.", "Mhm.", "Mm.", "Mama.", "Mum.", "Hmm.", "Uh-huh.", "Aha!", "Huh?"),
        *("Yeah.", "Yeah, yeah.", "Yes.", "Okay, okay.", "OK", "Right?", "All right.", "Sure."),
        *("I see.", "Got it.", "Oh, wow.", "Of course.", "Haha.", "Ja, genau.", "Sí, claro."),
    ],
)
def test_signs_of_listening_pass_however_sure_they_are(text):
    assert is_backchannel(text)
    assert judged(text, spoken_ms=700) is OPEN
    assert judged(text, spoken_ms=900, ended=True) is PASSES


@pytest.mark.parametrize(
    "text",
    [
        "Wait.",
        "Stop!",
        "No, no.",
        "Hold on",
        "What is",
        "Can you",
        "Excuse me",
        "Nein.",
        "¡Espera!",
    ],
)
def test_commands_and_questions_interrupt_at_once(text):
    assert judged(text, spoken_ms=260) is INTERRUPTS


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Stir, st", (("Stop", 0.31), ("St", 0.4))),
        ("Late.", (("Late", 0.5), ("Wait", 0.15), ("what", 0.12))),
        ("Cold, cold,", (("Hold", 0.26),)),
        ("Know.", (("No", 0.55),)),
    ],
)
def test_what_likely_begins_as_a_command_interrupts_whatever_is_written(text, first):
    assert judged(text, -1.5, 230, first=first) is INTERRUPTS
    halves = tuple((word, likely / 2) for word, likely in first)
    assert judged(text, -1.5, 230, first=halves) is OPEN
    assert judged(text, -1.5, 230, first=first, hummed=True) is OPEN
    beside = sum(likely for _, likely in first) / 2
    assert judged(text, -1.5, 230, first=(*first, ("Well", beside))) is OPEN


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Sorry.", (("Sorry", 0.43), ("Sure", 0.24))),
        ("Sour.", (("S", 0.6), ("sure", 0.06))),
        ("Rate.", (("Rate", 0.5), ("Right", 0.2))),
    ],
)
def test_a_word_that_may_have_been_a_sign_of_listening_passes(text, first):
    assert judged(text, -0.2, 460, ended=True, first=first) is PASSES
    assert judged(text, -0.2, 460, ended=True, first=first[:1]) is INTERRUPTS
    assert judged(f"{text} One question", -0.2, 460, ended=True, first=first) is INTERRUPTS


@pytest.mark.parametrize("text", ["My name is", "Elsewhere", "Okay, but I", "Paris"])
def test_other_words_interrupt_once_speech_goes_on(text):
    assert judged(text, spoken_ms=300) is OPEN
    assert judged(text, spoken_ms=GOES_ON_MS) is INTERRUPTS
    assert judged(text, spoken_ms=400, ended=True) is INTERRUPTS


@pytest.mark.parametrize("text", ["No.", "It hurts.", "Her.", "Come,", "Who?"])
def test_words_that_were_made_of_a_hum_pass(text):
    assert judged(text, sure=-0.7, spoken_ms=350) is OPEN
    assert judged(text, sure=-0.7, spoken_ms=350, ended=True) is PASSES


def test_a_hum_that_is_taken_for_a_word_once_is_no_interruption():
    judge = OverlapJudge()
    assert judged("No.", -0.7, 290, judge=judge) is OPEN
    assert judged("No.", -0.2, 350, judge=judge) is OPEN
    assert judged("No.", -0.1, 350, judge=judge) is INTERRUPTS


@pytest.mark.parametrize("text", ["No.", "When?", "None of that", "My name is"])
def test_words_that_sound_like_a_hum_are_none(text):
    assert judged(text, spoken_ms=GOES_ON_MS) is INTERRUPTS
    assert judged(text, spoken_ms=GOES_ON_MS, hummed=True) is OPEN
    assert judged(text, hummed=True, ended=True) is PASSES
    assert judged(text, spoken_ms=WORDLESS_MS, hummed=True) is INTERRUPTS


@pytest.mark.parametrize("text", ["Wait.", "Can you", "Stop."])
def test_other_words_are_words_whatever_they_sound_like(text):
    assert judged(text, hummed=True) is INTERRUPTS


def test_a_sentence_interrupts_even_where_its_words_are_guessed():
    assert judged("Hold on a sigh,", -0.9, GOES_ON_MS - 1) is OPEN
    assert judged("Hold on a sigh,", -0.9, GOES_ON_MS) is INTERRUPTS
    assert judged("Alas,", -0.9, GOES_ON_MS) is OPEN


def test_speech_without_a_word_interrupts_when_it_is_too_long_for_laughter():
    assert judged("", None, WORDLESS_MS - 1) is OPEN
    assert judged("", None, WORDLESS_MS - 1, ended=True) is PASSES
    assert judged("", None, WORDLESS_MS) is INTERRUPTS
    assert judged("It hurts.", -2.0, WORDLESS_MS) is INTERRUPTS


def test_confidence_is_asked_for_only_where_it_counts():
    assert needs_confidence("No.", 300)
    assert not needs_confidence("Mm-hmm.", 300)
    assert not needs_confidence("", 300)
    assert not needs_confidence("Let me tell you", WORDLESS_MS)
