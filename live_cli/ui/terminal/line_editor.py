"""The editor of a line being typed: keys in, the finished line out. Pure.

A key is either one character or a name of more than one, as `keyboard.Keyboard` gives them:
``enter``, ``escape``, ``backspace``, ``delete``, ``left``, ``right``, ``home``, ``end``, ``up``,
``down``, ``tab``, ``ctrl-a`` to ``ctrl-z``. Pasted text comes as one key, ``paste:`` and the text.
"""

import unicodedata
from dataclasses import dataclass

PASTE = "paste:"
"""Start of the key that carries pasted text."""
MAX_CHARACTERS = 8_000
"""The limit of a line, far beyond any that a person types; further characters are dropped."""


@dataclass(frozen=True, slots=True)
class InputLine:
    """The text of the line, and the caret as a number of characters from the start."""

    text: str = ""
    caret: int = 0


class LineEditor:
    """Edits one line; `press` returns it once Enter ends it."""

    def __init__(self) -> None:
        self.line = InputLine()
        self.cancelled = False
        """True once Escape ended the line."""

    def press(self, key: str) -> str | None:
        """Take one key. Returns the line's text on Enter (the editor is then empty), else None."""
        text, caret = self.line.text, self.line.caret
        if key == "enter":
            self.line = InputLine()
            return text
        if key == "escape":
            self.line = InputLine()
            self.cancelled = True
            return None
        if len(key) == 1 or key.startswith(PASTE):
            self._insert(key if len(key) == 1 else " ".join(key[len(PASTE) :].split()))
        elif key in ("backspace", "ctrl-h"):
            self._cut(previous_stop(text, caret), caret)
        elif key == "delete":
            self._cut(caret, next_stop(text, caret))
        elif key in ("ctrl-w", "alt-backspace"):
            self._cut(_word_start(text, caret), caret)
        elif key == "ctrl-u":
            self._cut(0, caret)
        elif key == "ctrl-k":
            self._cut(caret, len(text))
        else:
            self._move(key)
        return None

    def _insert(self, typed: str) -> None:
        text, caret = self.line.text, self.line.caret
        if len(text) + len(typed) <= MAX_CHARACTERS:
            self.line = InputLine(text[:caret] + typed + text[caret:], caret + len(typed))

    def _cut(self, start: int, end: int) -> None:
        self.line = InputLine(self.line.text[:start] + self.line.text[end:], start)

    def _move(self, key: str) -> None:
        text, caret = self.line.text, self.line.caret
        moved = {
            "left": previous_stop(text, caret),
            "right": next_stop(text, caret),
            "home": 0,
            "ctrl-a": 0,
            "end": len(text),
            "ctrl-e": len(text),
        }.get(key, caret)
        self.line = InputLine(text, moved)


def next_stop(text: str, at: int) -> int:
    """Return the next place for the caret, past combining marks and joined emoji."""
    at = min(at + 1, len(text))
    while at < len(text) and (_extends(text[at]) or text[at - 1] == "\u200d"):
        at += 1
    return at


def previous_stop(text: str, at: int) -> int:
    """Return the place for the caret before ``at``."""
    at = max(at - 1, 0)
    while at > 0 and (_extends(text[at]) or text[at - 1] == "\u200d"):
        at -= 1
    return at


def _extends(char: str) -> bool:
    skin_tone = "\U0001f3fb" <= char <= "\U0001f3ff"
    return skin_tone or char == "\u200d" or unicodedata.category(char) in ("Mn", "Me", "Mc")


def _word_start(text: str, at: int) -> int:
    while at > 0 and text[at - 1].isspace():
        at -= 1
    while at > 0 and not text[at - 1].isspace():
        at -= 1
    return at
