"""Handles that a session can be resumed by: histories in memory, for two hours. Pure.

A handle names the history at the moment it was given; what came after is not in it (reference:
session resumption). The oldest go first when there are too many; and where the pictures in them
come to too many bytes, the oldest lose their pictures and keep what was said.
"""

import secrets
from dataclasses import dataclass, replace

from live_cli.engine.conversation.history import Snapshot
from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.errors import UnsupportedError

LIFETIME_S = 2 * 3600.0
_MOST_HANDLES = 1000
_MOST_PICTURE_BYTES = 128 * 1024 * 1024
_POLICY = 1008


@dataclass(frozen=True, slots=True)
class _Kept:
    model: str
    snapshot: Snapshot
    until: float
    pictures: tuple[StoredImage, ...]


class Handles:
    """Told ``now`` in seconds on any steady clock."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def give(self, model: str, snapshot: Snapshot, now: float) -> str:
        """A new handle for ``snapshot``."""
        self._kept = {name: kept for name, kept in self._kept.items() if kept.until > now}
        while len(self._kept) >= _MOST_HANDLES:
            del self._kept[next(iter(self._kept))]
        handle = secrets.token_urlsafe(24)
        self._kept[handle] = _Kept(model, snapshot, now + LIFETIME_S, snapshot.pictures)
        self._forget_pictures()
        return handle

    def take(self, handle: str, model: str, now: float) -> Snapshot:
        """The history behind ``handle``, which stays good. Raises UnsupportedError 1008 or 1007."""
        kept = self._kept.get(handle)
        if kept is None or kept.until <= now:
            raise UnsupportedError(
                "The session handle is not known or has expired: start a new session.", _POLICY
            )
        if kept.model != model:
            raise UnsupportedError(
                f"A session of {kept.model[:40]} cannot be resumed with another model."
            )
        return kept.snapshot

    def _forget_pictures(self) -> None:
        """Bound the bytes; histories of one session share their pictures, which count once."""
        counted: set[int] = set()
        total = 0
        for handle, kept in reversed(list(self._kept.items())):
            fresh = {id(picture): picture.bytes for picture in kept.pictures}
            total += sum(size for known, size in fresh.items() if known not in counted)
            counted |= fresh.keys()
            if total > _MOST_PICTURE_BYTES and kept.pictures:
                told = kept.snapshot.without_pictures()
                self._kept[handle] = replace(kept, snapshot=told, pictures=())
