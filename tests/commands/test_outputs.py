"""An output file is never one of the input files, by whatever name."""

import os
from pathlib import Path

import pytest

from live_cli.commands.outputs import refuse_overwriting
from live_cli.errors import InputFileError


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.wav"
    path.write_bytes(b"irreplaceable")
    return path


def test_an_input_is_refused_as_output_by_whatever_name(recording: Path) -> None:
    hard, soft = recording.with_name("hard.wav"), recording.with_name("soft.wav")
    os.link(recording, hard)
    soft.symlink_to(recording)
    for output in (recording, recording.parent / "." / recording.name, hard, soft):
        with pytest.raises(InputFileError, match=r"is the input.*--output"):
            refuse_overwriting(output, ["-", "none.wav", str(recording)])


@pytest.mark.parametrize("output", [None, "-", "new.wav", os.devnull])
def test_everything_else_may_be_written(recording: Path, output: str | None) -> None:
    refuse_overwriting(output, ["-", str(recording), os.devnull])
