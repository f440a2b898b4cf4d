"""At a cut there is what was said: no invented full stop, no doubled comma, no capital letter."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.backends.scripted import ScriptedTranscriber
from live_cli.engine.transcription.cut_joint import joined
from live_cli.protocol.events import AudioStreamEnded
from live_cli.protocol.messages import Setup
from tests.harness.scripted_session import ScriptedRegistry, SessionHarness, silence
from tests.harness.speech import speech_like, words


@pytest.mark.parametrize(
    ("before", "after", "across", "wanted"),
    [
        # what the recogniser made of recordings
        (
            "some insisted on its being received,",
            "For good or for evil in the superlative",
            "Historicals insisted on its being received for good or for evil in the superlative.",
            ("some insisted on its being received", "for good or for evil in the superlative"),
        ),
        (
            "It was the spring of hope.",
            "It was the winter of despair.",
            "of darkness. It was the spring of hope, it was the winter of despair. We had.",
            ("It was the spring of hope,", "it was the winter of despair."),
        ),
        (
            "We had nothing before us,",
            "we were all going.",
            "At everything before us, we had nothing before us. We were all going to.",
            ("We had nothing before us.", "We were all going."),
        ),
        # one word is heard otherwise: a pause is all that is sure
        (
            "It was the epoch of belief.",
            "It was the epoch of incredulity.",
            "Pollutionists. It was the epoch of belief that was the epoch of incredulity.",
            ("It was the epoch of belief,", "it was the epoch of incredulity."),
        ),
        ("He went to.", "The shop.", "when he went to the shop", ("He went to", "the shop.")),
        ("He said,", ", and left.", "he said, and left", ("He said,", "and left.")),
        ("Did he?", "I think so.", "Did he? I think so", ("Did he?", "I think so.")),
        ("and then", "I saw", "and then I saw it", ("and then", "I saw")),
        ("in the city of.", "Paris is", "the city of Paris is", ("in the city of", "Paris is")),
        # nothing is found: no stop is left that a part always gets
        ("The quick brown.", "Fox jumps.", "something else", ("The quick brown", "Fox jumps.")),
        ("Wait...", "What?", "", ("Wait...", "What?")),
        ("The end.", "", "The end.", ("The end.", "")),
    ],
)
def test_the_joint_is_as_it_sounds(
    before: str, after: str, across: str, wanted: tuple[str, str]
) -> None:
    assert joined(before, after, across) == wanted


text = st.text("abAB ,.?!é-'", max_size=40)


@given(text, text, text)
def test_no_word_is_changed_but_for_its_first_letter(before: str, after: str, across: str) -> None:
    one, other = joined(before, after, across)
    assert words(one) == words(before)
    assert words(other) == words(after)


SETUP = Setup(model="models/gemini-3.5-transcribe-live")


def finals(harness: SessionHarness) -> list[tuple[str, bool]]:
    contents = [message.server_content for message in harness.messages if message.server_content]
    told = [content.input_transcription for content in contents]
    return [(each.text or "", bool(each.finished)) for each in told if each]


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (
            ["It was cold, they say.", "And dark.", "was cold, they say and dark."],
            [("It was cold, they say", False), (" and dark.", True)],
        ),
        # nothing was heard behind the cut: it is the end after all
        (["It was cold, they say.", ""], [("It was cold, they say.", True)]),
        (["", "It was cold, they say."], [("It was cold, they say.", True)]),
    ],
)
async def test_the_sentence_before_a_cut_waits_for_what_follows(
    connect, texts: list[str], wanted: list[tuple[str, bool]]
) -> None:
    harness = await connect(SETUP, ScriptedRegistry(transcriber=ScriptedTranscriber(texts)))
    await harness.say(np.concatenate([speech_like(20.0), silence(2.0)]))
    await harness.session.handle(AudioStreamEnded())
    await harness.shows("turnComplete+usage")
    assert finals(harness) == wanted


async def test_a_preview_has_the_sentence_that_waits(connect) -> None:
    harness = await connect(SETUP, ScriptedRegistry(transcriber=ScriptedTranscriber(_seconds)))
    for _ in range(175):  # live, cut after 15 s
        await harness.say(speech_like(0.1))
        harness.time.advance(0.1)
        await asyncio.sleep(0.005)
    previews = [
        message.server_content.interim_input_transcription
        for message in harness.messages
        if message.server_content and message.server_content.interim_input_transcription
    ]
    waiting, open_part = previews[-1].text.split(". ")
    assert (waiting, open_part[:4]) == (previews[-1].text[: len(waiting)], "Said")
    assert previews[-1].start_offset == previews[0].start_offset
    assert finals(harness) == []


def _seconds(samples: np.ndarray) -> str:
    return f"Said {len(samples) // 16_000} seconds of speech."
