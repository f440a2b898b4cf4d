"""Names decide what is written and where, or are refused; they stay whatever else is in the run."""

import os
from pathlib import Path

import pytest

from live_cli.commands.transcribe.destinations import chosen_format, destinations, targets
from live_cli.commands.transcribe.inputs import InputFile, SpeechInputs, find_inputs
from live_cli.errors import InputFileError, OptionError

ONE = SpeechInputs((InputFile("a.wav", "a.wav"),), many=False)
TWO = SpeechInputs((InputFile("a.wav", "a.wav"), InputFile("b/c.mp3", "c.mp3")), many=True)


@pytest.mark.parametrize(
    ("output", "given", "is_written"),
    [
        (None, None, "text"),
        ("-", None, "text"),
        ("-", "srt", "srt"),
        ("talk.srt", None, "srt"),
        ("TALK.VTT", None, "vtt"),
        ("talk.json", None, "json"),
        ("talk.txt", None, "text"),
        ("talk.txt", "text", "text"),
        ("talk", None, "text"),
        ("talk", "vtt", "vtt"),
        ("talk.2026-11-29", None, "text"),
        ("talk.docx", "text", "text"),
        ("out.d/", None, "text"),
    ],
)
def test_a_name_says_what_is_written(
    output: str | None, given: str | None, is_written: str
) -> None:
    assert chosen_format(output, given, ONE) == is_written


@pytest.mark.parametrize("output", ["talk.docx", "talk.wav", "talk.ass", "talk.md", "a.b.csv"])
def test_a_name_of_what_cannot_be_written_is_refused_with_what_can(output: str) -> None:
    with pytest.raises(OptionError, match=r"\.txt, \.srt, \.vtt or \.json"):
        chosen_format(output, None, ONE)


@pytest.mark.parametrize(("output", "given"), [("t.srt", "vtt"), ("t.json", "text")])
def test_a_name_and_an_option_that_differ_are_refused(output: str, given: str) -> None:
    with pytest.raises(OptionError, match="--format"):
        chosen_format(output, given, ONE)


@pytest.mark.parametrize("output", [None, "-"])
def test_a_dash_is_stdout(output: str | None) -> None:
    assert targets(TWO, "text", output) == [None, None]


def test_a_folder_is_a_slash_several_files_or_one_that_is_there(tmp_path: Path) -> None:
    assert targets(ONE, "srt", f"new{os.sep}") == [Path("new/a.srt")]
    assert targets(TWO, "srt", "new") == [Path("new/a.srt"), Path("new/c.srt")]
    assert targets(ONE, "srt", str(tmp_path)) == [tmp_path / "a.srt"]
    assert targets(ONE, "srt", "new") == [Path("new")]


def test_one_file_is_not_several(tmp_path: Path) -> None:
    there = tmp_path / "notes"
    there.touch()
    for output in ("all.srt", "all.txt", str(there)):
        with pytest.raises(OptionError, match="name a folder"):
            targets(TWO, "srt", output)


def test_no_transcript_takes_the_place_of_any_recording(tmp_path: Path) -> None:
    recording = tmp_path / "b.txt"
    recording.write_bytes(b"sound")
    inputs = find_inputs([str(tmp_path / "b.wav"), str(recording)])
    with pytest.raises(InputFileError, match="would destroy it"):
        targets(inputs, "text", str(tmp_path))


def test_a_name_stays_whatever_comes_after_it() -> None:
    def names(*paths: str) -> list[str]:
        files = [InputFile(path, os.path.basename(path)) for path in paths]
        return [path.name for path in destinations(files, Path("out"), ".txt")]

    assert names("talk.wav") == ["talk.txt"]
    assert names("talk.wav", "talk.ogg", "x/talk.ogg", "y/talk.ogg", "-", "-") == [
        *("talk.txt", "talk.ogg.txt", "talk.ogg.2.txt", "talk.ogg.3.txt"),
        *("stdin.txt", "stdin.2.txt"),
    ]


def test_files_of_a_folder_keep_their_places_in_it(tmp_path: Path) -> None:
    for name in ("a/x.wav", "b/x.wav", "x.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    inputs = find_inputs([str(tmp_path)])
    paths = destinations(inputs.files, Path("out"), ".txt")
    assert paths == [Path("out/x.txt"), Path("out/a/x.txt"), Path("out/b/x.txt")]
