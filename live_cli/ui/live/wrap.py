"""Text broken into rows of a terminal: at words or ideographs, never inside a character.

Latin words break at spaces and after hyphens. Scripts that put no spaces between words break
anywhere, except that closing punctuation does not start a row and opening punctuation does not
end one (the common core of UAX 14 and JIS X 4051).
"""

import re
from functools import lru_cache

from rich.cells import cell_len

from live_cli.ui.terminal.line_editor import next_stop

_NO_START = frozenset("、。，．：；！？）］｝〉》」』】〕〗…—～ー々”’·,.;:!?)]}%")
_PLAIN_RUN = re.compile(r"[A-Za-z0-9,.;:!?'\"()]+(?=[ -~\n]|\Z)")
"""ASCII with no place to break inside, taken at once: most text is made of it."""
_MARK = re.compile(r"\[\d{1,3}\]")
"""The number of a source, which stays with what it supports."""
_NO_END = frozenset("（［｛〈《「『【〔〖“‘([{")


def cells(text: str) -> int:
    """Return the columns that ``text`` takes on a terminal."""
    return len(text) if text.isascii() else cell_len(text)


@lru_cache(maxsize=32)  # a frame asks for the same open lines again and again
def wrap(text: str, width: int) -> tuple[tuple[int, int], ...]:
    """Return rows as (start, end) in ``text``, of ``width`` cells at most without last spaces.

    Line feeds break too. Between one row's end and the next one's start there is at most the
    line feed. A character wider than the row gets a row of its own. Empty text has no rows.
    """
    rows: list[tuple[int, int]] = []
    start = at = used = 0
    chance = -1  # the last place where this row may end
    while at < len(text):
        run = _PLAIN_RUN.match(text, at)
        stop = run.end() if run and run.end() - at <= width - used else next_stop(text, at)
        cluster = text[at:stop]
        if cluster[0] == "\n":
            rows.append((start, at))
            start = at = at + 1
            used, chance = 0, -1
            continue
        size = cells(cluster) if cluster != "\t" else 1
        if cluster.isspace():
            chance = stop  # spaces may hang over the edge
            used = min(used + size, width)
        elif used + size > width and at > start:
            at = chance if chance > start else at
            rows.append((start, at))
            start, used, chance = at, 0, -1
            continue
        else:
            used += size
            if stop < len(text) and _may_break(text, at, stop):
                chance = stop
        at = stop
    if start < len(text):
        rows.append((start, len(text)))
    return tuple(rows)


def _may_break(text: str, at: int, stop: int) -> bool:
    """Return whether a row may end after the characters from ``at`` to ``stop``."""
    before, after = text[at:stop], text[stop]
    if after in _NO_START or before[-1] in _NO_END or _MARK.match(text, stop):
        return False
    if before == "-":
        word = text.rfind(" ", 0, at) + 1
        return after.isalpha() and text[word] != "-"  # an option such as --input-device is whole
    return _is_ideographic(before[0]) or _is_ideographic(after)


def _is_ideographic(char: str) -> bool:
    """Return whether ``char`` is wide, as in scripts that put no spaces between words."""
    return char >= "\u2e80" and cell_len(char) == 2
