"""Files of packages that come in parts: whole while a model is loaded, and gone after it."""

import errno
import tempfile
from pathlib import Path

import pytest

from live_cli.engine.backends import joined_parts as module
from live_cli.engine.backends.joined_parts import joined_parts
from live_cli.engine.backends.stt.whisper import WhisperTranscriber
from live_cli.engine.speech_models.lookup import packaged_whisper
from live_cli.errors import EngineError


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def parts(tmp_path):
    contents = {"a.1": b"ab" * 5, "a.2": b"", "a.3": b"c", "b": b"\0\1"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {"a": [tmp_path / f"a.{n}" for n in (1, 2, 3)], "b": [tmp_path / "b"]}


def test_parts_are_whole_and_leave_nothing_behind(temporary, parts):
    with joined_parts(parts) as folder:
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
            "a": b"ab" * 5 + b"c",
            "b": b"\0\1",
        }
    assert not list(temporary.iterdir())


def test_where_there_is_no_room_it_is_said_and_nothing_is_left(temporary, parts, monkeypatch):
    def full(pieces, whole):
        whole.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_join", full)
    said = pytest.raises(EngineError, match=r"find no room .* No space left on device")
    with said, joined_parts(parts):
        raise AssertionError("it began with half a file")
    assert not list(temporary.iterdir())


def test_whisper_of_packages_lets_go_of_its_files(temporary):
    model = packaged_whisper()
    transcriber = WhisperTranscriber(model.where, model.files)
    transcriber.warm_up()
    transcriber.close()
    assert not list(temporary.iterdir())


def test_a_folder_for_temporary_files_that_is_none_is_said(monkeypatch, parts):
    monkeypatch.setattr(tempfile, "tempdir", str(Path("/nowhere")))
    with pytest.raises(EngineError, match="nowhere"), joined_parts(parts):
        pass
