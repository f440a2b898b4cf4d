"""JSON values that a client sent, measured before they are read and written only in part. Pure.

A value has passed the parser, so it is a tree, but one as deep and as wide as a payload allows.
What converts or writes it is recursive and linear; a tree is therefore measured level by level
before it is converted, and written only as far as somebody reads it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from live_cli.errors import UnsupportedError

DEEPEST = 100
"""Levels of one value. Google's parser of protocol buffers, through which the Live API's JSON goes,
stops at 100 as well (protobuf, default recursion limit)."""

_TOO_DEEP = f"JSON is nested too deep: it has more than {DEEPEST} levels."


@dataclass(frozen=True, slots=True)
class JsonSize:
    """The number of values in JSON, and of the characters in its names and strings."""

    values: int
    characters: int


def size_of(values: Iterable[Any]) -> JsonSize:
    """Return the size of all ``values`` together.

    Raises UnsupportedError (1007) where they are nested deeper than `DEEPEST`.
    """
    count = characters = depth = 0
    level = list(values)
    while level:
        depth += 1
        if depth > DEEPEST:
            raise UnsupportedError(_TOO_DEEP)
        count += len(level)
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                characters += sum(map(len, value))
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                characters += len(value)
        level = below
    return JsonSize(count, characters)


def json_text(value: Any, most_characters: int) -> str:
    """Return ``value`` as JSON, all of it or at least its first ``most_characters``.

    More than those many characters mean that something may be missing at the end. Raises
    UnsupportedError (1007) where what is written is nested deeper than `DEEPEST`.
    """
    written: list[str] = []
    room = most_characters
    for piece in _pieces(value, most_characters, DEEPEST):
        written.append(piece)
        room -= len(piece)
        if room < 0:
            break
    return "".join(written)


def _pieces(value: Any, longest: int, levels: int) -> Iterator[str]:
    """Yield ``value`` as JSON in pieces; strings are cut at ``longest``."""
    if not levels:
        raise UnsupportedError(_TOO_DEEP)
    if isinstance(value, dict):
        yield "{"
        for number, (name, inner) in enumerate(value.items()):
            yield f"{', ' if number else ''}{_quoted(name, longest)}: "
            yield from _pieces(inner, longest, levels - 1)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, inner in enumerate(value):
            if number:
                yield ", "
            yield from _pieces(inner, longest, levels - 1)
        yield "]"
    else:
        yield _quoted(value, longest) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str, longest: int) -> str:
    return json.dumps(text[:longest], ensure_ascii=False)
