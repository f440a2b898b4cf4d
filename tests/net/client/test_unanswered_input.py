"""What waits for an answer, and what of its transcript is new when it is sent again."""

import pytest

from live_cli.net.client.unanswered_input import (
    KEPT_MESSAGES,
    KEPT_WITH_SPEECH,
    UnansweredInput,
)
from live_cli.protocol import compose
from live_cli.protocol.events import InputTranscript

FRAME = compose.audio(bytes(640))
SPOKEN = compose.audio(b"\1\2" * 320)
TYPED = compose.text("And this?")


def waiting(*, asks_again: bool = True) -> UnansweredInput:
    return UnansweredInput(keeps_images=False, asks_again=asks_again)


def test_silence_is_forgotten_and_what_somebody_says_is_not() -> None:
    unanswered = waiting()
    unanswered.sent(TYPED)
    for _ in range(KEPT_MESSAGES - 1):
        unanswered.sent(FRAME)
    unanswered.spoke()
    assert len(unanswered.messages()) < KEPT_MESSAGES // 4
    assert unanswered.messages()[0] == TYPED
    for _ in range(KEPT_MESSAGES * 2):
        unanswered.sent(SPOKEN)
        unanswered.spoke()
    assert unanswered.messages().count(SPOKEN) == KEPT_MESSAGES * 2
    for _ in range(KEPT_WITH_SPEECH):
        unanswered.sent(SPOKEN)
    assert len(unanswered.messages()) == KEPT_WITH_SPEECH
    unanswered.answer_begins()
    for _ in range(KEPT_MESSAGES + 10):
        unanswered.sent(FRAME)
    assert len(unanswered.messages()) == KEPT_MESSAGES


@pytest.mark.parametrize("asks_again", [True, False])
def test_a_question_waits_again_whose_answer_broke_off(asks_again: bool) -> None:
    unanswered = waiting(asks_again=asks_again)
    unanswered.sent(SPOKEN)
    unanswered.answer_begins()
    unanswered.sent(TYPED)
    unanswered.lose_connection(turn_lost=False)  # all of the answer had come
    assert unanswered.messages() == [TYPED]
    unanswered.answer_begins()
    unanswered.lose_connection(turn_lost=True)
    assert unanswered.messages() == ([TYPED] if asks_again else [])
    unanswered.answer_begins()
    unanswered.answer_ends(all_heard=False)
    unanswered.lose_connection(turn_lost=True)
    assert unanswered.messages() == []


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        (["It was", " the best"], ["It was the best of times."], [" of times."]),
        (["It was the best"], ["It was", " the best,", " of times"], [" of times"]),
        (["It was the"], ["It was", " the."], []),
        (["it was a"], ["It was the best"], [" the best"]),  # from where it reads otherwise
        (["天気は"], ["天気はどう"], ["どう"]),
        ([], ["It was the best"], ["It was the best"]),
        (["It was"], ["Something else. It was"], ["Something else. It was"]),
    ],
)
def test_of_a_transcript_that_comes_again_only_the_new_is_told(
    before: list[str], after: list[str], new: list[str]
) -> None:
    unanswered = waiting()

    def told(texts: list[str]) -> list[str]:
        events = [unanswered.new_in(InputTranscript(text)) for text in texts]
        return [event.text for event in events if event is not None]

    assert told(before) == before
    for _ in range(2):  # a connection may be lost again, before or after it was told
        unanswered.lose_connection(turn_lost=False)
        preview = unanswered.new_in(InputTranscript("It", interim=True))
        assert (preview is None) == bool(before)
    assert told(after) == new
    unanswered.lose_connection(turn_lost=False)
    assert told(after) == []
    unanswered.answer_begins()
    assert told(after) == after
