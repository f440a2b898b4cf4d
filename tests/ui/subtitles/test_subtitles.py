"""Transcripts as files: shapes by table, cuts by property."""

import json

import pytest

from live_cli.ui.subtitles.captions import Subtitle, TimedWord
from live_cli.ui.subtitles.subtitles import FORMATS, TranscriptText, render

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


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_transcript_that_grows_is_the_one_that_is_written_at_once(file_format: str) -> None:
    text = TranscriptText(file_format, "talk.wav")
    grown = text.head() + "".join(text.add(subtitle) for subtitle in TWO) + text.tail(3700.0)
    assert grown == rendered(file_format)


@pytest.mark.parametrize("file_format", ["text", "srt", "vtt"])
def test_what_grows_holds_every_word_that_was_added(file_format: str) -> None:
    text = TranscriptText(file_format, "talk.wav")
    for subtitle in TWO:
        assert subtitle.text.split()[0] in text.add(subtitle)
    assert not text.holds_back


def test_json_has_the_words_with_their_times_and_the_language() -> None:
    spoken = (TimedWord("Hello", 0.5, 0.9), TimedWord("there.", 1.0, 1.75))
    subtitles = [
        Subtitle("Hello there.", 0.5, 1.75, spoken, "en-US"),
        Subtitle("Oui.", 2, 3, (), "fr"),
    ]
    whole = json.loads(rendered("json", subtitles))
    assert whole["language"] == "en-US"
    assert whole["segments"][0]["words"][1] == {"word": "there.", "start": 1.0, "end": 1.75}
    assert [segment["language"] for segment in whole["segments"]] == ["en-US", "fr"]
    assert json.loads(rendered("json"))["language"] is None


@pytest.mark.parametrize(
    "name",
    [
        "caf\udce9.wav",
        "Ünïcode 日本.wav",
        "a\nb.wav",
        "zero\u200bwidth.wav",
        "\x1b[2J.wav",
        '"q".wav',
    ],
)
def test_json_has_the_file_name_as_it_is(name: str) -> None:
    text = render(TWO, "json", name=name, duration_s=1.0)
    assert json.loads(text)["file"] == name
    assert text.encode()  # it is UTF-8, also where the name is not
    assert "\x1b" not in text


def test_json_says_where_it_stopped() -> None:
    text = TranscriptText("json", "talk.wav")
    text.add(TWO[0])
    assert text.holds_back
    assert json.loads(text.tail(1.75, stopped_at_s=1.75))["stopped_at"] == 1.75
