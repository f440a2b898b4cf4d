"""The speech files that a command line means: files, folders and patterns, in order."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NAMES = (
    "3gp aac ac3 aif aifc aiff alac amr ape au avi caf flac m4a m4b m4v mka mkv mov mp2 mp3 mp4 "
    "mpeg mpg oga ogg ogv opus rf64 snd spx w64 wav wave webm wma wmv wv"
)
SOUND_SUFFIXES = frozenset(f".{name}" for name in _NAMES.split())
"""What a folder is searched for: names of sound and of films. A file that is named itself is tried
whatever it is called."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A speech file to transcribe: its ``path``, or "-" for stdin.

    ``below``: its path from the folder that was named, in which its transcript goes on; else its
    name alone. ``problem``: why there is nothing to transcribe, in a sentence.
    """

    path: str
    below: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SpeechInputs:
    """All inputs. ``many``: whether there may be several, as a folder may hold one today."""

    files: tuple[InputFile, ...]
    many: bool


def find_inputs(given: Iterable[str]) -> SpeechInputs:
    """Return the files that ``given`` means: each a file, a folder, a pattern, or "-".

    A folder means the sound files in it and below it, hidden ones left out. A pattern, where no
    file has that very name, means what it matches; ``**`` matches folders too.
    """
    files: list[InputFile] = []
    many = False
    for name in given:
        paths = _matches(name)
        many = many or paths != [name] or os.path.isdir(name)
        for path in paths:
            files += _in_folder(path) if os.path.isdir(path) else [_file(path)]
    return SpeechInputs(tuple(files), many or len(files) > 1)


def _matches(name: str) -> list[str]:
    if name == "-" or not glob.has_magic(name) or os.path.lexists(name):
        return [name]
    # without a match the name stays: that it does not exist is said with the other files
    return sorted(glob.glob(name, recursive=True)) or [name]


def _file(path: str) -> InputFile:
    return InputFile(path, os.path.basename(path))


def _in_folder(folder: str) -> list[InputFile]:
    found = [InputFile(path, os.path.relpath(path, folder)) for path in _sound_files(folder)]
    if not found:
        problem = f"{folder} holds no sound file. Name the file itself if it is called otherwise."
        return [InputFile(folder, os.path.basename(os.path.normpath(folder)), problem)]
    return found


def _sound_files(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SOUND_SUFFIXES:
                yield os.path.join(place, name)
