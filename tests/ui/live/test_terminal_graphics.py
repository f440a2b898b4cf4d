"""Images as terminals draw them, read back from the sequences."""

import base64
import re
import zlib

import numpy as np
import pytest

from live_cli.ui.live.terminal_graphics import half_blocks, kitty_cells, kitty_image, sixel

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (128, 128, 128)


def halves(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> np.ndarray:
    """An image of two colours, one above the other."""
    image = np.empty((90, 160, 3), np.uint8)
    image[:45], image[45:] = top, bottom
    return image


def drawn(sequence: str) -> np.ndarray:
    """The pixels that a terminal makes of a sixel sequence, -1 where none was set."""
    head = re.match(r'\x1bP0;1;0q"1;1;(\d+);(\d+)', sequence)
    assert head is not None
    assert sequence.endswith("\x1b\\")
    width, height = int(head[1]), int(head[2])
    pixels = np.full((height + 6, width, 3), -1)
    colours: dict[int, tuple[int, ...]] = {}
    colour, x, top = 0, 0, 0
    for token in re.finditer(
        r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)(.)|([?-~])|([$-])", sequence[head.end() : -2]
    ):
        if token[1]:
            colours[int(token[1])] = tuple(int(token[n]) * 255 // 100 for n in (2, 3, 4))
        elif token[5]:
            colour = int(token[5])
        elif token[9]:
            x, top = 0, top + (6 if token[9] == "-" else 0)
        else:
            bits, run = ord(token[7] or token[8]) - 63, int(token[6] or 1)
            for row in range(6):
                if bits >> row & 1:
                    pixels[top + row, x : x + run] = colours[colour]
            x += run
    assert (pixels[height:] == -1).all(), "something was drawn below the image"
    return pixels[:height]


@pytest.mark.parametrize(("width", "height"), [(240, 140), (7, 5), (1, 1), (33, 61)])
def test_a_sixel_sets_every_pixel_in_its_colour(width: int, height: int) -> None:
    pixels = drawn(sixel(halves(RED, BLUE), width, height))
    assert pixels.shape == (height, width, 3)
    assert (pixels[0] == RED).all()
    assert (pixels[-1] == (BLUE if height > 1 else RED)).all()
    assert (drawn(sixel(halves(GREY, GREY), width, height)) >= 90).all()


def test_a_noisy_image_as_sixels_is_close_to_itself_and_a_flat_one_small() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (140, 240, 3)).astype(np.uint8)
    pixels = drawn(sixel(noise, 240, 140))
    assert np.abs(pixels - noise).max() <= 27  # half a step of six
    assert len(sixel(halves(RED, BLUE), 240, 140)) < 1000


@pytest.mark.parametrize(
    ("true_colour", "top", "bottom"),
    [(True, "2;255;0;0", "2;0;0;255"), (False, "5;196", "5;21")],
)
def test_half_blocks_hold_two_pixels_a_cell(true_colour: bool, top: str, bottom: str) -> None:
    rows = half_blocks(halves(RED, BLUE), 8, 1, true_colour=true_colour)
    assert rows == [f"\x1b[38;{top};48;{bottom}m▀" * 8 + "\x1b[0m"]


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (90, 160)])
def test_an_image_of_any_shape_fills_its_cells(shape: tuple[int, int]) -> None:
    rows = half_blocks(np.full((*shape, 3), 7, np.uint8), 25, 7, true_colour=True)
    assert [row.count("▀") for row in rows] == [25] * 7
    assert {colour for row in rows for colour in re.findall(r"[34]8;2;(\d+;\d+;\d+)", row)} == {
        "7;7;7"
    }


def test_kitty_gets_the_pixels_in_pieces_and_cells_that_stand_for_them() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty_image(noise, 25, 7))
    keys = dict(key.split("=") for key in pieces[0][0].split(","))
    data = zlib.decompress(base64.b64decode("".join(data for _, data in pieces)))
    assert (keys["c"], keys["r"], keys["U"], keys["a"]) == ("25", "7", "1", "T")
    assert len(data) == 3 * int(keys["s"]) * int(keys["v"])
    assert all(len(data) <= 4096 for _, data in pieces)
    more = [re.search(r"m=(\d)", head) for head, _ in pieces]
    assert [found and found[1] for found in more] == ["1"] * (len(pieces) - 1) + ["0"]
    cells = kitty_cells(25, 7)
    assert [row.count("\U0010eeee") for row in cells] == [25] * 7
    assert len(set(cells)) == 7
