"""Session resumption handles: snapshots of histories, kept in memory for two hours. Pure.

A handle names the history as it was when the handle was issued; later turns are not in it
(reference §3.5). It is good for the principal that got it alone; to any other it is unknown.
Where there are too many handles, or what they keep takes too many bytes, the principal that has the
most makes room: its oldest snapshots lose their images and keep the words, and where that is not
enough its oldest handles are forgotten.
"""

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from live_cli.engine.conversation.history.entries import Entry, Snapshot
from live_cli.engine.conversation.kept_bytes import KeptBytes
from live_cli.engine.conversation.stored_snapshots import (
    SnapshotStore,
    decode_snapshot,
    encode_snapshot,
)
from live_cli.errors import UnsupportedError
from live_cli.fair_share import largest_holder
from live_cli.protocol.messages import ServerMessage, SessionResumptionUpdate

LIFETIME_S = 2 * 3600.0
_MOST_HANDLES = 1000
_MOST_BYTES = 128 * 1024 * 1024
"""Four histories full of images, or two hundred full of text that nobody could fill by speaking."""
_POLICY = 1008


class SessionHandles(Protocol):
    """The resumption handles of one session, wherever their snapshots are kept."""

    async def issue(self, model: str, snapshot: Snapshot) -> str | None:
        """Return a new handle for ``snapshot``; None when none can be kept now."""

    async def snapshot_of(self, handle: str, model: str) -> Snapshot:
        """Return the history behind ``handle``; it stays valid for further sessions.

        Raises UnsupportedError: 1008 for an unknown or expired handle, 1007 for another model.
        """


@dataclass(frozen=True, slots=True)
class _Resumable:
    """The snapshot behind one handle; ``has_images``: of the snapshot, not looked for anew."""

    model: str
    snapshot: Snapshot
    expires_at: float
    has_images: bool


class ResumptionUpdates:
    """Tells the client of one session of its handles; nothing unless they are ``on``."""

    def __init__(
        self,
        handles: SessionHandles,
        model: str,
        emit: Callable[[ServerMessage], Awaitable[None]],
        *,
        on: bool,
    ) -> None:
        self._handles = handles
        self._model = model
        self._emit = emit
        self._on = on
        self._early: tuple[Snapshot, str] | None = None
        """The handle that was made before the answer had been played, and what it stands for."""

    async def early_handle_for(self, snapshot: Snapshot, said: Entry) -> str | None:
        """Return a handle for ``snapshot`` and an answer that has been sent and not yet played.

        Playing takes seconds. Who loses the connection meanwhile has the whole answer, and would
        find neither it nor its question behind an older handle. None where none can be kept.
        """
        whole = Snapshot((*snapshot.entries, said))
        handle = await self._handles.issue(self._model, whole) if self._on else None
        self._early = None if handle is None else (whole, handle)
        return handle

    async def handle_for(self, snapshot: Snapshot) -> str | None:
        """Return a handle for ``snapshot``, None where none can be kept now."""
        early, self._early = self._early, None
        if early is not None and early[0] == snapshot:
            return early[1]
        return await self._handles.issue(self._model, snapshot) if self._on else None

    async def tell(self, handle: str | None) -> None:
        """Tell ``handle``; None: that the session cannot be resumed as it is."""
        if handle is None:
            await self.withhold()
        elif self._on:
            await self._send(SessionResumptionUpdate(new_handle=handle, resumable=True))

    async def withhold(self) -> None:
        """Tell that what comes now is in no handle (reference §3.5)."""
        if self._on:
            await self._send(SessionResumptionUpdate())

    async def _send(self, update: SessionResumptionUpdate) -> None:
        await self._emit(ServerMessage(session_resumption_update=update))


class Handles:
    """The resumption handles of one engine. ``now`` is seconds on any steady clock."""

    def __init__(self) -> None:
        # by principal and handle, oldest first
        self._resumable: dict[tuple[str, str], _Resumable] = {}
        self._bytes = KeptBytes()

    @property
    def kept_bytes(self) -> int:
        """The memory that all snapshots take, with what they share counted once."""
        return self._bytes.total

    def issue(self, principal: str, model: str, snapshot: Snapshot, now: float) -> str:
        """Return a new handle of ``principal`` for ``snapshot`` of a session with ``model``."""
        self._forget_expired(now)
        while len(self._resumable) >= _MOST_HANDLES:
            loser = largest_holder(Counter(holder for holder, _ in self._resumable))
            self._forget(next(key for key in self._resumable if key[0] == loser))
        handle = secrets.token_urlsafe(24)
        kept = _Resumable(model, snapshot, now + LIFETIME_S, bool(snapshot.images))
        self._resumable[principal, handle] = kept
        self._bytes.add(principal, snapshot)
        while self._bytes.total > _MOST_BYTES:
            self._make_room(largest_holder(self._bytes.by_principal))
        return handle

    def snapshot_of(self, principal: str, handle: str, model: str, now: float) -> Snapshot:
        """Return the history behind a handle of ``principal``; it stays valid for further sessions.

        Raises UnsupportedError: 1008 for an unknown or expired handle, 1007 for another model.
        """
        kept = self._resumable.get((principal, handle))
        if kept is None or kept.expires_at <= now:
            raise _unknown()
        _check_model(kept.model, model)
        return kept.snapshot

    def _forget_expired(self, now: float) -> None:
        while self._resumable:
            oldest, kept = next(iter(self._resumable.items()))
            if kept.expires_at > now:
                return
            self._forget(oldest)

    def _make_room(self, principal: str) -> None:
        """Take the images out of the oldest snapshot that has any, or else forget the oldest."""
        own = [key for key in self._resumable if key[0] == principal]
        for key in own:
            kept = self._resumable[key]
            if kept.has_images:
                without = kept.snapshot.without_images()
                self._bytes.add(principal, without)
                self._bytes.remove(principal, kept.snapshot)
                self._resumable[key] = replace(kept, snapshot=without, has_images=False)
                return
        self._forget(own[0])

    def _forget(self, key: tuple[str, str]) -> None:
        self._bytes.remove(key[0], self._resumable.pop(key).snapshot)


@dataclass(frozen=True, slots=True)
class LocalHandles:
    """`SessionHandles` of ``principal`` among those that this process keeps."""

    handles: Handles
    principal: str
    clock: Callable[[], float]

    async def issue(self, model: str, snapshot: Snapshot) -> str:
        return self.handles.issue(self.principal, model, snapshot, self.clock())

    async def snapshot_of(self, handle: str, model: str) -> Snapshot:
        return self.handles.snapshot_of(self.principal, handle, model, self.clock())


@dataclass(frozen=True, slots=True)
class StoredHandles:
    """`SessionHandles` whose snapshots are in a store outside this process."""

    store: SnapshotStore

    async def issue(self, model: str, snapshot: Snapshot) -> str | None:
        return await self.store.put(model, *encode_snapshot(snapshot))

    async def snapshot_of(self, handle: str, model: str) -> Snapshot:
        kept = await self.store.get(handle)
        if kept is None:
            raise _unknown()
        kept_model, data, images = kept
        _check_model(kept_model, model)
        return decode_snapshot(data, images)


def _unknown() -> UnsupportedError:
    return UnsupportedError(
        "The session handle is not known or has expired: start a new session.", _POLICY
    )


def _check_model(kept: str, asked: str) -> None:
    if kept != asked:
        raise UnsupportedError(f"A session of {kept[:40]} cannot be resumed with another model.")
