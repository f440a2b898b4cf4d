"""Paths of pictures in a line that was typed, pasted or dragged into a terminal.

Terminals write the path of a dragged file in one of these ways, with a space behind it:

    '/home/ada/my cat.png'          in quotes: GNOME Terminal, Konsole, Windows Terminal (")
    /home/ada/my\\ cat.png           with backslashes: iTerm2, Terminal, kitty
    file:///home/ada/my%20cat.png   as an address: file managers, by the clipboard
    /home/ada/my cat.png            as it is: Alacritty, xterm

A word counts only where it is written as a path (absolute, or from ~ or .) and a picture is there:
`cat.png` inside a sentence is talk about a file, and sends nothing. Alone in its line it is sent.
"""

import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from live_cli.pictures.picture import SUFFIXES, begins_as_picture

_SUFFIXES: Final = tuple(SUFFIXES)
_ENDINGS: Final = "|".join(suffix[1:] for suffix in sorted(SUFFIXES))
_ROOT: Final = r"(?:~?/|\.{1,2}/|[A-Za-z]:[\\/]|\\\\)"
_WORD: Final = re.compile(
    rf"""(?<!\S)(?:
        '(?P<single>(?:[^']|'\\'')+)'(?!\S)
      | "(?P<double>[^"]+)"(?!\S)
      | (?P<address>file:/\S+)
      | (?P<bare>{_ROOT}(?:\\.|\S)*)
    )""",
    re.VERBOSE,
)
_WITH_SPACES: Final = re.compile(rf"{_ROOT}.+?\.(?:{_ENDINGS})(?=$|[\s.,;:!?)])", re.IGNORECASE)
_AFTER_A_WORD: Final = ".,;:!?)"


class PastedLine(NamedTuple):
    """A line without the paths of pictures that were in it.

    ``missing``: the path that was all of the line, and that leads to no file.
    """

    words: str
    paths: tuple[str, ...] = ()
    missing: str | None = None


class _Found(NamedTuple):
    start: int
    end: int
    path: str


def split_line(
    line: str, is_picture: Callable[[str], bool], *, windows: bool = sys.platform == "win32"
) -> PastedLine:
    """Return the words and the paths of pictures in ``line``.

    Of several pictures each leaves a number where its path was ("compare picture 1 with picture
    2"), one alone leaves nothing. ``is_picture`` tells of a path whether a picture is there.
    """
    whole = line.strip()
    alone = [path for path in _spellings(whole, windows) if path.lower().endswith(_SUFFIXES)]
    if path := next(filter(is_picture, alone), None):
        return PastedLine("", (path,))
    found = list(_pictures_in(line, is_picture, windows))
    if found:
        return PastedLine(_words(line, found), tuple(each.path for each in found))
    is_path = _WORD.fullmatch(whole) or _WITH_SPACES.fullmatch(whole)
    return PastedLine(line, missing=alone[0] if alone and is_path else None)


def is_picture_file(path: str) -> bool:
    """Return whether ``path`` leads to a file that is a picture by its name or its first bytes."""
    expanded = os.path.expanduser(path)
    if not os.path.isfile(expanded):
        return False
    if path.lower().endswith(_SUFFIXES):
        return True
    try:
        with open(expanded, "rb") as file:
            return begins_as_picture(file.read(12))
    except OSError:
        return False


def _pictures_in(line: str, is_picture: Callable[[str], bool], windows: bool) -> Iterator[_Found]:
    at = 0
    while match := _WORD.search(line, at):
        at = match.end()
        for end in _ends(line, match):
            spelled = _spellings(line[match.start() : end], windows)
            rooted = (path for path in spelled if re.match(_ROOT, path))
            if path := next(filter(is_picture, rooted), None):
                at = end
                yield _Found(match.start(), end, path)
                break


def _ends(line: str, match: re.Match[str]) -> Iterator[int]:
    """Yield where the path that begins with ``match`` may end, the likeliest first."""
    start, end = match.span()
    yield end
    if match["bare"] or match["address"]:
        yield start + len(match[0].rstrip(_AFTER_A_WORD))
        if longer := _WITH_SPACES.match(line, start):
            yield longer.end()


def _spellings(text: str, windows: bool) -> list[str]:
    """Return the paths that ``text`` may mean, by the ways in which terminals write one."""
    match = _WORD.fullmatch(text)
    if match and match["single"]:
        return [match["single"].replace("'\\''", "'")]
    if match and match["double"]:
        return [match["double"]]
    if match and match["address"]:
        return _of_address(text, windows)
    return [text] if windows else [re.sub(r"\\(.)", r"\1", text), text]


def _of_address(address: str, windows: bool) -> list[str]:
    parts = urlsplit(address)
    if parts.netloc.lower() not in ("", "localhost", socket.gethostname().lower()):
        return []
    path = os.fsdecode(unquote_to_bytes(parts.path))
    return [path.lstrip("/")] if windows else [path]


def _words(line: str, found: list[_Found]) -> str:
    pieces, at = [], 0
    for each in found:
        pieces.append(line[at : each.start].strip())
        at = each.end
    pieces.append(line[at:].strip())
    if len(found) == 1 or not any(pieces):
        return " ".join(filter(None, pieces))
    numbered = [pieces[0]]
    for number, piece in enumerate(pieces[1:], start=1):
        numbered += [f"picture {number}", piece]
    return " ".join(filter(None, numbered))
