"""Snapshots of histories as bytes, for a store outside this process. Pure but for the store.

A snapshot is msgpack behind its version; its images are kept beside it, each under the SHA-256 of
its bytes, so that the snapshots of one session share them. An image that the store has dropped is
left out of the history that comes back; the words stay.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from live_cli.engine.conversation.history.entries import Entry, Snapshot
from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.stages import Image, ToolUse
from live_cli.errors import UnsupportedError

VERSION = 1
"""Of the bytes; a replica that reads another one begins the session anew."""


class SnapshotStore(Protocol):
    """Keeps the snapshots of one session where other processes find them."""

    async def put(self, model: str, data: bytes, images: Mapping[bytes, bytes]) -> str | None:
        """Keep a snapshot and return a new handle for it; None when it cannot be kept now."""

    async def get(self, handle: str) -> tuple[str, bytes, Mapping[bytes, bytes]] | None:
        """Return the model, the snapshot and those images that are left; None: not known."""


class _KeptImage(msgspec.Struct, array_like=True):
    digest: bytes
    mime_type: str
    detail: str
    tokens: int
    live: bool
    model_tokens: int


class _KeptEntry(msgspec.Struct, omit_defaults=True):
    role: str
    text: str
    audio_s: float = 0.0
    images: tuple[_KeptImage, ...] = ()
    aside: str = ""
    overheard: bool = False
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = ()
    call_id: str | None = None


class _Kept(msgspec.Struct):
    version: int
    entries: list[_KeptEntry]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Kept)


def encode_snapshot(snapshot: Snapshot) -> tuple[bytes, dict[bytes, bytes]]:
    """Return a snapshot as bytes, and its images by their SHA-256."""
    images: dict[bytes, bytes] = {}
    entries = [_kept(entry, images) for entry in snapshot.entries]
    return _encoder.encode(_Kept(VERSION, entries)), images


def decode_snapshot(data: bytes, images: Mapping[bytes, bytes]) -> Snapshot:
    """Return the snapshot in ``data``, without the images that are not among ``images``.

    Raises UnsupportedError (1008) for bytes of another version.
    """
    try:
        kept = _decoder.decode(data)
    except msgspec.MsgspecError:
        kept = _Kept(0, [])
    if kept.version != VERSION:
        raise UnsupportedError(
            "The session was kept by another version of this server: start a new session.", 1008
        )
    entries = (_entry(each, images) for each in kept.entries)
    return Snapshot(tuple(entry for entry in entries if not entry.is_empty))


def _kept(entry: Entry, images: dict[bytes, bytes]) -> _KeptEntry:
    return _KeptEntry(
        entry.role,
        entry.text,
        entry.audio_s,
        tuple(_kept_image(stored, images) for stored in entry.images),
        entry.aside,
        entry.overheard,
        tuple((call.id, call.name, call.arguments) for call in entry.calls),
        entry.call_id,
    )


def _kept_image(stored: StoredImage, images: dict[bytes, bytes]) -> _KeptImage:
    image = stored.image
    digest = hashlib.sha256(image.data).digest()
    images[digest] = image.data
    return _KeptImage(
        digest, image.mime_type, image.detail, stored.tokens, stored.live, stored.model_tokens
    )


def _entry(kept: _KeptEntry, images: Mapping[bytes, bytes]) -> Entry:
    return Entry(
        kept.role,
        kept.text,
        kept.audio_s,
        tuple(_images(kept.images, images)),
        kept.aside,
        kept.overheard,
        tuple(ToolUse(*call) for call in kept.calls),
        kept.call_id,
    )


def _images(kept: Iterable[_KeptImage], images: Mapping[bytes, bytes]) -> Iterable[StoredImage]:
    for each in kept:
        if (data := images.get(each.digest)) is not None:
            image = Image(data, each.mime_type, each.detail)
            yield StoredImage(image, each.tokens, each.live, each.model_tokens)
