"""The language of a session: what is expected of the next segment, and when it has settled."""

import numpy as np
import pytest

from live_cli.engine.speech_in.language_choice import LanguageChoice
from live_cli.engine.speech_in.transcriber_in_language import TranscriberInLanguage
from live_cli.engine.stages import DetailedText


@pytest.mark.parametrize(
    ("heard", "current", "settled"),
    [
        ([], "", False),
        ([("de", 0.9, 0.5)], "de", False),  # a short word
        ([("de", 0.9, 3.0)], "de", True),
        ([("de", 0.3, 3.0)], "de", False),
        ([("de", 0.9, 1.5), ("de", 0.9, 1.5)], "de", True),
        ([("nl", 0.5, 1.0), ("de", 0.9, 4.0)], "de", True),
        ([("de", 0.9, 3.0), ("nl", 0.8, 2.5)], "de", True),  # one strange segment
        ([("de", 0.9, 30.0), ("es", 0.95, 3.0)], "es", True),  # changed over
        ([("de", 0.9, 30.0), *[("es", 0.85, 3.0)] * 6], "es", True),
    ],
)
def test_a_session_settles_and_may_change_over(heard, current, settled):
    choice = LanguageChoice()
    for language, certainty, seconds in heard:
        choice.heard(language, certainty, seconds)
    assert choice.current == current
    assert choice.expected(0.8) == (current if settled else None)
    assert choice.expected(5.0) is None  # a long segment is listened to again


def test_a_chosen_language_is_never_listened_for():
    choice = LanguageChoice("de")
    choice.heard("es", 0.99, 60.0)
    assert (choice.current, choice.expected(60.0)) == ("de", "de")


class Hears:
    """A transcriber of any language; ``guesses`` are its languages, where none is expected."""

    times_words = True

    def __init__(self, *guesses):
        self.guesses, self.told = iter(guesses), []

    def transcribe_in_detail(self, samples, *, words, language=None):
        self.told.append(language)
        code, certainty = (language, 1.0) if language else next(self.guesses)
        return DetailedText(f"in {code}", language=code, certainty=certainty)


def test_an_unsure_guess_is_heard_again_in_the_language_of_the_session():
    hears = Hears(("de", 0.95), ("nl", 0.5), ("es", 0.9))
    choice = LanguageChoice()
    session = TranscriberInLanguage(hears, choice)
    long, short = np.zeros(4 * 16_000, np.float32), np.zeros(16_000, np.float32)
    texts = [session.transcribe(samples) for samples in (long, long, short, long)]
    assert texts == ["in de", "in de", "in de", "in es"]
    assert hears.told == [None, None, "de", "de", None]
    assert choice.current == "es"
