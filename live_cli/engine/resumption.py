"""Handles that a session can be resumed by: histories in memory, for two hours. Pure.

A handle names the history at the moment it was given; what came after is not in it (reference:
session resumption). The oldest go first when there are too many.
"""

import secrets
from dataclasses import dataclass

from live_cli.engine.conversation import Snapshot
from live_cli.errors import UnsupportedError

LIFETIME_S = 2 * 3600.0
_MOST_HANDLES = 1000
_POLICY = 1008


@dataclass(frozen=True, slots=True)
class _Kept:
    model: str
    snapshot: Snapshot
    until: float


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
        self._kept[handle] = _Kept(model, snapshot, now + LIFETIME_S)
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
