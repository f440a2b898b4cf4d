"""Files, folders and patterns on the command line."""

import os
from pathlib import Path

import pytest

from live_cli.commands.transcribe.inputs import find_inputs


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    names = ["b.WAV", "a.mp3", "a.txt", ".hidden.wav", "sub/c.m4a", ".cache/d.wav", "e[1].flac"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_means_the_sound_in_it_and_below_it(talks: Path) -> None:
    found = find_inputs([str(talks)])
    assert [file.below for file in found.files] == ["a.mp3", "b.WAV", "e[1].flac", "sub/c.m4a"]
    assert found.many


def test_a_folder_means_several_files_also_where_it_has_one_today(talks: Path) -> None:
    found = find_inputs([str(talks / "sub")])
    assert (len(found.files), found.many) == (1, True)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("*.mp3", ["a.mp3"]), ("?.*", ["a.mp3", "a.txt", "b.WAV"]), ("**/*.m4a", ["c.m4a"])],
)
def test_a_pattern_means_what_it_matches(talks: Path, pattern: str, names: list[str]) -> None:
    found = find_inputs([str(talks / pattern)])
    assert [os.path.basename(file.path) for file in found.files] == names
    assert found.many


def test_a_file_that_looks_like_a_pattern_is_a_file(talks: Path) -> None:
    name = str(talks / "e[1].flac")
    found = find_inputs([name])
    assert ([file.path for file in found.files], found.many) == ([name], False)


def test_what_is_not_there_stays_to_be_told(talks: Path) -> None:
    names = ["none.wav", str(talks / "*.ogg"), "-"]
    assert [file.path for file in find_inputs(names).files] == names


def test_a_folder_without_sound_is_told(tmp_path: Path) -> None:
    [file] = find_inputs([str(tmp_path)]).files
    assert file.problem is not None
    assert "no sound" in file.problem
