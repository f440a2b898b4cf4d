"""The bottom rows of a terminal, redrawn in place; finished rows scroll away above them.

Theory: the cursor is known to stand on a row of the region. To draw, it goes up to the region's
first row; rows that are done are written there and thereby pushed into the scrollback; then the
region's rows follow, each erased only behind its text, so that nothing flickers. Rows that did
not change are passed over. One frame is one write, inside a synchronized update (DEC private
mode 2026, ignored where unknown), with autowrap off, so that a character whose width the terminal
sees differently cannot push rows about.

A narrower window makes most terminals fold the rows that no longer fit; the way up is then
counted in folded rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SHOW_CURSOR = "\x1b[?25h"
HIDE_CURSOR = "\x1b[?25l"
_BEGIN = "\x1b[?2026h"
_END = "\x1b[?2026l"
_WRAP_OFF = "\x1b[?7l"
_WRAP_ON = "\x1b[?7h"
_ERASE_LINE = "\x1b[K"
_ERASE_BELOW = "\x1b[J"
RESTORE = _WRAP_ON + SHOW_CURSOR + _END


@dataclass(frozen=True, slots=True)
class ScreenRow:
    """One row of the screen: text with styles (SGR), and its width in columns."""

    ansi: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class Caret:
    """The place of the visible cursor: a row of the region and a column."""

    row: int
    column: int


class Region:
    """The rows at the bottom of the screen, and the text that changes one frame into the next."""

    def __init__(self) -> None:
        self._rows: tuple[ScreenRow, ...] = ()
        self._caret: Caret | None = None
        self._columns = 0

    def frame(
        self,
        rows: Sequence[ScreenRow],
        columns: int,
        *,
        above: Sequence[ScreenRow] = (),
        caret: Caret | None = None,
    ) -> str:
        """Return the text that makes ``above`` scroll away and ``rows`` stand below.

        ``columns`` is the width of the terminal now. The text is empty when nothing changes.
        """
        new = tuple(rows)
        same_width = columns == self._columns
        if not above and same_width and new == self._rows and caret == self._caret:
            return ""
        out = [_BEGIN, HIDE_CURSOR, self._to_top(columns)]
        if above or not same_width or not new:
            out.append(_ERASE_BELOW)
        out += [f"{row.ansi}\r\n" for row in above]
        out.append(_WRAP_OFF)
        old = self._rows if same_width and not above else ()
        for index, row in enumerate(new[:-1]):
            changed = index >= len(old) or row != old[index]
            out.append(f"{row.ansi}{_ERASE_LINE}\r\n" if changed else "\r\n")
        out += [row.ansi + _ERASE_BELOW for row in new[-1:]]
        out.append(_WRAP_ON)
        if caret is not None:
            out.append(_place(caret, len(new)))
        out.append(_END)
        self._rows, self._caret, self._columns = new, caret, columns
        return "".join(out)

    def clear(self, columns: int, above: Sequence[ScreenRow] = ()) -> str:
        """Return the text that leaves only ``above``, with the visible cursor below."""
        out = [self._to_top(columns), _ERASE_BELOW, *(f"{row.ansi}\r\n" for row in above)]
        self._rows, self._caret, self._columns = (), None, columns
        return "".join(out) + RESTORE

    def _to_top(self, columns: int) -> str:
        if not self._rows:
            return "\r"
        last = len(self._rows) - 1 if self._caret is None else self._caret.row
        up = sum(_folded(row.width, columns) for row in self._rows[:last])
        at = self._rows[last].width if self._caret is None else self._caret.column
        up += max(at - 1, 0) // columns if columns < self._columns else 0
        return f"\r\x1b[{up}A" if up else "\r"


def _folded(width: int, columns: int) -> int:
    return max(1, -(-width // columns))


def _place(caret: Caret, count: int) -> str:
    up = count - 1 - caret.row
    right = f"\x1b[{caret.column}C" if caret.column else ""
    return (f"\x1b[{up}A" if up else "") + "\r" + right + SHOW_CURSOR
