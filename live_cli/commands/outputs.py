"""Checks of the files that a command writes: never over its own input, never two on stdout.

A name says what is in the file: its suffix is the format, a slash at its end a folder, "-" stdout.
"""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from live_cli.audio.files.sound_formats import SOUND_FORMATS
from live_cli.errors import InputFileError, OptionError, SettingsError

_SUFFIX = re.compile(r"\.[^\W\d]\w*")


def refuse_both_on_stdout(output: str | None, *, json: bool) -> None:
    """Raise SettingsError where records and sound would be mixed on stdout."""
    if json and output == "-":
        raise SettingsError("--json and --output - both want stdout: give --output a file.")


def refuse_unwritable_sound(output: str | None) -> None:
    """Raise OptionError where the name says what is no sound that can be written.

    A name without a suffix is a WAV file, None none, "-" bare PCM16 on stdout.
    """
    if output is None or output == "-":
        return
    if names_folder(output) or os.path.isdir(output):
        raise InputFileError(f"{output} is a folder: name a file for the sound.")
    if (suffix := suffix_of(output)) and suffix not in SOUND_FORMATS:
        names = ", ".join(SOUND_FORMATS)
        raise OptionError(f"{output}: sound can be written as one of {names}, or '-' for a pipe.")


def is_stdout(output: str | None) -> bool:
    """Whether ``output`` is stdout: "-", nothing, or a name that the system has for it.

    Those are opened anew by their names, from their beginning, where stdout is a file.
    """
    return output is None or output in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def suffix_of(output: str) -> str:
    """Return the suffix of a file's name in lower case, "" for none: ``talk.v2`` has ``.v2``.

    What begins with a digit is part of a name: ``talk.2026`` has none.
    """
    if output == "-":
        return ""
    suffix = Path(output).suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ""


def names_folder(output: str) -> bool:
    """Whether ``output`` says by a slash at its end that it is a folder."""
    return output.endswith(tuple(filter(None, (os.sep, os.altsep))))


def refuse_overwriting(output: str | os.PathLike[str] | None, inputs: Iterable[str]) -> None:
    """Raise InputFileError where ``output`` is one of ``inputs``, by whatever name or link.

    ``-`` is a stream and None is nothing: neither is a file.
    """
    if output is not None and os.fspath(output) != "-":
        refuse_overwriting_any([output], inputs)


def refuse_overwriting_any(
    outputs: Iterable[str | os.PathLike[str]], inputs: Iterable[str]
) -> None:
    """Raise InputFileError where one of ``outputs``, all of them files, is one of ``inputs``."""
    there = [identity for output in outputs if (identity := _identity(output))]
    names = {_identity(name): name for name in inputs if name != "-"} if there else {}
    for identity in there:
        if identity in names:
            raise InputFileError(
                f"{names[identity]} is the input: writing the output there would destroy it. "
                "Name another file with --output."
            )


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Return what is the same for all names of a file; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
