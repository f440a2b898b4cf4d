"""Earlier turns read from a file, for ``--history``, in whichever form it is written.

That is JSON or JSON lines with the forms of `history_forms`, or what live-cli itself writes
(`recorded_events`). ``-`` is standard input.
"""

import json
from pathlib import Path
from typing import Any

from live_cli.bounded_read import read_bounded, read_bounded_stdin
from live_cli.errors import InputFileError
from live_cli.plan.history_forms import EarlierTurns, NoTurnError, instruction_beside, turn_list
from live_cli.plan.recorded_events import (
    is_conversation,
    is_record,
    take_conversation,
    take_records,
)

STDIN = "-"
_LARGEST_BYTES = 16 << 20
"""The largest message that a server of the Live API takes: all turns go in one."""
_FORMS = (
    '[{"role": "user", "text": "…"}], a list of messages as OpenAI has them, a line of JSON for '
    "each, or what --json or --record has written"
)


def read_history(path: Path) -> EarlierTurns:
    """Read the turns in ``path``. Raises InputFileError, which names the turn that is wrong."""
    is_stdin = str(path) == STDIN
    name = "standard input" if is_stdin else str(path)
    try:
        content = (
            read_bounded_stdin(_LARGEST_BYTES) if is_stdin else read_bounded(path, _LARGEST_BYTES)
        )
    except OSError as exc:
        raise InputFileError(f"{name} cannot be read: {exc.strerror or exc}.") from exc
    try:
        text = content.decode(json.detect_encoding(content)).removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        raise InputFileError(f"{name} is not text: {exc.reason}. Save it as UTF-8.") from exc
    if not text.strip():
        raise InputFileError(f"{name} is empty. Write turns into it: {_FORMS}.")
    turns = EarlierTurns()
    if is_conversation(text):
        take_conversation(turns, text)
    else:
        _take_json(turns, name, text)
    return turns


def _take_json(turns: EarlierTurns, name: str, text: str) -> None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        if "\n" not in text.strip():
            raise InputFileError(f"{name} is not JSON: {exc}.") from exc
        _take_lines(turns, name, _lines_of(name, text, exc))
        return
    if is_record(value):
        take_records(turns, [value])
        return
    listed = turn_list(value)
    if listed is None:
        raise InputFileError(f"{name} holds no turns. It takes {_FORMS}.")
    if (instruction := instruction_beside(value)) is not None:
        turns.instructions.append(instruction)
    for number, turn in enumerate(listed, start=1):
        _take(turns, turn, f"{name}: turn {number}")


def _lines_of(name: str, text: str, whole: Exception) -> list[Any]:
    """Return a value for each line, None for a blank one. ``whole``: why it is no single value."""
    values: list[Any] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        try:
            values.append(json.loads(line) if line.strip() else None)
        except (ValueError, RecursionError) as exc:
            if not any(values):
                raise InputFileError(f"{name} is not JSON: {whole}.") from exc
            if number == len(lines) and any(map(is_record, values)):
                break  # the last record of a process that was killed
            raise InputFileError(f"{name}: line {number} is not JSON: {exc}.") from exc
    return values


def _take_lines(turns: EarlierTurns, name: str, values: list[Any]) -> None:
    """Take a value of each line: records, or turns, or whole conversations."""
    if any(map(is_record, values)):
        take_records(turns, filter(is_record, values))
        return
    for number, value in enumerate(values, start=1):
        listed = turn_list(value)
        for turn in [] if value is None else [value] if listed is None else listed:
            _take(turns, turn, f"{name}: line {number}")


def _take(turns: EarlierTurns, turn: Any, where: str) -> None:
    try:
        turns.take(turn)
    except NoTurnError as exc:
        raise InputFileError(f"{where} {exc}.") from None
