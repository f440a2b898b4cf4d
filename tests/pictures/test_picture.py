"""Pictures as they are sent: upright, small, without metadata; and what is no picture."""

import base64
import io
import struct
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from live_cli.errors import InputFileError
from live_cli.pictures.picture import MOST_BYTES, EncodedPicture, begins_as_picture, prepare
from tests.harness.seeing_endpoint import main_colour

ORIENTATION, GPS, DESCRIPTION = 0x0112, 0x8825, 0x010E
SECRET = "at home in Ada's garden"
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA"
    "AAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAACsAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABo"
    "dmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEA"
    "GEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAAD"
    "AIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEA"
    "AAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAM21k"
    "YXQAAAAnKAGvGSFgQkDvXaW//4jK/5iBf67W3ymSgKaXBNeImQsDgYCNkZ04"
)  # 16 x 16 pixels of red


def saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 90).convert("RGB")


def decoded(picture: EncodedPicture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    assert f"image/{image.format}".lower() == picture.mime_type
    assert image.size == (picture.width, picture.height)
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_usual_format_is_read(kind: str) -> None:
    data = saved(Image.new("RGB", (40, 30), "red"), kind)
    assert begins_as_picture(data[:12])
    picture = prepare(data, "x")
    red, green, blue = decoded(picture).convert("RGB").getpixel((20, 15))  # type: ignore[misc]
    assert (red > 240, green < 20, blue < 20) == (True, True, True)


@pytest.mark.parametrize(
    ("size", "long_side", "becomes"),
    [
        ((4000, 3000), 1024, (1024, 768)),
        ((300, 2000), 768, (115, 768)),
        ((640, 480), 1024, (640, 480)),
        ((1, 5000), 512, (1, 512)),
    ],
)
def test_a_picture_is_made_smaller_and_never_larger(
    size: tuple[int, int], long_side: int, becomes: tuple[int, int]
) -> None:
    image = decoded(prepare(saved(Image.new("RGB", size), "PNG"), "x", long_side))
    assert image.size == becomes


def test_a_picture_is_turned_as_its_camera_was_held() -> None:
    image = Image.new("RGB", (400, 200), "blue")
    image.paste("yellow", (0, 0, 200, 200))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS)[1] = "N"
    upright = decoded(prepare(saved(image, "JPEG", exif=exif), "x"))
    assert upright.size == (200, 400)
    top = upright.convert("RGB").getpixel((100, 50))
    assert isinstance(top, tuple)
    assert top[2] < 100  # yellow is above


