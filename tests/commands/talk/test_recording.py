"""The files of a recording: owner, names that are taken, a full disk and a slow one."""

import json
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.playback.playout import Span
from live_cli.commands.talk import recording as module
from live_cli.commands.talk.recording import Recording
from live_cli.errors import InputFileError
from live_cli.protocol import events

SENT, PLAYED = bytes(640), np.zeros(480, dtype=np.float32)


def record(folder: Path, *, told: list[str] | None = None) -> Recording:
    return Recording(folder, ([] if told is None else told).append)


def open_session(recording: Recording) -> None:
    for view in recording.views:
        view.event(events.SessionOpened("s"))


def files(folder: Path) -> dict[str, Path]:
    return {path.suffix: path for path in folder.iterdir()}


def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    recording = record(folder)
    open_session(recording)
    recording.end_sound()
    recording.close()
    assert sorted(files(folder)) == [".flac", ".jsonl", ".srt", ".txt"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_recordings_that_begin_at_the_same_time_are_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Noon(module.datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Noon":
            return cls(2026, 11, 23, 12, 0, 0)

    monkeypatch.setattr(module, "datetime", Noon)
    (tmp_path / "2026-11-23_12-00-00.txt").write_text("earlier words")
    two = [record(tmp_path), record(tmp_path)]
    assert [each.sound_path.name for each in two] == [
        "2026-11-23_12-00-00-2.flac",
        "2026-11-23_12-00-00-3.flac",
    ]
    for each in two:
        each.end_sound()
        each.close()
    # no session was opened: nothing of theirs is left, and what was there is as it was
    assert [path.read_text() for path in tmp_path.iterdir()] == ["earlier words"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputFileError, match=r"file cannot take a recording: .*--record"):
        record(tmp_path / "file")


def test_events_are_those_of_json_and_words_those_of_plain_lines(tmp_path: Path) -> None:
    recording = record(tmp_path)
    open_session(recording)
    for view in recording.views:
        view.event(events.InputTranscript("Hello.", finished=True))
        view.event(events.OutputTranscript(1, "Good day."))
        view.event(events.TurnComplete(1))
        view.sent("And you?")
        view.note("A note is for the person.")
        view.error("It broke.")
        view.close()
    recording.end_sound()
    recording.close()
    found = files(tmp_path)
    records = [json.loads(line) for line in found[".jsonl"].read_text().splitlines()]
    assert [each["type"] for each in records] == [
        "session_open", "input_transcript", "output_transcript", "turn_complete", "sent", "error",
        "session_close",
    ]  # fmt: skip
    assert found[".txt"].read_text() == "you: Hello.\nmodel: Good day.\nyou: And you?\n"
    assert "you: Hello." in found[".srt"].read_text()


def test_a_slow_disk_drops_and_says_how_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_LIMIT", 50)
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 3600)  # a writer that never gets to it
    recording = record(tmp_path)
    open_session(recording)
    before = len(recording._queue)
    for k in range(70):
        recording.played(PLAYED, time.monotonic() + k * 0.02, (Span(1, 0, k * 480, 480),))
    missing = recording.end_sound()
    recording.close()
    assert missing is not None
    assert f"{20 + before} pieces came faster" in missing
    assert soundfile.info(recording.sound_path).duration > 0.5


FILL = """
import resource, sys, time, numpy as np
from live_cli.commands.talk import recording as module
from live_cli.protocol.events import SessionOpened
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
module.HELD_BACK_S = 0.0
told = []
recording = module.Recording(sys.argv[1], told.append)
for view in recording.views:
    view.event(SessionOpened("s"))
rng = np.random.default_rng(0)
def play(blocks):
    start = time.monotonic()
    for k in range(blocks):
        noise = rng.uniform(-0.5, 0.5, 480).astype(np.float32)
        recording.played(noise, start + k * 0.02, ())
play(25)
while recording.sound_path.stat().st_size < 10_000:  # some of it must fit
    time.sleep(0.05)
play(1000)
while not told:
    time.sleep(0.05)
play(100)
print(recording.end_sound(), len(told), told[0])
recording.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit to a file's size")
def test_a_full_disk_is_said_once_and_what_was_written_stays(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("None 1 ")
    assert "the conversation goes on unrecorded" in done.stdout
    sound, _ = soundfile.read(files(tmp_path)[".flac"])
    assert sound.size
    assert '"session_open"' in files(tmp_path)[".jsonl"].read_text()
