"""Subtitles of both sides, from events and the places of the sound."""

import pytest

from live_cli.protocol import events
from live_cli.ui.subtitles.dialogue import Dialogue, PlayedTurn
from live_cli.ui.subtitles.subtitles import Subtitle


def chunk(turn: int, seconds: float) -> events.AudioChunk:
    return events.AudioChunk(turn, bytes(int(48_000 * seconds)), 24_000)


def heard(text: str, start_s: float | None = None, end_s: float | None = None, **facts: bool):
    return events.InputTranscript(text, start_s=start_s, end_s=end_s, **facts)


def said(text: str, turn: int = 1) -> events.OutputTranscript:
    return events.OutputTranscript(turn, text)


def played(heard_s: float, at_s: float = 10.0) -> dict[int, PlayedTurn]:
    return {1: PlayedTurn(heard_s, lambda position_s: at_s + position_s)}


def subtitles(
    *happened: events.Event,
    turns: dict[int, PlayedTurn] | None = None,
    speech: tuple[tuple[float, float], ...] = (),
) -> list[Subtitle]:
    """Return the subtitles of ``happened``: one event a second from 1 on, sent sound from 2."""
    dialogue = Dialogue()
    for at_s, event in enumerate(happened, start=1):
        dialogue.event(event, float(at_s))
    return dialogue.subtitles(lambda position_s: 2.0 + position_s, speech, turns or {})


def test_the_servers_times_are_moved_to_where_the_sound_is() -> None:
    [you] = subtitles(heard(" How many? ", 0.5, 1.5, finished=True))
    assert you == Subtitle("you: How many?", 2.5, 3.5)


def test_without_them_an_utterance_is_the_speech_before_its_text() -> None:
    found = subtitles(
        heard("How many"), heard(" legs?", finished=True), heard("And arms?", finished=True),
        speech=((0.2, 0.9), (1.1, 1.6), (2.2, 2.8)),
    )  # fmt: skip
    assert found == [
        Subtitle("you: How many legs?", 0.2, 1.6),
        Subtitle("you: And arms?", 2.2, 2.8),
    ]


def test_times_of_a_resumed_session_count_from_elsewhere() -> None:
    again = events.Reconnected(restored=True)
    [you] = subtitles(again, heard("Hello.", 0.5, 1.5, finished=True), speech=((1.0, 1.7),))
    assert you == Subtitle("you: Hello.", 1.0, 1.7)


def test_each_sentence_of_an_answer_is_where_it_was_played() -> None:
    found = subtitles(
        said("A dog has"), said(" four legs."), chunk(1, 2.0), said(" A bird has two."),
        chunk(1, 1.5), events.TurnComplete(1), turns=played(3.5),
    )  # fmt: skip
    assert found == [
        Subtitle("model: A dog has four legs.", 10.0, 12.0),
        Subtitle("A bird has two.", 12.0, 13.5),
    ]


def test_what_was_not_heard_is_no_caption() -> None:
    found = subtitles(
        said("One two three four."), chunk(1, 2.0), said(" Five six."), chunk(1, 2.0),
        events.Interrupted(1), turns=played(1.0),
    )  # fmt: skip
    assert found == [Subtitle("model: One two three [interrupted]", 10.0, 11.0)]


def test_an_answer_nobody_heard_any_of_has_no_caption() -> None:
    assert subtitles(said("One two."), chunk(1, 2.0), events.Interrupted(1)) == []


@pytest.mark.parametrize("late", [1, 2])
def test_text_after_all_of_its_sound_belongs_to_that_sound(late: int) -> None:
    texts = [said("One. "), said("Two.")]
    found = subtitles(*texts[:-late], chunk(1, 2.0), *texts[-late:], turns=played(2.0))
    assert " ".join(subtitle.text for subtitle in found) == "model: One. Two."
    assert (found[0].start_s, found[-1].end_s) == (10.0, 12.0)


def test_a_written_answer_and_a_typed_line_have_the_time_they_came() -> None:
    dialogue = Dialogue()
    dialogue.sent("What is\n2 + 2?", 1.0)
    dialogue.event(events.TextChunk(1, "Fo"), 2.0)
    dialogue.event(events.TextChunk(1, "ur."), 5.0)
    assert dialogue.subtitles(lambda at_s: at_s, (), {}) == [
        Subtitle("you: What is 2 + 2?", 1.0, 3.0),
        Subtitle("model: Four.", 2.0, 5.0),
    ]


def test_both_sides_are_in_the_order_of_time() -> None:
    found = subtitles(
        said("Yes."), chunk(1, 1.0), heard("Really?", 0.0, 1.0, finished=True),
        turns=played(1.0, at_s=0.5),
    )  # fmt: skip
    assert [subtitle.text for subtitle in found] == ["model: Yes.", "you: Really?"]
