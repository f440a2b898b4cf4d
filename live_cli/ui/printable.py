"""Text from outside, made safe to show: no character in it can steer a terminal or hide.

Characters made visible, each in one fixed way:

    C0 and DEL          the control pictures U+2400 to U+2421: ESC becomes ␛, NUL ␀, DEL ␡
    C1, lone surrogates,
    line separators,
    unassigned controls ‹U+009B›, ‹U+D800›, ‹U+2028›
    format characters   ‹U+202E›: bidi embeddings, overrides and isolates, zero-width spaces,
                        word joiners, soft hyphens, tags, the byte order mark

Kept, because words and emoji need them: ZWJ and ZWNJ, variation selectors, combining marks,
the Arabic and other prepended marks (U+0600 and kin), and the tag letters that follow the black
flag emoji (the flags of Scotland, Wales and England).
"""

import json
import re
import unicodedata

_PREPENDED_MARKS = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
_JOINERS = "\u200c\u200d"
_KEPT = re.compile(f"[{_PREPENDED_MARKS}{_JOINERS}]")

_FLAG = r"\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f"
"""Emoji tag sequence of a subdivision flag (Unicode TR 51, ED-14a)."""

_SUSPECT = re.compile(
    f"({_FLAG})|"
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff]"
)
_NEWLINE = re.compile("\r\n?")


def printable(text: str, *, newlines: bool = False) -> str:
    """Return `text` with every control character made visible.

    With ``newlines`` line feeds and tabs stay, and CR LF or a lone CR becomes a line feed.
    """
    if text.isascii() and text.isprintable():
        return text
    if newlines and "\r" in text:
        text = _NEWLINE.sub("\n", text)
    keep = "\n\t" if newlines else ""

    def shown(match: re.Match[str]) -> str:
        if match[1] or match[0] in keep:
            return match[0]
        return _visible(match[0])

    return _SUSPECT.sub(shown, text)


def escaped_in_json(text: str) -> str:
    """Return JSON with every character that `printable` would change as a \\u escape.

    A program that reads it finds the characters as they were, lone surrogates too, by which Python
    spells the bytes of a file name that are no UTF-8.
    """

    def escaped(match: re.Match[str]) -> str:
        if match[1] or match[0] == "\n":  # between the values: within one it is escaped already
            return match[0]
        return json.dumps(match[0])[1:-1] if match[0] != "\x7f" else "\\u007f"

    return _SUSPECT.sub(escaped, text)


def is_control(char: str) -> bool:
    """Whether ``char`` could steer a terminal or hide: `printable` never returns such a one."""
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and not _KEPT.match(char)


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"‹U+{code:04X}›"
