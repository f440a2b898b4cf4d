import re
import sys
from collections.abc import Callable

import pytest
from rich.cells import cell_len

# Pseudo-terminals are POSIX.
collect_ignore = ["terminal/test_keyboard.py"] if sys.platform == "win32" else []

_TOKEN = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|\r|\n|([^\x1b\r\n])")


class Screen:
    """A terminal with scrollback: what the view's sequences do on a real one, and nothing else.

    An unknown sequence is an error, so that no stray code slips through a test.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.grid: list[str] = [""]
        self.top = 0
        self.row = self.column = 0
        self.modes: dict[str, bool] = {}

    def write(self, text: str) -> int:
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            assert found, f"not a sequence known here: {text[at : at + 12]!r}"
            at = found.end()
            if found[4]:
                self._put(found[4])
            elif found[3]:
                self._control(found[1], found[2], found[3])
            elif found[0] == "\r":
                self.column = 0
            else:
                self._line_feed()
        return len(text)

    def flush(self) -> None:
        pass

    @property
    def encoding(self) -> str:
        return "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> list[str]:
        """All that can be seen, by scrolling back too, without the last empty rows."""
        lines = [line.replace("\0", "").rstrip() for line in self.grid]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def cursor_shows(self) -> bool:
        return self.modes.get("25", True)

    def _line_feed(self) -> None:
        self.row += 1
        if self.row == len(self.grid):
            self.grid.append("")
        self.top = max(self.top, self.row - self.rows + 1)

    def _put(self, char: str) -> None:
        width = cell_len(char)
        if self.column + width > self.columns:
            assert self.modes.get("7", True) is False, "a row wrapped by itself"
            return
        line = self.grid[self.row].ljust(self.column)
        if width == 0:
            cell = char
            self.grid[self.row] = line[: self.column] + cell + line[self.column :]
            return
        cell = char + "\0" * (width - 1)
        self.grid[self.row] = line[: self.column] + cell + line[self.column + width :]
        self.column += width

    def _control(self, private: str, numbers: str, final: str) -> None:
        if private:
            self.modes[numbers] = final == "h"
        elif final == "A":
            self.row = max(self.top, self.row - int(numbers or 1))
        elif final == "C":
            self.column += int(numbers or 1)
        elif final in "KJ" and numbers == "":
            self.grid[self.row] = self.grid[self.row][: self.column]
            if final == "J":
                del self.grid[self.row + 1 :]
        else:
            assert final == "m", f"unknown sequence: {numbers}{final}"


@pytest.fixture
def screen() -> Callable[[int, int], Screen]:
    """Makes a terminal of so many columns and rows."""
    return Screen
