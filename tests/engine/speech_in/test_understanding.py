"""The judge: what is below the limit is not understood; context counts, single words do not."""

import pytest

from live_cli.engine.speech_in.understanding import UNSURE, UnderstandingJudge
from live_cli.engine.stages import Confidence

GOOD, BAD = Confidence(-0.1, 20), Confidence(-1.2, 20)


def judged(*confidences: Confidence) -> list[bool]:
    judge = UnderstandingJudge()
    return [judge.understood(each) for each in confidences]


def test_the_transcriber_s_own_doubt_decides():
    assert judged(GOOD, GOOD) == [True, True]
    assert judged(BAD, BAD) == [False, False]
    assert judged(Confidence(UNSURE + 0.01, 9)) == [True]
    assert judged(Confidence(UNSURE - 0.01, 9)) == [False]


def test_english_after_another_language_is_understood_again_and_the_other_way_round():
    assert judged(BAD, BAD, GOOD, GOOD, BAD) == [False, False, True, True, False]


def test_a_bad_moment_among_good_ones_is_left():
    assert judged(GOOD, GOOD, Confidence(-0.8, 20), GOOD) == [True] * 4
    assert judged(GOOD, Confidence(-1.9, 5)) == [True, True]


def test_a_lucky_guess_among_nonsense_is_not():
    assert judged(BAD, BAD, Confidence(-0.45, 8)) == [False, False, False]


def test_a_word_alone_shows_nothing():
    assert judged(Confidence(-2.0, 3)) == [True]


def test_what_is_asked_about_is_the_begin_and_a_sample_until_there_is_a_doubt():
    judge = UnderstandingJudge()
    asked = []
    for number in range(1, 61):
        asked.append(judge.wants_to_know(loops=False))
        if asked[-1]:
            judge.understood(GOOD)
        assert asked[-1] or number > 3
    assert sum(asked) == 3 + 10
    while not judge.wants_to_know(loops=False):
        pass
    judge.understood(BAD)
    assert [judge.wants_to_know(loops=False) for _ in range(5)] == [True] * 5
    judge.understood(GOOD)
    assert not all(judge.wants_to_know(loops=False) for _ in range(5))
    assert judge.wants_to_know(loops=True)


@pytest.mark.parametrize("before", range(5))
def test_however_much_was_understood_another_language_is_found(before):
    assert judged(*[GOOD] * before, BAD)[-1] is False
