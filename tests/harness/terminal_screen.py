"""A terminal without a window: what a view's sequences do on a real one, and nothing else."""

import re

from rich.cells import cell_len

_TOKEN = re.compile(
    r"\x1b\[(?P<private>[?<>=]?)(?P<numbers>[0-9;]*)(?P<final>[A-Za-z])"
    r"|\x1b\]8;[^;\x1b]*;(?P<link>[ -~]*)\x1b\\"
    r"|\x1b_G[^\x1b]*\x1b\\"
    r"|(?P<steer>[\r\n])|(?P<char>[^\x1b\r\n])"
)
_QUERIES = {"u", "c", "h", "l", "q"}
"""Ends of private sequences that ask the terminal, or set a mode of it."""


class TerminalScreen:
    """A terminal with scrollback. It never answers a query, as a simple one would not.

    An unknown sequence is an error, so that no stray code slips through a test; so is a row that
    wraps by itself, unless ``wraps``.
    """

    def __init__(self, columns: int, rows: int, *, wraps: bool = False) -> None:
        self.columns, self.rows = columns, rows
        self.wraps = wraps
        self.top = 0
        self.row = self.column = 0
        self.modes: dict[str, bool] = {}
        self.links: list[str] = []
        self._grid: list[list[tuple[str, str]]] = [[]]
        self._style = ""
        self._rest = ""

    def write(self, text: str) -> int:
        at, whole = 0, self._rest + text
        self._rest = ""
        while at < len(whole):
            found = _TOKEN.match(whole, at)
            if found is None and len(whole) - at < 4_096 and whole[at] == "\x1b":
                self._rest = whole[at:]  # its end comes with the next piece
                break
            assert found, f"not a sequence known here: {whole[at : at + 12]!r}"
            at = found.end()
            if found["char"]:
                self._put(found["char"])
            elif found["final"]:
                self._control(found["private"], found["numbers"], found["final"])
            elif found["link"]:
                self.links.append(found["link"])
            elif found["steer"] == "\r":
                self.column = 0
            elif found["steer"] == "\n":
                self._line_feed()
        return len(text)

    def flush(self) -> None:
        """Fail where a sequence has no end."""
        assert not self._rest, f"not a sequence known here: {self._rest[:12]!r}"

    @property
    def encoding(self) -> str:
        return "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> list[str]:
        """All that can be seen, by scrolling back too, without the last empty rows."""
        lines = ["".join(char for char, _ in row).rstrip() for row in self._grid]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def ansi(self) -> list[str]:
        """The same rows with the sequences that style them."""
        rows = []
        for cells in self._grid[: len(self.text)]:
            row, last = "", ""
            for char, style in cells:
                row += ("\x1b[0m" + style if style != last else "") + char
                last = style
            rows.append(row + "\x1b[0m")
        return rows

    @property
    def cursor_shows(self) -> bool:
        return self.modes.get("25", True)

    def _line_feed(self) -> None:
        self.row += 1
        if self.row == len(self._grid):
            self._grid.append([])
        self.top = max(self.top, self.row - self.rows + 1)

    def _put(self, char: str) -> None:
        width = cell_len(char)
        if width and self.column + width > self.columns:
            if self.modes.get("7", True) is False:
                return
            assert self.wraps, "a row wrapped by itself"
            self.column = 0
            self._line_feed()
        row = self._grid[self.row]
        row += [(" ", "")] * (self.column - len(row))
        if width == 0:
            if self.column:
                before, style = row[self.column - 1]
                row[self.column - 1] = (before + char, style)
            return
        row[self.column : self.column + width] = [(char, self._style)] + [("", "")] * (width - 1)
        self.column += width

    def _control(self, private: str, numbers: str, final: str) -> None:
        if private:
            assert final in _QUERIES, f"unknown sequence: {private}{numbers}{final}"
            if private == "?" and final in "hl":
                self.modes[numbers] = final == "h"
        elif final == "A":
            self.row = max(self.top, self.row - int(numbers or 1))
        elif final == "C":
            self.column += int(numbers or 1)
        elif final in "KJ" and numbers == "":
            del self._grid[self.row][self.column :]
            if final == "J":
                del self._grid[self.row + 1 :]
        elif final == "m":
            ends = numbers in ("", "0")
            self._style = "" if ends else f"{self._style}\x1b[{numbers}m"
        else:
            assert final == "c", f"unknown sequence: {numbers}{final}"