def with_secrets(image: Image.Image, kind: str) -> bytes:
    """A file that tells of itself in every way that its format has."""
    exif = Image.Exif()
    exif[DESCRIPTION] = SECRET
    exif.get_ifd(GPS)[29] = SECRET
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET)
    text.add_itxt("XML:com.adobe.xmp", SECRET)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    words = SECRET.encode()
    ways: dict[str, dict[str, Any]] = {
        "JPEG": {"exif": exif, "comment": words, "xmp": words, "icc_profile": profile},
        "PNG": {"exif": exif, "pnginfo": text, "icc_profile": profile},
        "WEBP": {"exif": exif, "xmp": words, "icc_profile": profile},
        "GIF": {"comment": words},
        "TIFF": {"exif": exif, "description": SECRET, "icc_profile": profile},
    }
    data = saved(image, kind, **ways[kind])
    assert words in data
    return data


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_nothing_but_pixels_leaves(kind: str, drawn: bool) -> None:
    image = Image.new("RGB", (200, 200), "navy") if drawn else noise(200, 200)
    picture = prepare(with_secrets(image, kind), "x")
    assert picture.mime_type == ("image/png" if drawn else "image/jpeg")
    for told in (SECRET.encode(), b"Exif", b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"iCCP", b"ICC_"):
        assert told not in picture.data
    assert set(decoded(picture).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_metadata_that_is_damaged_harms_no_picture() -> None:
    data = saved(Image.new("RGB", (40, 40), "red"), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\xff\xff\xff",
                 icc_profile=b"no profile")  # fmt: skip
    assert decoded(prepare(data, "x")).convert("RGB").getpixel((9, 9)) == (254, 0, 0)


def test_heic_is_read_with_its_library() -> None:
    picture = decoded(prepare(HEIC, "IMG_0001.HEIC"))
    assert picture.size == (16, 16)
    assert picture.convert("RGB").getpixel((8, 8)) == (254, 0, 0)


def test_heic_without_its_library_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(InputFileError, match=r"^IMG_1\.HEIC .*: HEIC needs pip install pi-heif\.$"):
        prepare(HEIC, "IMG_1.HEIC")


@pytest.mark.parametrize(
    ("grey", "kind"),
    [(np.uint16(65_535), "PNG"), (np.float32(1.0), "TIFF"), (np.int32(65_535), "TIFF")],
)
def test_of_many_bits_the_upper_ones_are_kept(grey: Any, kind: str) -> None:
    ramp = (np.linspace(0, 1, 64 * 64).reshape(64, 64) * grey).astype(grey.dtype)
    sent = decoded(prepare(saved(Image.fromarray(ramp), kind), "x")).convert("L")
    assert [sent.getpixel((32, y)) for y in (0, 32, 63)] == pytest.approx([1, 130, 254], abs=4)


def test_a_scan_of_single_bits_is_scaled_to_greys() -> None:
    stripes = np.zeros((2000, 2000), np.bool_)
    stripes[:, ::2] = True
    sent = decoded(prepare(saved(Image.fromarray(stripes), "PNG"), "x", 512)).convert("L")
    assert sent.getpixel((256, 256)) == pytest.approx(128, abs=40)


def test_a_colour_is_what_its_profile_means() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    swapped = bytearray(profile)
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    data = saved(Image.new("RGB", (40, 40), "red"), "PNG", icc_profile=bytes(swapped))
    assert main_colour(decoded(prepare(data, "x"))) == "green"


def test_photographs_become_jpeg_and_drawings_what_is_smaller() -> None:
    assert prepare(saved(noise(300, 200), "PNG"), "x").mime_type == "image/jpeg"
    drawing = Image.new("RGB", (600, 400), "white")
    drawing.paste("black", (10, 10, 590, 14))
    assert prepare(saved(drawing, "BMP"), "x").mime_type == "image/png"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
def test_every_mode_is_sent_in_plain_colours(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    sent = decoded(prepare(saved(Image.new(mode, (30, 30)), kind), "x"))
    assert sent.mode in ("RGB", "L")


def test_transparency_is_white() -> None:
    sent = decoded(prepare(saved(Image.new("RGBA", (30, 30), (0, 0, 0, 0)), "PNG"), "x"))
    assert sent.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_of_an_animation_the_first_picture_counts() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert main_colour(decoded(prepare(data, "x"))) == "red"


def bomb(side: int) -> bytes:
    """A PNG whose header promises side x side pixels, of which there are none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"this is no picture", "neither JPEG"),
        (b"%PDF-1.4", "neither JPEG"),
        (bytes(100_000), "neither JPEG"),
        (saved(noise(200, 200), "JPEG")[:600], "no picture that can be read"),
        (saved(noise(200, 200), "PNG")[:600], "no picture that can be read"),
        (saved(noise(200, 200), "WEBP")[:600], "no picture that can be read"),
        (saved(noise(200, 200), "AVIF")[:600], "damaged"),
        (HEIC[:200], "damaged"),
        (bomb(60_000), "250 million"),
        (bomb(15_000), "110 million"),
        (bytes(MOST_BYTES + 1), "larger than 20 MB"),
    ],
)
def test_what_is_no_picture_is_said_by_its_name(data: bytes, said: str) -> None:
    with pytest.raises(InputFileError) as refused:
        prepare(data, "holiday.jpg")
    assert str(refused.value).startswith("holiday.jpg ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
