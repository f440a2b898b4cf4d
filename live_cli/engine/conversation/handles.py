"""Session resumption handles: snapshots of histories, kept in memory for two hours. Pure.

A handle names the history as it was when the handle was issued; later turns are not in it
(reference §3.5). It is good for the principal that got it alone; to any other it is unknown.
Where there are too many handles, the principal that has the most loses its oldest; where the
images in their snapshots come to too many bytes, the oldest snapshots lose their images and keep
the words.
"""

import secrets
from collections import Counter
from dataclasses import dataclass, replace

from live_cli.engine.conversation.history.entries import Snapshot
from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.errors import UnsupportedError
from live_cli.fair_share import largest_holder

LIFETIME_S = 2 * 3600.0
_MOST_HANDLES = 1000
_MOST_IMAGE_BYTES = 128 * 1024 * 1024
_POLICY = 1008


@dataclass(frozen=True, slots=True)
class _Resumable:
    """The snapshot behind one handle; ``images`` are the snapshot's, as counted."""

    model: str
    snapshot: Snapshot
    expires_at: float
    images: tuple[StoredImage, ...]


class Handles:
    """The resumption handles of one engine. ``now`` is seconds on any steady clock."""

    def __init__(self) -> None:
        # by principal and handle, oldest first
        self._resumable: dict[tuple[str, str], _Resumable] = {}

    def issue(self, principal: str, model: str, snapshot: Snapshot, now: float) -> str:
        """Return a new handle of ``principal`` for ``snapshot`` of a session with ``model``."""
        self._resumable = {
            key: kept for key, kept in self._resumable.items() if kept.expires_at > now
        }
        while len(self._resumable) >= _MOST_HANDLES:
            loser = largest_holder(Counter(holder for holder, _ in self._resumable))
            del self._resumable[next(key for key in self._resumable if key[0] == loser)]
        handle = secrets.token_urlsafe(24)
        self._resumable[principal, handle] = _Resumable(
            model, snapshot, now + LIFETIME_S, snapshot.images
        )
        self._forget_images()
        return handle

    def snapshot_of(self, principal: str, handle: str, model: str, now: float) -> Snapshot:
        """Return the history behind a handle of ``principal``; it stays valid for further sessions.

        Raises UnsupportedError: 1008 for an unknown or expired handle, 1007 for another model.
        """
        kept = self._resumable.get((principal, handle))
        if kept is None or kept.expires_at <= now:
            raise UnsupportedError(
                "The session handle is not known or has expired: start a new session.", _POLICY
            )
        if kept.model != model:
            raise UnsupportedError(
                f"A session of {kept.model[:40]} cannot be resumed with another model."
            )
        return kept.snapshot

    def _forget_images(self) -> None:
        """Bound the bytes of images; those that snapshots of one session share count once."""
        counted: set[int] = set()
        total = 0
        for key, kept in reversed(list(self._resumable.items())):
            sizes = {id(image): image.bytes for image in kept.images}
            total += sum(size for known, size in sizes.items() if known not in counted)
            counted |= sizes.keys()
            if total > _MOST_IMAGE_BYTES and kept.images:
                without = kept.snapshot.without_images()
                self._resumable[key] = replace(kept, snapshot=without, images=())
