"""Images as the history keeps them: type checked, cost in tokens known. Pure."""

from dataclasses import dataclass

from live_cli.engine.setup.media import Resolution
from live_cli.engine.stages import IMAGE_TOKENS, Image
from live_cli.errors import UnsupportedError

LARGEST_IMAGE_BYTES = 7 * 1024 * 1024


@dataclass(frozen=True, slots=True, weakref_slot=True)
class StoredImage:
    """An image in the history: its billed ``tokens``, and those that the chat model reads.

    ``live``: it came as realtime video (modality VIDEO), not as a part of a turn (IMAGE).
    """

    image: Image
    tokens: int = Resolution().tokens
    live: bool = False
    model_tokens: int = IMAGE_TOKENS

    @property
    def bytes(self) -> int:
        return len(self.image.data)


def stored_image_of(
    data: bytes,
    mime_type: str,
    resolution: Resolution,
    *,
    live: bool = False,
    model_tokens: int = IMAGE_TOKENS,
) -> StoredImage:
    """Return the image in ``data``: JPEG, PNG or WebP, at most 7 MiB.

    Raises UnsupportedError (1007) for another type, for too many bytes, and where the first bytes
    are not those of ``mime_type``.
    """
    named = mime_type[:100].partition(";")[0].strip().lower().replace("image/jpg", "image/jpeg")
    if named not in ("image/jpeg", "image/png", "image/webp"):
        raise UnsupportedError(
            f"Images of type {named[:40]!r} are not read: send JPEG, PNG or WebP."
        )
    if not data:
        raise UnsupportedError("The image is empty.")
    if len(data) > LARGEST_IMAGE_BYTES:
        limit = LARGEST_IMAGE_BYTES // 2**20
        raise UnsupportedError(f"The image has {len(data) / 2**20:.1f} MiB; at most {limit} go in.")
    found = _type_of(data)
    if found is None:
        raise UnsupportedError(f"The data is not an image: it does not begin as {named} does.")
    if found != named:
        raise UnsupportedError(f"The image is {found}, not {named} as its mimeType says.")
    image = Image(data, named, resolution.detail)
    return StoredImage(image, resolution.tokens, live, model_tokens)


def _type_of(data: bytes) -> str | None:
    """Return the MIME type that the first bytes of a JPEG, PNG or WebP file tell, else None."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None
