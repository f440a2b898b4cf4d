"""Files that are written whole or not at all, whatever happens meanwhile."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from live_cli.whole_files import replacing


@pytest.fixture
def path(tmp_path):
    (tmp_path / "kept").write_bytes(b"before")
    return tmp_path / "kept"


def test_what_was_there_is_there_until_all_is_written(path):
    with replacing(path) as file:
        file.write(b"af")
        file.flush()
        assert path.read_bytes() == b"before"
        file.write(b"ter\n")
    assert path.read_bytes() == b"after\n"
    assert os.listdir(path.parent) == ["kept"]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there_and_nothing_else(path, error):
    def write():
        with replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"before"
    assert os.listdir(path.parent) == ["kept"]


def test_where_it_cannot_take_its_place_nothing_is_left_beside(tmp_path):
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(IsADirectoryError), replacing(tmp_path / "folder") as file:
        file.write(b"no file may replace a folder")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_its_rights_are_those_asked_for_whatever_the_umask(tmp_path, mode):
    before = os.umask(0o277)
    try:
        with replacing(tmp_path / "new", mode) as file:
            found = os.fstat(file.fileno())
    finally:
        os.umask(before)
    assert stat.S_IMODE(found.st_mode) == stat.S_IMODE((tmp_path / "new").stat().st_mode) == mode


def test_several_writers_leave_one_of_theirs(path):
    def write(number):
        with replacing(path) as file:
            file.write(bytes([number]) * 100_000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(32)))
    content = path.read_bytes()
    assert content == content[:1] * 100_000
    assert os.listdir(path.parent) == ["kept"]
