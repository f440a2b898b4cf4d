"""Which transcripts are there already, and which of them are whole.

A transcript that is being written has a marker beside it, ``talk.srt.unfinished``, until it is
whole: so ``--skip-existing`` does a file again that was interrupted, by whatever, a kill too.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from enum import Enum, auto
from pathlib import Path

from live_cli.errors import InputFileError, OptionError
from live_cli.streams import is_terminal
from live_cli.ui.printable import printable

_MARK = ".unfinished"
_WORDS = "live-cli transcribe has not finished {name}. With --skip-existing it is done again.\n"


class Existing(Enum):
    """What to do about transcripts that are there already."""

    ASK = auto()
    OVERWRITE = auto()
    SKIP = auto()


def existing_policy(*, force: bool, skip: bool, to_stdout: bool) -> Existing:
    """Return what the options say. Raises OptionError where they say two things, or nothing."""
    if force and skip:
        raise OptionError("--force overwrites and --skip-existing does not: leave one away.")
    if skip and to_stdout:
        raise OptionError("--skip-existing looks for files: name a folder or a file by --output.")
    return Existing.OVERWRITE if force else Existing.SKIP if skip else Existing.ASK


def mark_unfinished(target: Path) -> None:
    """Mark ``target`` as not whole. Raises OSError where nothing can be written beside it."""
    _marker(target).write_text(_WORDS.format(name=printable(target.name)), encoding="utf-8")


def mark_whole(target: Path) -> None:
    """Take the mark away again."""
    with contextlib.suppress(OSError):
        _marker(target).unlink()


def is_unfinished(target: Path) -> bool:
    """Return whether ``target`` is marked as not whole."""
    return _marker(target).exists()


def _marker(target: Path) -> Path:
    return target.with_name(target.name + _MARK)


def is_whole(target: Path) -> bool:
    """Return whether ``target`` is there and not marked as unfinished. An empty file is none."""
    return _is_there(target) and not is_unfinished(target)


def to_do(targets: Sequence[Path | None], policy: Existing, *, may_ask: bool) -> list[bool]:
    """Return which of ``targets`` are to be written; None, stdout, always is.

    ``may_ask``: whether standard input is free to answer. Raises InputFileError where a file is
    there and nobody said what to do about it.
    """
    if policy is Existing.OVERWRITE:
        return [True] * len(targets)
    if policy is Existing.SKIP:
        return [target is None or not is_whole(target) for target in targets]
    there = [target for target in targets if target is not None and _is_there(target)]
    if not there:
        return [True] * len(targets)
    if not (may_ask and is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise InputFileError(
            f"{_named(there)}: --force overwrites, --skip-existing transcribes the others."
        )
    if _asked(there) is Existing.OVERWRITE:
        return [True] * len(targets)
    return [target not in there for target in targets]


def _is_there(target: Path) -> bool:
    try:
        return target.is_file() and os.stat(target).st_size > 0
    except OSError:
        return False


def _named(there: Sequence[Path]) -> str:
    first = f"{there[0]} is there already"
    return first if len(there) == 1 else f"{first}, and {len(there) - 1} more"


def _asked(there: Sequence[Path]) -> Existing:
    """Ask the person at the terminal. Raises InputFileError for a no."""
    several = len(there) > 1
    choice = "[y]es, [s]kip, [N]o" if several else "[y/N]"
    what = "them" if several else "it"
    print(printable(f"{_named(there)}. Overwrite {what}? {choice} "), end="", file=sys.stderr)
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer in ("y", "yes"):
        return Existing.OVERWRITE
    if several and answer in ("s", "skip"):
        return Existing.SKIP
    raise InputFileError(f"Nothing was done: {_named(there)}.")
