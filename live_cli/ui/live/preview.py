"""The preview: the image that left last, in small, above the status of the live view.

It is drawn in the view's thread, anew for each image and each size of the window, and not at all
in a window that has no room for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from rich.text import Text

from live_cli.ui.live.region import ScreenRow
from live_cli.ui.live.styles import Styles
from live_cli.ui.live.terminal_graphics import (
    KITTY_DELETE,
    half_blocks,
    kitty_cells,
    kitty_image,
    sixel,
)
from live_cli.ui.printable import printable
from live_cli.ui.transcript.state import ViewState
from live_cli.ui.view import Graphics, ImageStatus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

COLUMNS: Final = 28
ROWS: Final = 7
"""Cells of the image at most: a stamp, enough to see what is sent."""
LEAST_WIDTH: Final = 60
LEAST_HEIGHT: Final = 14
"""Of the window without its status and what else stands at the bottom."""
_MARGIN: Final = 1

Colours = Literal["true", "cube"]
"""24 bits, or xterm's 256."""
CellSize = Callable[[], tuple[int, int] | None]
"""The width and height of a cell in pixels; None where the terminal does not tell."""


class Preview:
    """Makes rows of the last image; ``colours`` None: the terminal has too few for an image."""

    def __init__(self, styles: Styles, colours: Colours | None, cell_size: CellSize) -> None:
        self._styles = styles
        self._colours = colours
        self._cell_size = cell_size
        self._drawn: tuple[object, ...] = ()
        self._cells: list[str] = []
        self._last = ""
        self._has_sent = False

    def rows(self, state: ViewState, width: int, height: int) -> list[ScreenRow]:
        """Return the rows of the preview after an empty one; none where there is no room.

        ``height``: rows of the window that are left for it and for the lines that still grow.
        """
        images = state.images
        if self._colours is None or width < LEAST_WIDTH or height < LEAST_HEIGHT:
            return []
        if images is None or images.preview is None:
            return []
        columns, rows = cells_of(images.preview)
        self._draw(images.preview, columns, rows, state.graphics)
        captions = _captions(images, muted=state.muted)
        shown = [ScreenRow()]
        for index, cells in enumerate(self._cells):
            caption = captions[index] if index < len(captions) else Text()
            caption.truncate(width - columns - 2 * _MARGIN - 4)
            row = self._styles.row(caption)
            used = _MARGIN + columns + 2 + row.width
            shown.append(ScreenRow(f"{' ' * _MARGIN}{cells}  {row.ansi}", used))
        shown[-1] = ScreenRow(shown[-1].ansi + self._last, shown[-1].width)
        return shown

    def removal(self) -> str:
        """Return the sequence that takes the image from the terminal's memory, if it is there."""
        self._drawn = ()
        had, self._has_sent = self._has_sent, False
        return KITTY_DELETE if had else ""

    def _draw(self, image: "Pixels", columns: int, rows: int, graphics: Graphics) -> None:
        """Make the cells of ``image``, where they are not made yet."""
        cell = self._cell_size() if graphics == "sixel" else None
        drawn = (id(image), columns, rows, graphics, cell)
        if drawn == self._drawn:
            return
        self._drawn, self._last = drawn, ""
        if graphics == "kitty":
            self._has_sent = True
            self._cells = kitty_cells(columns, rows)
            self._cells[0] = kitty_image(image, columns, rows) + self._cells[0]
        elif cell is not None:
            self._cells = [" " * columns] * rows
            drawing = sixel(image, columns * cell[0], rows * cell[1])
            up = f"\x1b[{rows - 1}A" if rows > 1 else ""
            self._last = f"\x1b7{up}\r\x1b[{_MARGIN}C{drawing}\x1b8"
        else:
            self._cells = half_blocks(image, columns, rows, true_colour=self._colours == "true")


def cells_of(image: "Pixels") -> tuple[int, int]:
    """Return columns and rows for an image, its shape kept: a cell is twice as high as wide."""
    height, width, _ = image.shape
    rows = max(1, min(ROWS, round(COLUMNS * height / width / 2)))
    return max(1, min(COLUMNS, round(2 * rows * width / height))), rows


def _captions(images: ImageStatus, *, muted: bool) -> list[Text]:
    tokens = f" ({images.tokens:,} tokens)"
    saved = f"{images.saved:,} not sent: nothing had changed" if images.saved else ""
    sent = f"{images.sent:,} image{'' if images.sent == 1 else 's'} sent{tokens}"
    keys = Text.assemble(("v", "bold"), (" stops", "dim"))
    if muted:
        keys.append("; muting does not", "dim")
    dot = Text.assemble(("● ", "bold red"), printable(images.source))
    return [dot, Text(sent, "dim"), Text(saved, "dim"), keys]
