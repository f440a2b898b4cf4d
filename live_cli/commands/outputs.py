"""Checks of the files that a command writes: never over its own input, never two on stdout."""

import os
from collections.abc import Iterable
from pathlib import Path

from live_cli.errors import InputFileError, SettingsError


def refuse_both_on_stdout(output: str | None, *, json: bool) -> None:
    """Raise SettingsError where records and sound would be mixed on stdout."""
    if json and output == "-":
        raise SettingsError("--json and --output - both want stdout: give --output a file.")


def refuse_overwriting(output: str | os.PathLike[str] | None, inputs: Iterable[str]) -> None:
    """Raise InputFileError where ``output`` is one of ``inputs``, by whatever name or link.

    ``-`` is a stream and None is nothing: neither is a file.
    """
    if output is None or os.fspath(output) == "-":
        return
    for name in inputs:
        if name != "-" and _same_file(Path(output), Path(name)):
            raise InputFileError(
                f"{name} is the input: writing the output there would destroy it. "
                "Name another file with --output."
            )


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.is_file() and one.samefile(other)
    except OSError:
        return False
