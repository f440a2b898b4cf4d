"""A picture as it is sent: turned upright, scaled, without metadata, as JPEG or PNG. Pure.

Pillow is imported with the first picture. Whatever a file says it is, its bytes decide.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from live_cli.errors import InputFileError, SettingsError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES: Final = 20 * 1024 * 1024
"""Of a picture's file: the Live API takes 20 MB in a request."""
MOST_PIXELS: Final = 100_000_000
"""A photograph of the largest phones (100 megapixels); what has more is a bomb, or wants to be
made smaller first: it takes 400 MB to decode."""
LONG_SIDE: Final = {"low": 512, "medium": 768, "high": 1024, None: 1024}
"""Pixels by media resolution: beyond these the service only makes a picture smaller itself
(768 pixels a tile; Google's own clients send 1024)."""
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
_JPEG_QUALITY: Final = 85


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture ready to be sent: its bytes, MIME type, and size in pixels."""

    data: bytes
    mime_type: str
    width: int
    height: int


def prepare(data: bytes, name: str, long_side: int = LONG_SIDE[None]) -> EncodedPicture:
    """Return the picture in ``data``, its longer side at most ``long_side`` pixels.

    Of an animation the first picture counts. ``name`` stands for it in errors. Raises
    InputFileError for what is no picture, is too large, or is in no format that is read here.
    """
    if len(data) > MOST_BYTES:
        raise InputFileError(
            f"{name} has {len(data) / 1e6:.0f} MB; a picture may have {MOST_BYTES / 1e6:.0f}."
        )
    return encode(decode(data, name, long_side), long_side)


def encode(image: "Image", long_side: int) -> EncodedPicture:
    """Return ``image``, scaled, as JPEG or as PNG, whichever is smaller."""
    image.thumbnail((long_side, long_side))
    shown = opaque(image)
    jpeg, png = io.BytesIO(), io.BytesIO()
    shown.save(jpeg, "JPEG", quality=_JPEG_QUALITY)
    if _has_few_colours(shown):
        shown.save(png, "PNG")
    is_png = 0 < png.tell() < jpeg.tell()
    data, kind = (png, "image/png") if is_png else (jpeg, "image/jpeg")
    return EncodedPicture(data.getvalue(), kind, shown.width, shown.height)


def decode(data: bytes, name: str, long_side: int = LONG_SIDE[None]) -> "Image":
    """Return the picture in ``data``, upright, as `prepare` does, not yet scaled or encoded."""
    import warnings

    if not data:
        raise InputFileError(f"{name} is empty.")
    pillow, operations = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken metadata is left out anyway
            known = [each for each in _FORMATS if each in pillow.OPEN]
            image: Image = pillow.open(io.BytesIO(data), formats=known)
            if image.width * image.height > MOST_PIXELS:
                raise InputFileError(
                    f"{name} has {image.width} x {image.height} pixels, more than "
                    f"{MOST_PIXELS / 1e6:.0f} million: make it smaller first."
                )
            image.draft("RGB", (2 * long_side, 2 * long_side))  # a JPEG is decoded smaller
            upright: Image = operations.exif_transpose(image)
            return upright
    except InputFileError:
        raise
    except Exception as exc:
        raise InputFileError(
            f"{name} is no picture that can be read: {_reason(data, exc)}."
        ) from exc


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise SettingsError("Pictures need Pillow: pip install 'live-cli[video]'.") from None
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        pass
    else:
        register_heif_opener()
    Image.init()
    Image.MAX_IMAGE_PIXELS = None  # `MOST_PIXELS` is looked at before anything is decoded
    return Image, ImageOps


def _reason(data: bytes, exc: Exception) -> str:
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "HEIC needs pip install pillow-heif"
    if type(exc).__name__ == "UnidentifiedImageError":
        return "it is neither JPEG, PNG, WebP, GIF, BMP, TIFF nor AVIF"
    return " ".join(str(exc).split())[:200] or type(exc).__name__


def opaque(image: "Image") -> "Image":
    """Return ``image`` in RGB, on white where it is transparent; a grey one stays grey."""
    if image.mode == "L":
        return image
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        ground: Image = _pillow()[0].new("RGB", image.size, "white")
        ground.paste(coloured, mask=coloured.getchannel("A"))
        return ground
    return image.convert("RGB")


def _has_few_colours(image: "Image") -> bool:
    """Whether PNG may be smaller: drawings and screens have few colours, photographs do not."""
    return image.getcolors(maxcolors=4096) is not None
