"""Where transcripts go and what they are: names decide, or are refused.

The name of a transcript is that of its sound file, so that it is the same whatever else is
transcribed with it, and a player finds it: ``talk.mp3`` -> ``talk.srt``. Where two of one run would
have one name, the later one keeps its suffix (``talk.ogg.srt``), and takes a number after that.
"""

import os
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from live_cli.commands.outputs import (
    names_folder,
    refuse_overwriting,
    refuse_overwriting_any,
    suffix_of,
)
from live_cli.commands.transcribe.inputs import InputFile, SpeechInputs
from live_cli.errors import OptionError

SUFFIXES = {"text": ".txt", "srt": ".srt", "vtt": ".vtt", "json": ".json"}
_FORMATS = {suffix: name for name, suffix in SUFFIXES.items()}
_CAN_WRITE = "A transcript can be written as .txt, .srt, .vtt or .json"


def chosen_format(output: str | None, given: str | None, inputs: SpeechInputs) -> str:
    """Return the format: the one given, or the one that the output's name says, or text.

    Raises OptionError where the two differ, or the name says what cannot be written.
    """
    suffix = "" if output is None or _is_folder(output, inputs) else suffix_of(output)
    named = _FORMATS.get(suffix)
    if given is not None:
        if named not in (None, given):
            raise OptionError(f"{output} is named as {named}, and --format says {given}.")
        return given
    if suffix and named is None:
        raise OptionError(
            f"{output}: {_CAN_WRITE}. For another name say which with --format, such as "
            "--format text."
        )
    return named or "text"


def targets(inputs: SpeechInputs, file_format: str, output: str | None) -> list[Path | None]:
    """Return where each transcript goes; None is stdout.

    Raises InputFileError where that is one of the inputs, OptionError where one file is named for
    several transcripts.
    """
    if output is None or output == "-":
        return [None] * len(inputs.files)
    if not _is_folder(output, inputs):
        refuse_overwriting(output, _paths(inputs))
        return [Path(output)]
    is_folder = os.path.isdir(output) or names_folder(output)
    if not is_folder and (os.path.lexists(output) or suffix_of(output) in _FORMATS):
        raise OptionError(
            f"{output} is one file, and there may be several transcripts: name a folder, "
            f"such as {Path(output).with_suffix('')}{os.sep}"
        )
    paths = destinations(inputs.files, Path(output), SUFFIXES[file_format])
    refuse_overwriting_any(paths, _paths(inputs))
    return list(paths)


def _paths(inputs: SpeechInputs) -> list[str]:
    return [file.path for file in inputs.files]


def _is_folder(output: str, inputs: SpeechInputs) -> bool:
    return output != "-" and (inputs.many or names_folder(output) or os.path.isdir(output))


def destinations(files: Sequence[InputFile], folder: Path, suffix: str) -> list[Path]:
    """Return a path for each file: as below its own folder, so below ``folder``."""
    taken: set[Path] = set()
    paths: list[Path] = []
    for file in files:
        own = Path("stdin" if file.path == "-" else file.below)
        numbered = (f"{own.name}.{number}" for number in count(2))
        candidates = chain((own.stem, own.name), numbered)
        places = (folder / own.parent / f"{name}{suffix}" for name in candidates)
        path = next(place for place in places if place not in taken)
        taken.add(path)
        paths.append(path)
    return paths
