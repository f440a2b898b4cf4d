"""An image as what a terminal can draw: half blocks, sixels, or the kitty protocol. Pure.

Half blocks are characters with two colours each, two pixels of a cell, and any terminal has them.
Sixels are pixels that replace what the cells show (DEC's format: bands of six rows, a colour at a
time). With kitty's protocol the image is sent once under a number, and characters of a private
code point stand for its cells, so that it moves and goes with the text around it.
https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders
https://vt100.net/docs/vt3xx-gp/chapter14.html
"""

import base64
import re
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    """RGB, ``(height, width, 3)``."""

KITTY_ID: Final = 93
"""The number of the one image; also the colour by which its cells name it."""
KITTY_DELETE: Final = f"\x1b_Ga=d,d=I,i={KITTY_ID},q=2\x1b\\"
_KITTY_CHUNK: Final = 4096
_PLACEHOLDER: Final = "\U0010eeee"
_KITTY_ROWS: Final = "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c"
"""Combining characters that number the rows of an image; further cells count by themselves."""
MOST_ROWS: Final = len(_KITTY_ROWS)
_LEVELS: Final = 6
_RUN: Final = re.compile(rb"(.)\1{3,}", re.DOTALL)


def half_blocks(image: "Pixels", columns: int, rows: int, *, true_colour: bool) -> list[str]:
    """Return ``rows`` rows of ``columns`` cells; else than in 24 bits, in the colours of a cube."""
    pixels = _averaged(image, columns, 2 * rows)
    colour = _rgb if true_colour else _of_cube
    lines = []
    for upper, lower in zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True):
        cells = (
            f"\x1b[38;{colour(top)};48;{colour(bottom)}m▀"
            for top, bottom in zip(upper, lower, strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return lines


def sixel(image: "Pixels", width: int, height: int) -> str:
    """Return the sequence that draws ``image`` from the cursor on, in pixels."""
    import numpy as np

    scaled = _nearest(image, width, height).astype(np.uint16)
    level = (scaled * (_LEVELS - 1) + 127) // 255
    colours = level[..., 0] * _LEVELS**2 + level[..., 1] * _LEVELS + level[..., 2]
    used = np.unique(colours)
    out = [f'\x1bP0;1;0q"1;1;{width};{height}'.encode()]
    out += [b"#%d;2;%d;%d;%d" % (number, *_percent(number)) for number in used.tolist()]
    out += [_band(colours[top : top + 6]) for top in range(0, height, 6)]
    return (b"".join(out) + b"\x1b\\").decode("ascii")


def _band(colours: "NDArray[np.uint16]") -> bytes:
    import numpy as np

    weights = (1 << np.arange(len(colours), dtype=np.uint8))[:, None]
    parts = []
    for number in np.unique(colours).tolist():
        bits = ((colours == number) * weights).sum(axis=0, dtype=np.uint8) + 63
        row = bits.astype(np.uint8).tobytes().rstrip(b"?")
        parts.append(b"#%d" % number + _RUN.sub(_repeated, row))
    return b"$".join(parts) + b"-"


def _repeated(run: "re.Match[bytes]") -> bytes:
    return b"!%d%s" % (len(run[0]), run[1])


def kitty_image(image: "Pixels", columns: int, rows: int) -> str:
    """Return the sequence that gives the terminal ``image``, for so many cells; it draws nothing.

    An earlier image is replaced.
    """
    scaled = _nearest(image, min(image.shape[1], columns * 8), min(image.shape[0], rows * 16))
    height, width, _ = scaled.shape
    data = base64.b64encode(zlib.compress(scaled.tobytes(), 1)).decode("ascii")
    keys = f"a=T,U=1,i={KITTY_ID},c={columns},r={rows},f=24,o=z,s={width},v={height},q=2"
    out = []
    for start in range(0, len(data), _KITTY_CHUNK):
        more = int(start + _KITTY_CHUNK < len(data))
        head = f"{keys},m={more}" if start == 0 else f"m={more},q=2"
        out.append(f"\x1b_G{head};{data[start : start + _KITTY_CHUNK]}\x1b\\")
    return "".join(out)


def kitty_cells(columns: int, rows: int) -> list[str]:
    """Return the rows of characters in whose place the terminal shows the image."""
    colour = f"\x1b[38;5;{KITTY_ID}m"
    return [
        f"{colour}{_PLACEHOLDER}{_KITTY_ROWS[row]}{_PLACEHOLDER * (columns - 1)}\x1b[0m"
        for row in range(rows)
    ]


def _averaged(image: "Pixels", width: int, height: int) -> "Pixels":
    """Return ``image`` in another size, each pixel the mean of those in its place."""
    import numpy as np

    summed = image.astype(np.uint32)
    for axis, size in ((0, height), (1, width)):
        edges = np.arange(size + 1) * image.shape[axis] // size
        counts = np.maximum(np.diff(edges), 1)
        summed = np.add.reduceat(summed, edges[:-1], axis=axis)
        summed //= counts.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1)).astype(np.uint32)
    return summed.astype(np.uint8)


def _nearest(image: "Pixels", width: int, height: int) -> "Pixels":
    import numpy as np

    rows = np.arange(height) * image.shape[0] // height
    columns = np.arange(width) * image.shape[1] // width
    return np.ascontiguousarray(image[rows[:, None], columns])


def _percent(number: int) -> tuple[int, ...]:
    digits = (number // _LEVELS**2, number // _LEVELS % _LEVELS, number % _LEVELS)
    return tuple(round(digit * 100 / (_LEVELS - 1)) for digit in digits)


def _rgb(pixel: list[int]) -> str:
    return f"2;{pixel[0]};{pixel[1]};{pixel[2]}"


def _of_cube(pixel: list[int]) -> str:
    """Return the nearest of xterm's 6 x 6 x 6 colours: 0, 95, 135, 175, 215, 255 each."""
    red, green, blue = (
        0 if part < 48 else 1 if part < 115 else (part - 35) // 40 for part in pixel
    )
    return f"5;{16 + 36 * red + 6 * green + blue}"
