"""The decoder of keys: bytes from a terminal in, names of keys out. Pure.

A character is a key by itself; any other key has a name (see `line_editor`). An escape
sequence is one key, ``unknown`` where it has no name here. Bracketed paste is one key:
``paste:`` and the text, so that pasted letters never act as keys.

Where the terminal speaks the kitty keyboard protocol and was asked to, each key tells when it
repeats (``repeat:`` before its name) and when it comes up (``release:``). The terminal's answer
about the protocol itself is the key ``flags:`` with the number of the flags it has turned on.
https://sw.kovidgoyal.net/kitty/keyboard-protocol/

What the terminal answers about images is the key ``graphics:``: sixels are among its device
attributes (DA1), kitty's protocol answers for itself.
"""

import codecs
import re

from live_cli.ui.printable import is_control
from live_cli.ui.terminal.line_editor import PASTE

PASTE_ON = "\x1b[?2004h"
PASTE_OFF = "\x1b[?2004l"
MAX_PASTE_CHARACTERS = 1_000_000

REPEAT, RELEASE = "repeat:", "release:"
FOCUS_IN, FOCUS_OUT = "focus-in", "focus-out"
FLAGS = "flags:"
GRAPHICS = "graphics:"
"""Before what the terminal has answered about images: ``sixel``, ``kitty`` or ``none``."""
RELEASES_TOLD = "releases-told"
"""From now on each key's release is told. A key of `keyboard`'s own; no terminal sends it."""

_PASTE_START = "\x1b[200~"
_PASTE_END = "\x1b[201~"
_SEQUENCE = re.compile(
    r"\x1b(?:\[\[.|\[[0-?]*[ -/]*[@-Z\\-~]|O.|_G[^\x1b]{0,200}\x1b\\)", re.DOTALL
)
_PARTIAL = re.compile(r"\x1b(?:\[\[?[0-?]*[ -/]*|O|_(?:G[^\x1b]{0,200}\x1b?)?)?\Z")

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
    """Takes bytes as they come; gives the keys that are complete."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    @property
    def waiting(self) -> bool:
        """Return whether an escape is held: a key, or the start of a sequence to come."""
        return bool(self._text) and not self._text.startswith(_PASTE_START)

    def feed(self, data: bytes) -> list[str]:
        """Return the keys that ``data`` completes."""
        self._text += self._utf8.decode(data)
        return self._take(final=False)

    def flush(self) -> list[str]:
        """Return the keys in the bytes held, once nothing has followed for a while."""
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
        """Return the first key and its length in characters, 0 when more must come."""
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
    final, inside = sequence[-1], sequence[2:-1]
    if sequence in _FOCUS:
        return _FOCUS[sequence]
    if sequence.startswith("\x1b_"):
        return f"{GRAPHICS}kitty" if sequence.endswith(";OK\x1b\\") else "unknown"
    if final == "c" and inside.startswith("?"):
        return f"{GRAPHICS}{'sixel' if '4' in inside[1:].split(';') else 'none'}"
    if sequence.startswith("\x1b[["):
        return "unknown"  # function keys of the Linux console
    if final == "u" and inside.startswith("?"):
        return FLAGS + inside[1:] if inside[1:].isdecimal() else "unknown"
    fields = [field.split(":") for field in inside.split(";")]
    modifiers, event = _modifiers_and_event(fields)
    if final == "u":
        name = _reported_name(fields, modifiers)
    elif final == "~":
        name = _NUMBERS.get(fields[0][0], "unknown")
    else:
        name = _LETTERS.get(final, "unknown")
    return {"2": REPEAT, "3": RELEASE}.get(event, "") + name


_FOCUS = {"\x1b[I": FOCUS_IN, "\x1b[O": FOCUS_OUT}
_SHIFT, _ALT, _CTRL, _LOCKS = 1, 2, 4, 64 | 128
_KEYPAD_ENTER = 57_414
_PRIVATE_USE = range(0xE000, 0xF900)


def _modifiers_and_event(fields: list[list[str]]) -> tuple[int, str]:
    """Return the modifier bits without the locks, and 1, 2 or 3: pressed, repeated, released."""
    if len(fields) < 2:
        return 0, "1"
    bits, event = fields[1][0], fields[1][1] if len(fields[1]) > 1 else "1"
    return (int(bits) - 1) & ~_LOCKS if bits.isdecimal() and bits != "0" else 0, event


def _reported_name(fields: list[list[str]], modifiers: int) -> str:
    """Return the name of a key reported by number; the text it types has precedence."""
    text = _text(fields[2]) if len(fields) > 2 else ""
    if text:
        return _name(text) if len(text) == 1 else PASTE + text
    number = fields[0][0]
    if not number.isdecimal() or int(number) in (0, *_PRIVATE_USE) or int(number) > 0x10FFFF:
        return "enter" if number == str(_KEYPAD_ENTER) else "unknown"
    char = chr(int(number))
    if _is_surrogate(char):
        return "unknown"
    if modifiers & _CTRL:
        return f"ctrl-{char}" if char.isascii() and (char.isalpha() or char == "\\") else "unknown"
    if modifiers == _SHIFT:
        return "shift-tab" if char == "\t" else _name(char.upper()[:1])
    if modifiers == _ALT:
        return f"alt-{_name(char)}"
    return "unknown" if modifiers else _name(char)


def _text(codes: list[str]) -> str:
    """Return the text that a key types, without control characters and lone surrogates."""
    wrote = (chr(int(c)) for c in codes if c.isdecimal() and int(c) < 0x110000)
    return "".join(char for char in wrote if not is_control(char) and not _is_surrogate(char))


def _is_surrogate(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"
