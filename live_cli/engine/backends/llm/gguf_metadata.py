"""The description in a GGUF file: how prompts are written, what sees, where its tensors lie.

GGUF begins with key-value pairs, which hold the chat template and the vocabulary, and a table of
the tensors; the weights come after them and are not read
(https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). The ``gguf`` package reads the same,
in seconds for a large vocabulary.
"""

import mmap
import struct
from array import array
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TEMPLATE, _TOOL_TEMPLATE = "tokenizer.chat_template", "tokenizer.chat_template.tool_use"
_TOKENS, _TOKEN_TYPES = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_WANTED = frozenset({_TEMPLATE, _TOOL_TEMPLATE, _TOKENS, _TOKEN_TYPES})
_ARCHITECTURE, _VISION = "general.architecture", "clip.has_vision_encoder"
_ALIGNMENT, _USUAL_ALIGNMENT = "general.alignment", 32
_PROJECTOR = b"clip"  # the architecture of every projector, whatever its encoder

_HEADER = struct.Struct("<4sIQQ")  # magic, version, tensors, pairs
_U32, _U64, _ARRAY_HEADER = struct.Struct("<I"), struct.Struct("<Q"), struct.Struct("<IQ")
_STRING, _ARRAY, _INT32, _UINT32 = 8, 9, 5, 4
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a number, by the type of a value."""
_BOOLEAN = 7
UNKNOWN, CONTROL = 2, 3
"""Types of tokens that llama.cpp finds in the text of a prompt before anything else."""


@dataclass(frozen=True, slots=True)
class GgufMetadata:
    """The part of a GGUF file that is about prompts.

    ``template``: the chat template, "" for none. ``tool_template``: the one for requests with
    tools, "" where there is none of its own. ``tokens``: the text of each token of the vocabulary.
    ``token_types``: the type of each.
    """

    template: str
    tool_template: str
    tokens: list[bytes]
    token_types: list[int]


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """A row of the table. ``kind``: ggml's number of its type. ``at``: within the data."""

    name: bytes
    shape: tuple[int, ...]
    kind: int
    at: int

    def row(self) -> bytes:
        """Return the row as it stands in a file."""
        dimensions = len(self.shape)
        name = _U64.pack(len(self.name)) + self.name
        return name + _row(dimensions).pack(dimensions, *self.shape, self.kind, self.at)


@dataclass(frozen=True, slots=True)
class GgufTable:
    """The table of tensors: where in the file it stands, and where the data that it tells of.

    ``alignment``: of the data, and of each tensor in it, in bytes.
    """

    at: int
    data_at: int
    alignment: int
    tensors: list[GgufTensor]


def read_metadata(path: Path) -> GgufMetadata:
    """Read the metadata of the file at ``path``. Raises ValueError when it is no GGUF file."""
    found = _read(path, _WANTED)
    return GgufMetadata(
        _text(found.get(_TEMPLATE)),
        _text(found.get(_TOOL_TEMPLATE)),
        found.get(_TOKENS, []),
        list(found.get(_TOKEN_TYPES, ())),
    )


def check_projector(path: Path) -> None:
    """Refuse a file that makes no tokens of images, which llama.cpp calls an mmproj.

    Raises ValueError with the reason, as the end of a sentence.
    """
    found = _read(path, frozenset({_ARCHITECTURE, _VISION}))
    if found.get(_ARCHITECTURE) != _PROJECTOR:
        raise ValueError("it is a model and no projector")
    if not found.get(_VISION, True):  # files from before there were others do not say it
        raise ValueError("it is a projector of sound, not of images")


def read_tensors(data: mmap.mmap) -> GgufTable:
    """Read the table of the file in ``data``. Raises ValueError where it is damaged."""
    try:
        pairs = _Pairs(data)
        alignment = dict(pairs.wanted({_ALIGNMENT})).get(_ALIGNMENT) or _USUAL_ALIGNMENT
        _, _, count, _ = _HEADER.unpack_from(data, 0)
        at, tensors = pairs.at, []
        for _ in range(count):
            tensor, at = _tensor(data, at)
            tensors.append(tensor)
    except (struct.error, KeyError, OverflowError) as exc:
        raise ValueError("its table of tensors breaks off or is damaged") from exc
    return GgufTable(pairs.at, -(-at // alignment) * alignment, alignment, tensors)


def _tensor(data: mmap.mmap, at: int) -> tuple[GgufTensor, int]:
    name, at = _string(data, at)
    (dimensions,) = _U32.unpack_from(data, at)
    row = _row(dimensions)
    _, *shape, kind, place = row.unpack_from(data, at)
    return GgufTensor(name, tuple(shape), kind, place), at + row.size


def _row(dimensions: int) -> struct.Struct:
    """Return the layout of a row after its name: shape, kind, place."""
    return struct.Struct(f"<I{dimensions}QIQ")


def _read(path: Path, wanted: Set[str]) -> dict[str, Any]:
    """Return the pairs of the file at ``path`` whose names are ``wanted``."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return dict(_Pairs(data).wanted(wanted))
        except (struct.error, KeyError, OverflowError) as exc:
            raise ValueError("its metadata breaks off or is damaged") from exc


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


class _Pairs:
    """The key-value pairs of a file. ``at``: after the last that was read."""

    def __init__(self, data: mmap.mmap) -> None:
        magic, version, _, self._left = _HEADER.unpack_from(data, 0)
        if magic != b"GGUF" or version not in (2, 3):
            raise ValueError("it is no GGUF file of version 2 or 3")
        self._data = data
        self.at = _HEADER.size

    def wanted(self, names: Set[str]) -> Iterator[tuple[str, Any]]:
        """Yield the pairs whose names are wanted, up to the last of the file.

        Raises struct.error, KeyError or OverflowError where they break off.
        """
        while self._left:
            self._left -= 1
            key, at = _string(self._data, self.at)
            (kind,) = _U32.unpack_from(self._data, at)
            name = key.decode(errors="replace")
            value, self.at = _value(self._data, at + _U32.size, kind, keep=name in names)
            if name in names:
                yield name, value


def _value(data: mmap.mmap, at: int, kind: int, *, keep: bool) -> tuple[Any, int]:
    """Return the value at ``at`` and where the next thing begins; of numbers few are kept."""
    if kind == _STRING:
        return _string(data, at)
    if kind == _BOOLEAN:
        return bool(data[at : at + 1].strip(b"\0")), at + 1
    if kind != _ARRAY:
        number = _U32.unpack_from(data, at)[0] if keep and kind == _UINT32 else None
        return number, at + _SIZES[kind]
    kind, count = _ARRAY_HEADER.unpack_from(data, at)
    at += _ARRAY_HEADER.size
    if kind == _STRING:
        return _strings(data, at, count) if keep else (None, _past_strings(data, at, count))
    end = at + _SIZES[kind] * count
    numbers = array("i", data[at:end]) if keep and kind == _INT32 else None
    return numbers, end


def _string(data: mmap.mmap, at: int) -> tuple[bytes, int]:
    (size,) = _U64.unpack_from(data, at)
    at += _U64.size
    return data[at : at + size], at + size


def _strings(data: mmap.mmap, at: int, count: int) -> tuple[list[bytes], int]:
    strings: list[bytes] = []
    for _ in range(count):
        string, at = _string(data, at)
        strings.append(string)
    return strings, at


def _past_strings(data: mmap.mmap, at: int, count: int) -> int:
    unpack = _U64.unpack_from  # once for each pair of tokens that merge: half of the time here
    for _ in range(count):
        at += _U64.size + unpack(data, at)[0]
    return at
