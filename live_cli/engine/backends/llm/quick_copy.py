"""A copy of a small GGUF model with its weights in a type that llama.cpp is quick at.

For Q4_1, the type of the bundled model, llama.cpp has no kernel that takes several tokens at once:
as Q8_0 the same model reads a prompt in 0.6 of the time. The copy says the same: eight bits hold
what four bits and an offset say, to 1/254 of the largest number of a block of 32. It is made once,
in about a second, and kept in the cache folder.

A file is its metadata, a table of its tensors and their data
(https://github.com/ggml-org/ggml/blob/master/docs/gguf.md); only table and data are written anew.
"""

import hashlib
import logging
import mmap
from dataclasses import replace
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from live_cli import paths
from live_cli.engine.backends.llm.gguf_metadata import GgufTable, read_tensors
from live_cli.whole_files import replacing

_log = logging.getLogger("live_cli.serve.engine")

_MOST_BYTES = 1 << 28
"""Of a file that is copied: the copy of a larger one would take gigabytes of somebody's disk."""
_Q4_1, _Q8_0 = 3, 8
_BLOCK = 32
_FOUR_BITS = np.dtype([("scale", "<f2"), ("least", "<f2"), ("pairs", "u1", _BLOCK // 2)])
_EIGHT_BITS = np.dtype([("scale", "<f2"), ("values", "i1", _BLOCK)])


def quick_copy_of(path: Path, folder: Path | None = None) -> Path:
    """Return the file to load instead of ``path``: its copy in ``folder``, or ``path`` itself.

    The copy is made where it is missing. A file that needs none, or for whose copy there is no
    room, is loaded as it is. Raises ValueError when it is no GGUF file.
    """
    found = path.stat()
    if found.st_size > _MOST_BYTES:
        return path
    folder = folder or paths.cache_folder() / "quick"
    known_by = f"{path.resolve()}\0{found.st_size}\0{found.st_mtime_ns}"
    copy = folder / f"{path.stem}-{hashlib.sha256(known_by.encode()).hexdigest()[:16]}.gguf"
    if copy.is_file():
        return copy
    try:
        return copy if _write(path, copy) else path
    except OSError as exc:
        _log.warning("%s is used as it is, which is slower: no copy in %s (%s)", path, folder, exc)
        return path


def _write(path: Path, copy: Path) -> bool:
    """Write the copy; False where ``path`` has nothing to be quicker with. Raises OSError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        table = read_tensors(data)
        if all(tensor.kind != _Q4_1 for tensor in table.tensors):
            return False
        paths.make_private(copy.parent)
        with replacing(copy) as made:
            made.write(data[: table.data_at])
            _write_tensors(made, data, table)
            for older in copy.parent.glob(f"{path.stem}-{'?' * 16}.gguf"):
                older.unlink(missing_ok=True)
    return True


def _write_tensors(file: BinaryIO, data: mmap.mmap, table: GgufTable) -> None:
    """Write the data, what is Q4_1 as Q8_0, and then the table before it, which is as long."""
    places = sorted(tensor.at for tensor in table.tensors)
    ends = dict(pairwise([*places, len(data) - table.data_at]))
    made = []
    for tensor in table.tensors:
        at, begins = file.tell() - table.data_at, table.data_at + tensor.at
        if tensor.kind == _Q4_1:
            made.append(replace(tensor, kind=_Q8_0, at=at))
            file.write(_as_eight_bits(data, begins, prod(tensor.shape) // _BLOCK))
        else:
            made.append(replace(tensor, at=at))
            file.write(data[begins : table.data_at + ends[tensor.at]])
        file.write(bytes(-file.tell() % table.alignment))
    file.seek(table.at)
    file.writelines(tensor.row() for tensor in made)


def _as_eight_bits(data: mmap.mmap, at: int, blocks: int) -> bytes:
    """Return ``blocks`` of Q4_1 at ``at`` as Q8_0. Raises ValueError where there are fewer."""
    four = np.frombuffer(data, _FOUR_BITS, blocks, at)
    values = np.concatenate([four["pairs"] & 15, four["pairs"] >> 4], axis=1).astype(np.float32)
    values = values * four["scale"].astype(np.float32)[:, None] + four["least"][:, None]
    scale = np.abs(values).max(axis=1) / 127
    eight = np.empty(blocks, _EIGHT_BITS)
    eight["scale"] = scale
    eight["values"] = np.rint(values / np.where(scale > 0, scale, 1)[:, None])
    return eight.tobytes()
