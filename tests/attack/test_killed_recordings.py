"""A recording whose process is killed, at whatever moment: each of its files can be read."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.files.flac_writer import FlacWriter, empty_header
from live_cli.commands.talk import recording as module
from live_cli.commands.talk.recording import Recording
from live_cli.protocol import events

KILLED = """
import os, sys, time
import numpy as np
from live_cli.audio.playback.playout import Span
from live_cli.commands.talk.recording import Recording
from live_cli.protocol import events

recording = Recording(sys.argv[1], print)
print("begun", flush=True)
views = recording.views
for view in views:
    view.event(events.SessionOpened("s"))
for k in range(100_000):
    for view in views:
        view.event(events.InputTranscript(f"Question {k}: " + "long " * 400, finished=True))
        view.event(events.OutputTranscript(k + 1, f"Answer {k}."))
        view.event(events.TurnComplete(k + 1))
    at = time.monotonic()
    recording.sent(bytes(640), at)
    recording.played(np.zeros(480, np.float32), at, (Span(k + 1, 0, 0, 480),))
    time.sleep(0.02)
"""


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.5, 2.3, 3.1, 4.7])
def test_every_file_is_readable_after_a_kill(tmp_path: Path, after_s: float) -> None:
    folder = tmp_path / "kept"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, folder], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
    found = {path.suffix: path for path in folder.iterdir() if path.suffix != ".part"}
    assert sorted(found) == [".flac", ".jsonl", ".srt", ".txt"]
    lines = found[".jsonl"].read_text()
    assert lines == "" or lines.endswith("\n")
    records = [json.loads(line) for line in lines.splitlines()]
    words = found[".txt"].read_text()
    assert words == "" or words.endswith("\n")
    assert all(line.startswith(("you: ", "model: ")) for line in words.splitlines())
    assert found[".flac"].read_bytes()[:4] == b"fLaC"
    captions = found[".srt"].read_text()
    assert captions == "" or captions.endswith("\n\n")
    assert re.fullmatch(r"(\d+\n[\d:,]+ --> [\d:,]+\n([^\n]+\n){1,2}\n)*", captions)
    if after_s > 4:
        assert soundfile.info(found[".flac"]).duration > 0.5
        assert captions
        assert len(records) > 50


def test_a_recording_has_a_header_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    path.touch()
    writer = FlacWriter(path, 24_000, 2)
    header = path.read_bytes()
    assert header == empty_header(24_000, 2)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (24_000, 2, "PCM_16")
    # the encoder's own takes its place: the same facts
    writer.write(np.zeros((50_000, 2), np.float32))
    whole = path.read_bytes()
    assert whole[8:12] == header[8:12]
    assert whole[18:21] == header[18:21]
    writer.close()
    assert soundfile.info(path).frames == 50_000


def test_captions_come_as_turns_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CAPTIONS_EVERY_S", 0.0)
    recording = Recording(tmp_path, print)
    captions = recording.sound_path.with_suffix(".srt")
    try:
        for number in (1, 2):
            for view in recording.views:
                view.event(events.SessionOpened("s"))
                view.event(events.InputTranscript(f"Question {number}.", finished=True))
                view.event(events.OutputTranscript(number, f"Answer {number}."))
                view.event(events.TurnComplete(number))
            end = time.monotonic() + 30
            while f"Answer {number}." not in captions.read_text():
                assert time.monotonic() < end
                time.sleep(0.02)
        assert captions.read_text().count("-->") == 4
        assert captions.stat().st_mode & 0o077 == 0
    finally:
        recording.end_sound()
        recording.close()
    assert not list(tmp_path.glob("*.part"))


def test_captions_of_a_long_recording_take_a_small_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are written anew each time, so seldom that it costs little however many they are."""
    writes: list[float] = []

    def slow() -> str:
        writes.append(time.monotonic())
        time.sleep(0.1)
        return ""

    recording = Recording(tmp_path, print)
    monkeypatch.setattr(module, "_CAPTIONS_EVERY_S", 0.0)
    monkeypatch.setattr(recording, "_captions", slow)
    begin = time.monotonic()
    while time.monotonic() < begin + 2.0:
        for view in recording.views:
            view.event(events.SessionOpened("s"))
            view.event(events.InputTranscript("Question.", finished=True))
        time.sleep(0.05)
    assert len(writes) == 1  # of 0.1 s: the next after 5 s
    recording.end_sound()
    recording.close()
