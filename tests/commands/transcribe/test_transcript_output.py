"""What is written of one transcript: whole captions, nothing before there is a word."""

import errno
import json
import os
from pathlib import Path

import pytest

from live_cli.commands.transcribe import unfinished
from live_cli.commands.transcribe.transcript_output import TranscriptOutput
from live_cli.errors import InputFileError
from live_cli.ui.progress import ProgressBar
from live_cli.ui.subtitles.captions import Subtitle
from live_cli.ui.subtitles.subtitles import TranscriptText

WORDS = Subtitle("Some words.", 1.0, 2.0)


def output(target: Path | None, file_format: str = "srt", heading: str = "") -> TranscriptOutput:
    bar = ProgressBar("talk", None, lambda text: None, lambda: 0)
    return TranscriptOutput(target, TranscriptText(file_format, "talk.wav"), bar, heading)


def test_a_folder_is_made_and_the_mark_goes_with_the_end(tmp_path: Path) -> None:
    target = tmp_path / "new" / "talk.srt"
    begun = output(target)
    assert unfinished.is_unfinished(target)
    assert not target.exists()
    begun.add(WORDS)
    assert target.read_text().startswith("1\n00:00:01,000")
    begun.finish(3.0)
    assert not unfinished.is_unfinished(target)


@pytest.mark.parametrize("was_unfinished", [True, False])
def test_what_was_there_stays_until_there_are_words(tmp_path: Path, was_unfinished: bool) -> None:
    target = tmp_path / "talk.srt"
    target.write_text("before")
    if was_unfinished:
        unfinished.mark_unfinished(target)
    assert not output(target).stop(0.0, 0.0)
    assert target.read_text() == "before"
    assert unfinished.is_unfinished(target) is was_unfinished


def test_json_that_is_stopped_is_whole_json(tmp_path: Path) -> None:
    target = tmp_path / "talk.json"
    stopped = output(target, "json")
    stopped.add(WORDS)
    assert not target.exists()
    assert stopped.stop(9.0, 2.0)
    assert json.loads(target.read_text())["stopped_at"] == 2.0
    assert unfinished.is_unfinished(target)


def test_a_disk_that_fills_up_leaves_whole_cues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "talk.srt"
    growing = output(target)
    growing.add(WORDS)
    before = target.read_bytes()
    write, calls = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:5])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(InputFileError, match="No space left"):
        growing.add(WORDS)
    assert target.read_bytes() == before


def test_what_is_no_file_gets_no_mark(tmp_path: Path) -> None:
    null = Path(os.devnull)
    whole = output(null)
    whole.add(WORDS)
    whole.finish(3.0)
    assert not unfinished.is_unfinished(null)


def test_a_place_that_cannot_be_written_is_told_before_any_sound_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputFileError, match="cannot be written"):
        output(tmp_path / "file" / "talk.srt")


@pytest.mark.parametrize("words", [[], [WORDS, WORDS]])
def test_stdout_gets_a_name_once(capsys: pytest.CaptureFixture[str], words: list[Subtitle]) -> None:
    named = output(None, "text", "talk.wav: ")
    for subtitle in words:
        named.add(subtitle)
    named.finish(3.0)
    said = " ".join("Some words." for _ in words)
    assert capsys.readouterr().out == f"talk.wav: {said}\n"
