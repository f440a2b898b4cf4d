"""Earlier turns read from a JSON file, for ``--history``.

The file is a list of turns, each short, ``{"role": "user", "text": "…"}``, or as on the wire,
``{"role": "model", "parts": [{"text": "…"}]}``.
"""

import json
from pathlib import Path
from typing import Any

from live_cli.bounded_read import read_bounded
from live_cli.errors import InputFileError
from live_cli.protocol.messages import Content, Part

_ROLES = ("user", "model")
_LARGEST_BYTES = 16 << 20
"""The largest message that a server of the Live API takes: all turns go in one."""


def read_history(path: Path) -> list[Content]:
    """Read the turns in ``path``. Raises InputFileError, which names the turn that is wrong."""
    try:
        turns = json.loads(read_bounded(path, _LARGEST_BYTES))
    except OSError as exc:
        raise InputFileError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    except (ValueError, RecursionError) as exc:
        raise InputFileError(f"{path} is not JSON: {exc}.") from exc
    if not isinstance(turns, list):
        raise InputFileError(f'{path} must be a list of turns: [{{"role": "user", "text": "…"}}].')
    return [_turn(path, number, turn) for number, turn in enumerate(turns, start=1)]


def _turn(path: Path, number: int, turn: Any) -> Content:
    role = turn.get("role") if isinstance(turn, dict) else None
    if role not in _ROLES:
        raise InputFileError(f"{path}: turn {number} needs a role, user or model.")
    texts = [turn["text"]] if "text" in turn else _part_texts(turn.get("parts"))
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise InputFileError(f"{path}: turn {number} needs a text.")
    return Content(role=role, parts=[Part(text=text) for text in texts])


def _part_texts(parts: Any) -> list[Any]:
    if not isinstance(parts, list):
        return []
    return [part.get("text") if isinstance(part, dict) else None for part in parts]
