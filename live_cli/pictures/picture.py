"""A picture as it is sent: turned upright, scaled, without metadata, as JPEG or PNG. Pure.

Pillow is imported with the first picture. Whatever a file says it is, its bytes decide.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from live_cli.errors import InputFileError, SettingsError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES: Final = 20 * 1024 * 1024
"""Of a picture's file: the Live API takes 20 MB in a request."""
MOST_PIXELS: Final = 250_000_000
"""More than a photograph of the largest phones (200 megapixels): what has more is a bomb."""
_MOST_DECODED_PIXELS: Final = 110_000_000
"""Of what is decoded whole, which takes four bytes a pixel; a JPEG is decoded smaller."""
SUFFIXES: Final = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")
)
LONG_SIDE: Final = {"low": 512, "medium": 768, "high": 1024, None: 1024}
"""Pixels by media resolution: beyond these the service only makes a picture smaller itself
(768 pixels a tile; Google's own clients send 1024)."""
_WHITES: Final = (1.0, 255.0, 65_535.0)
"""What white may be in a grey of 32 bits: the least that holds all of it."""
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
_JPEG_QUALITY: Final = 85
_BEGINNINGS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_AVIF: Final = b"ftypavif"
_BRANDS: Final = {
    _AVIF, b"ftypavis", b"ftypheic", b"ftypheix", b"ftypheim", b"ftyphevc", b"ftypmif1", b"ftypmsf1"
}  # fmt: skip


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
        raise too_large(name)
    return encode(decode(data, name, long_side), long_side)


def too_large(name: str) -> InputFileError:
    """Return the error of a file of more than `MOST_BYTES`."""
    return InputFileError(
        f"{name} is larger than {MOST_BYTES >> 20} MB, the most that a picture may have: "
        "make it smaller first."
    )


def encode(image: "Image", long_side: int) -> EncodedPicture:
    """Return ``image``, scaled, as JPEG or as PNG, whichever is smaller; nothing but its pixels."""
    profile = image.info.get("icc_profile")
    image = _smooth(image)
    image.thumbnail((long_side, long_side))
    shown = opaque(_in_srgb(image, profile) if profile else image)
    shown.info.clear()  # Pillow writes what it finds there: comments, profiles
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
            _refuse_bomb(image, name, MOST_PIXELS)
            image.draft("RGB", (2 * long_side, 2 * long_side))  # a JPEG is decoded smaller
            _refuse_bomb(image, name, _MOST_DECODED_PIXELS)
            image.load()
            return _upright(image, operations)
    except InputFileError:
        raise
    except Exception as exc:
        raise InputFileError(
            f"{name} is no picture that can be read: {_reason(data, exc)}."
        ) from exc


def _refuse_bomb(image: "Image", name: str, most: int) -> None:
    if image.width * image.height > most:
        raise InputFileError(
            f"{name} has {image.width:,} x {image.height:,} pixels, more than "
            f"{most / 1e6:.0f} million: make it smaller first."
        )


def _upright(image: "Image", operations: Any) -> "Image":
    try:
        upright: Image = operations.exif_transpose(image)
    except Exception:  # noqa: BLE001 - of metadata that is damaged nothing is lost
        return image
    return upright


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise SettingsError("Pictures need Pillow: pip install 'live-cli[video]'.") from None
    try:
        from pi_heif import register_heif_opener
    except ImportError:
        pass
    else:
        register_heif_opener()
    Image.init()
    Image.MAX_IMAGE_PIXELS = None  # `MOST_PIXELS` is looked at before anything is decoded
    return Image, ImageOps


def begins_as_picture(head: bytes) -> bool:
    """Return whether a file's first 12 bytes are those of a picture that can be read here."""
    is_webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    return is_webp or head.startswith(_BEGINNINGS) or head[4:12] in _BRANDS


def _reason(data: bytes, exc: Exception) -> str:
    pillow, _ = _pillow()
    if data[4:12] in _BRANDS - {_AVIF} and "HEIF" not in pillow.OPEN:
        return "HEIC needs pip install pi-heif"
    if type(exc).__name__ != "UnidentifiedImageError":
        return " ".join(str(exc).split())[:200] or type(exc).__name__
    if begins_as_picture(data[:12]):
        return "it is damaged, or a part of it is missing"
    return "it is neither JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC nor AVIF"


def _smooth(image: "Image") -> "Image":
    """Return ``image`` in a mode that is scaled smoothly: palettes and single bits are not.

    Of more than 8 bits a pixel, which only grey has here, the upper 8 are kept.
    """
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("P", "PA"):
        return image.convert("RGBA")
    if image.mode == "F" or image.mode.startswith("I"):
        import numpy as np

        grey = np.asarray(image).astype(np.float32)
        high = float(grey.max(initial=0.0, where=np.isfinite(grey)))
        white = next((most for most in _WHITES if high <= most), high)
        if image.mode.startswith("I;16"):
            white = 65_535.0
        scaled = np.nan_to_num(grey * (255 / white)).clip(0, 255)
        return cast("Image", _pillow()[0].fromarray(scaled.astype(np.uint8)))
    return image


def _in_srgb(image: "Image", profile: bytes) -> "Image":
    """Return ``image`` with the colours that its profile means; as it is where that is damaged."""
    from PIL import ImageCms

    if image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image


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
    """Return whether PNG may be smaller: drawings and screens have few colours, photos do not."""
    return image.getcolors(maxcolors=4096) is not None
