"""Bytes from a terminal to keys, pure.

A character is a key by itself; everything else has a name (see `line_editor`). An escape
sequence is one key, ``unknown`` where it has no name here. Bracketed paste is one key:
``paste:`` and the text, so that pasted letters never act as keys.
"""

import codecs
import re

from live_cli.ui.line_editor import PASTE
from live_cli.ui.printable import is_control

PASTE_ON = "\x1b[?2004h"
PASTE_OFF = "\x1b[?2004l"
MAX_PASTE_CHARACTERS = 1_000_000

_PASTE_START = "\x1b[200~"
_PASTE_END = "\x1b[201~"
_SEQUENCE = re.compile(r"\x1b(?:\[\[.|\[[0-?]*[ -/]*[@-Z\\-~]|O.)", re.DOTALL)
_PARTIAL = re.compile(r"\x1b(?:\[\[?[0-?]*[ -/]*|O)?\Z")

_LETTERS = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "H": "home",
    "F": "end",
    "M": "enter",
    "Z": "shift-tab",
}
_NUMBERS = {
    "1": "home",
    "2": "insert",
    "3": "delete",
    "4": "end",
    "5": "page-up",
    "6": "page-down",
    "7": "home",
    "8": "end",
}
_CONTROLS = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x00": "ctrl-space",
}


class KeyDecoder:
    """Fed with bytes as they come; gives the keys that are complete."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    @property
    def waiting(self) -> bool:
        """An escape has come that may be a key or the start of a sequence: time will tell."""
        return bool(self._text) and not self._text.startswith(_PASTE_START)

    def feed(self, data: bytes) -> list[str]:
        """The keys that these bytes complete."""
        self._text += self._utf8.decode(data)
        return self._take(final=False)

    def flush(self) -> list[str]:
        """The keys in what has come, when nothing followed for a while."""
        return [] if self._text.startswith(_PASTE_START) else self._take(final=True)

    def _take(self, *, final: bool) -> list[str]:
        keys: list[str] = []
        while self._text:
            key, used = self._first(final=final)
            if not used:
                break
            self._text = self._text[used:]
            keys.append(key)
        return keys

    def _first(self, *, final: bool) -> tuple[str, int]:
        """The first key and the characters it takes, 0 when more must come."""
        text = self._text
        if text.startswith(_PASTE_START):
            return self._paste()
        if text[0] != "\x1b":
            return _name(text[0]), 1
        if found := _SEQUENCE.match(text):
            return _sequence_name(found[0]), found.end()
        if not final and _PARTIAL.match(text):
            return "", 0
        if len(text) > 1 and text[1] not in "\x1b[O":
            return f"alt-{_name(text[1])}", 2
        return "escape", 1

    def _paste(self) -> tuple[str, int]:
        start = len(_PASTE_START)
        end = self._text.find(_PASTE_END, start)
        if end >= 0:
            return PASTE + self._text[start:end], end + len(_PASTE_END)
        if len(self._text) > MAX_PASTE_CHARACTERS:
            return PASTE + self._text[start:], len(self._text)
        return "", 0


def _name(char: str) -> str:
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char == "\x1b":
        return "escape"
    if "\x01" <= char <= "\x1a":
        return "ctrl-" + chr(ord(char) + 0x60)
    return "unknown" if is_control(char) else char


def _sequence_name(sequence: str) -> str:
    if sequence[-1] == "~":
        return _NUMBERS.get(sequence[2:-1].split(";")[0], "unknown")
    if sequence.startswith("\x1b[["):
        return "unknown"  # function keys of the Linux console
    return _LETTERS.get(sequence[-1], "unknown")
