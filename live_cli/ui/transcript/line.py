"""A line of the transcript, and the operations on lines. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from live_cli.ui.transcript.alignment import Alignment, word_end

LineSource = Literal["you", "model", "thought", "tool", "code", "source", "note", "error"]


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of the transcript. ``text`` is safe to print.

    ``offset`` counts the characters trimmed from its start, which are in the scrollback already.
    """

    speaker: LineSource
    text: str = ""
    preview: str = ""
    """Interim input transcript, which the next one replaces."""
    turn: int = 0
    closed: bool = False
    cut: int | None = None
    """Characters of ``text`` before the interruption; the rest was never heard."""
    heard: int | None = None
    """Characters of ``text`` heard so far; None for written text."""
    offset: int = 0
    alignment: Alignment = field(default_factory=Alignment)
    marks: tuple[tuple[int, str], ...] = ()
    """Numbers of sources, each with the character that it follows; `offset` counts among them."""
    link: str | None = None
    """Where the line leads: an address of visible ASCII."""

    @property
    def is_unheard(self) -> bool:
        """Return whether the line was cut before anything of it was heard."""
        return self.cut == 0 and self.offset == 0

    @property
    def whole(self) -> str:
        """The text with its preview."""
        return self.text + self.preview


def trim(line: TranscriptLine, characters: int) -> TranscriptLine:
    """Return ``line`` without its first ``characters``, which have scrolled away."""
    return replace(
        line,
        text=line.text[characters:],
        offset=line.offset + characters,
        heard=None if line.heard is None else max(line.heard - characters, 0),
        cut=None if line.cut is None else max(line.cut - characters, 0),
    )


def joined(line: TranscriptLine, text: str) -> str:
    """Return the line's text with a delta, whose spaces count except at the line's start."""
    return line.text + text if line.text or line.offset else text.lstrip()


def cut_at(line: TranscriptLine, characters: int) -> TranscriptLine:
    """Return ``line`` closed and cut at the end of the word around the first ``characters``."""
    end = word_end(line.text, max(0, min(characters, len(line.text))))
    return replace(line, closed=True, cut=end)


def close(line: TranscriptLine) -> TranscriptLine:
    """Return ``line`` closed: a preview that was never replaced becomes its text."""
    return line if line.closed else replace(line, text=line.whole, preview="", closed=True)


def closed(lines: tuple[TranscriptLine, ...], speaker: LineSource) -> tuple[TranscriptLine, ...]:
    """Return ``lines`` with those of ``speaker`` closed."""
    return tuple(close(line) if line.speaker == speaker else line for line in lines)


def worth_showing(lines: Iterable[TranscriptLine]) -> tuple[TranscriptLine, ...]:
    """Return the lines that have text: an answer without a transcript has an empty one."""
    return tuple(line for line in lines if line.text.strip() or line.offset)


def put(
    lines: tuple[TranscriptLine, ...], index: int | None, line: TranscriptLine
) -> tuple[TranscriptLine, ...]:
    """Return ``lines`` with ``line`` at ``index``, or at the end where that is None."""
    if index is None:
        return (*lines, line)
    return (*lines[:index], line, *lines[index + 1 :])
