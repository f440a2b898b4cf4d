"""Pictures as they are sent: upright, small, without metadata; and what is no picture."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from live_cli.errors import InputFileError
from live_cli.pictures.picture import MOST_BYTES, EncodedPicture, prepare

ORIENTATION, GPS = 0x0112, 0x8825


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


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_usual_format_is_read(kind: str) -> None:
    picture = prepare(saved(Image.new("RGB", (40, 30), "red"), kind), "x")
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


def test_a_picture_is_turned_as_its_camera_was_held_and_loses_where_that_was() -> None:
    image = Image.new("RGB", (400, 200), "blue")
    image.paste("yellow", (0, 0, 200, 200))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS)[1] = "N"
    data = saved(image, "JPEG", exif=exif, comment=b"secret place")
    picture = prepare(data, "x")
    upright = decoded(picture)
    assert upright.size == (200, 400)
    assert len(upright.getexif()) == 0
    assert b"secret" not in picture.data
    top = upright.convert("RGB").getpixel((100, 50))
    assert isinstance(top, tuple)
    assert top[2] < 100  # yellow is above


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
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decoded(prepare(data, "x")).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


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
        (bomb(60_000), "100 million"),
        (bytes(MOST_BYTES + 1), "MB"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "HEIC needs"),
    ],
)
def test_what_is_no_picture_is_said_by_its_name(data: bytes, said: str) -> None:
    with pytest.raises(InputFileError) as refused:
        prepare(data, "holiday.jpg")
    assert str(refused.value).startswith("holiday.jpg ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
