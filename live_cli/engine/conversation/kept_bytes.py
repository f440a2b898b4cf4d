"""The memory that kept snapshots take, by principal. Pure.

Snapshots of one session share most of their entries, and entries their images: each object counts
once, for as long as any snapshot holds it.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from live_cli.engine.conversation.history.entries import Entry, Snapshot
from live_cli.engine.stages import ToolUse

_ENTRY_BYTES = 200
"""An entry and its place in each snapshot, without what it holds."""
_OBJECT_SHARE = 8
"""Bytes in memory of each character of a call's arguments, which are small objects in a tree."""


@dataclass(slots=True)
class _Held:
    """How many times an object is held, and its size in bytes."""

    times: int
    size: int


@dataclass(slots=True)
class KeptBytes:
    """The bytes of all snapshots that were added and not removed again."""

    by_principal: Counter[str] = field(default_factory=Counter)
    _held: dict[int, _Held] = field(default_factory=dict)  # by identity

    @property
    def total(self) -> int:
        return self.by_principal.total()

    def add(self, principal: str, snapshot: Snapshot) -> None:
        """Count a snapshot that ``principal`` keeps."""
        for part in _parts(snapshot):
            held = self._held.get(id(part))
            if held is None:
                held = self._held[id(part)] = _Held(0, _size(part))
                self.by_principal[principal] += held.size
            held.times += 1

    def remove(self, principal: str, snapshot: Snapshot) -> None:
        """Count a snapshot no longer, which was added for ``principal``."""
        for part in _parts(snapshot):
            held = self._held[id(part)]
            held.times -= 1
            if not held.times:
                del self._held[id(part)]
                self.by_principal[principal] -= held.size
        if not self.by_principal[principal]:
            del self.by_principal[principal]


def _parts(snapshot: Snapshot) -> Iterator[Entry | str | bytes | ToolUse]:
    """Yield the objects that a snapshot holds, and that others may hold as well."""
    for entry in snapshot.entries:
        yield entry
        yield entry.text
        yield from entry.calls
        for stored in entry.images:
            yield stored.image.data


def _size(part: Entry | str | bytes | ToolUse) -> int:
    match part:
        case Entry():
            return _ENTRY_BYTES
        case ToolUse(arguments=arguments):
            return _OBJECT_SHARE * len(json.dumps(arguments))
        case _:
            return sys.getsizeof(part)  # of text, one, two or four bytes for each character
