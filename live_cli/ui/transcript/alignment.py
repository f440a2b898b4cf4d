"""The alignment of an answer's text and sound: which text has been heard so far.

Theory: text and audio of a turn come in two streams with no promised order, both faster than
they play. Each delta of text gets a mark: the amount of audio received before it. The text of a
delta is taken as spread evenly over the audio from its own mark to the next one. That is exact
where each clause's text comes just before its sound, and close where both come side by side.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Alignment:
    """Text (characters) against audio (milliseconds) of one turn, as they were received."""

    received_ms: float = 0.0
    characters: int = 0
    marks: tuple[tuple[float, int], ...] = ()
    """(audio received before this text, characters before this text), both rising."""

    def with_audio(self, audio_ms: float) -> "Alignment":
        """Return the alignment after a chunk of audio was received."""
        return replace(self, received_ms=self.received_ms + audio_ms)

    def with_text(self, characters: int) -> "Alignment":
        """Return the alignment after a delta of text was received."""
        marks = self.marks
        if not marks or marks[-1][0] < self.received_ms:
            marks = (*marks, (self.received_ms, self.characters))
        return replace(self, characters=self.characters + characters, marks=marks)

    def heard(self, heard_ms: float) -> int:
        """Return the characters that were spoken once ``heard_ms`` of the audio had been played."""
        if heard_ms >= self.received_ms:
            return self.characters
        index = bisect_right(self.marks, heard_ms, key=lambda mark: mark[0]) - 1
        if index < 0:
            return 0
        start_ms, start = self.marks[index]
        last = index + 1 == len(self.marks)
        end_ms, end = (self.received_ms, self.characters) if last else self.marks[index + 1]
        return start + round((end - start) * (heard_ms - start_ms) / (end_ms - start_ms))

    def forget_before(self, heard_ms: float) -> "Alignment":
        """Return the alignment without old marks, so that those of a long answer stay few."""
        index = bisect_right(self.marks, heard_ms, key=lambda mark: mark[0]) - 1
        return self if index <= 0 else replace(self, marks=self.marks[index:])


def word_end(text: str, at: int) -> int:
    """Return the end of the word around ``at``, or ``at`` itself outside of a word.

    Scripts that put no spaces between words (from U+2E80 up) may be cut anywhere.
    """
    while 0 < at < len(text) and _in_word(text[at - 1]) and _in_word(text[at]):
        at += 1
    return at


def _in_word(char: str) -> bool:
    return (char.isalnum() or char in "'’") and char < "\u2e80"
