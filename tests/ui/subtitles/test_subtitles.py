"""Transcripts as files: shapes by table, cuts by property."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.ui.subtitles.subtitles import FORMATS, SUBTITLE_CHARACTERS, Subtitle, render

TWO = [Subtitle(" Hello there. ", 0.5, 1.75), Subtitle("a <b> --> c & d", 3661.0, 3662.5)]


def rendered(file_format: str, subtitles: list[Subtitle] = TWO) -> str:
    return render(subtitles, file_format, name="talk.wav", duration_s=3700.0)


def test_text_is_the_words_alone() -> None:
    assert rendered("text") == "Hello there. a <b> --> c & d\n"


def test_srt_numbers_its_captions_and_uses_commas() -> None:
    assert rendered("srt").startswith(
        "1\n00:00:00,500 --> 00:00:01,750\nHello there.\n\n2\n01:01:01,000"
    )


def test_vtt_escapes_what_would_end_a_cue() -> None:
    text = rendered("vtt")
    assert text.startswith("WEBVTT\n\n00:00:00.500 --> 00:00:01.750\nHello there.\n\n")
    assert "a &lt;b&gt; --&gt; c &amp; d" in text


def test_json_has_times_and_the_whole_text() -> None:
    whole = json.loads(rendered("json"))
    assert whole["file"] == "talk.wav"
    assert whole["segments"][0] == {"start": 0.5, "end": 1.75, "text": "Hello there."}
    assert whole["text"].startswith("Hello there. a <b>")


@pytest.mark.parametrize(
    ("file_format", "start"), [("text", "\n"), ("srt", ""), ("vtt", "WEBVTT\n\n"), ("json", "{")]
)
def test_silence_makes_a_file_without_captions(file_format: str, start: str) -> None:
    assert file_format in FORMATS
    text = rendered(file_format, [])
    assert text.startswith(start)
    assert "-->" not in text


words = st.lists(st.text("abcdefgh'.", min_size=1, max_size=14), min_size=1, max_size=120)


@given(words)
def test_captions_keep_every_word_in_order_and_fit_two_lines(spoken: list[str]) -> None:
    blocks = rendered("srt", [Subtitle(" ".join(spoken), 1.0, 9.0)]).strip().split("\n\n")
    texts = [block.split("\n")[2] for block in blocks]
    assert " ".join(texts).split() == spoken
    assert all(len(text) <= SUBTITLE_CHARACTERS for text in texts)
    times = [block.split("\n")[1].split(" --> ") for block in blocks]
    assert times[0][0] == "00:00:01,000"
    assert times[-1][1] == "00:00:09,000"
    assert all(left[1] == right[0] for left, right in itertools.pairwise(times))
