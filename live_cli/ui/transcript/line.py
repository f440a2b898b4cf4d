"""One line of the conversation, and what can be done to lines. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from live_cli.ui.transcript.alignment import Alignment

Speaker = Literal["you", "model", "thought", "tool", "note", "error"]


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of the conversation. ``text`` is safe to print; ``offset`` counts what has left."""

    speaker: Speaker
    text: str = ""
    preview: str = ""
    """Interim input transcript: the next one replaces it."""
    turn: int = 0
    closed: bool = False
    cut: int | None = None
    """Interrupted after so many characters of ``text``; the rest was never heard."""
    heard: int | None = None
    """Characters of ``text`` heard so far; None where hearing does not apply."""
    offset: int = 0
    alignment: Alignment = field(default_factory=Alignment)

    @property
    def whole(self) -> str:
        return self.text + self.preview


def trim(line: TranscriptLine, characters: int) -> TranscriptLine:
    """The line without its first characters, which are shown elsewhere already."""
    return replace(
        line,
        text=line.text[characters:],
        offset=line.offset + characters,
        heard=None if line.heard is None else max(line.heard - characters, 0),
        cut=None if line.cut is None else max(line.cut - characters, 0),
    )


def joined(line: TranscriptLine, text: str) -> str:
    """The line's text and a delta: its spaces belong to it, but for the line's very first."""
    return line.text + text if line.text or line.offset else text.lstrip()


def close(line: TranscriptLine) -> TranscriptLine:
    """The line with nothing more to come; a preview that was never replaced is its text."""
    return line if line.closed else replace(line, text=line.whole, preview="", closed=True)


def closed(lines: tuple[TranscriptLine, ...], speaker: Speaker) -> tuple[TranscriptLine, ...]:
    """The lines, those of one speaker closed."""
    return tuple(close(line) if line.speaker == speaker else line for line in lines)


def worth_showing(lines: Iterable[TranscriptLine]) -> tuple[TranscriptLine, ...]:
    """The lines that have text. An answer without a transcript has a line, but nothing to show."""
    return tuple(line for line in lines if line.text.strip() or line.offset)


def put(
    lines: tuple[TranscriptLine, ...], index: int | None, line: TranscriptLine
) -> tuple[TranscriptLine, ...]:
    """The lines with this one in its place, or at the end."""
    if index is None:
        return (*lines, line)
    return (*lines[:index], line, *lines[index + 1 :])
