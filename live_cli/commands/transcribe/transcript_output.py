"""Where one transcript is written while it grows: a file, or stdout.

Each piece is one write, whole captions, and nothing waits in a buffer: whatever ends the process,
a kill too, leaves what was recognised until then.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from live_cli.commands.transcribe.unfinished import is_unfinished, mark_unfinished, mark_whole
from live_cli.errors import InputFileError
from live_cli.ui.progress import ProgressBar
from live_cli.ui.subtitles.captions import Subtitle
from live_cli.ui.subtitles.subtitles import TranscriptText


class TranscriptOutput:
    """The output of one file's transcript; ``target`` None is stdout.

    A file is opened with the first words, so that what was there before stays until then; its
    folder is made at once, and what cannot be written is told before any sound is sent. ``bar`` is
    taken off the terminal while stdout, which may be the same one, is written. Raises
    InputFileError; BrokenPipeError where nobody reads stdout any more.
    """

    def __init__(
        self, target: Path | None, text: TranscriptText, bar: ProgressBar, heading: str
    ) -> None:
        self._target = target
        self._text = text
        self._bar = bar
        self._heading = heading
        self._descriptor: int | None = None
        self._is_regular = target is not None and (not target.exists() or target.is_file())
        self._was_unfinished = target is not None and is_unfinished(target)
        self.begun = False
        """Whether anything was written."""
        if target is not None and self._is_regular:
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                mark_unfinished(target)
            except OSError as exc:
                raise _unwritable(target, exc) from exc

    def add(self, subtitle: Subtitle) -> None:
        """Write what ``subtitle`` adds."""
        text = self._text.add(subtitle)
        if text:
            self._write(text if self.begun else self._heading + self._text.head() + text)

    def finish(self, duration_s: float) -> None:
        """Write the end of a whole transcript of ``duration_s`` seconds."""
        self._end(duration_s, None)
        if self._target is not None and self._is_regular:
            mark_whole(self._target)

    def stop(self, duration_s: float, stopped_at_s: float) -> bool:
        """Write the end of a transcript that ends before its sound. Returns whether it has text.

        Nothing is raised: why it stops is the news.
        """
        has_text = self.begun or self._text.holds_back
        with suppress(InputFileError, OSError):
            if has_text:
                self._end(duration_s, stopped_at_s)
            elif self._target is not None and not self._was_unfinished:
                mark_whole(self._target)  # what was there before still is, whole
        return has_text

    def _end(self, duration_s: float, stopped_at_s: float | None) -> None:
        tail = self._text.tail(duration_s, stopped_at_s)
        self._write(tail if self.begun else self._heading + self._text.head() + tail)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, text: str) -> None:
        if self._target is None:
            self._bar.erase()
            sys.stdout.write(text)
            sys.stdout.flush()
            self._bar.redraw()
        else:
            self._write_file(self._target, text.encode("utf-8", "replace"))
        self.begun = True

    def _write_file(self, target: Path, data: bytes) -> None:
        """Write all of ``data`` or, where the disk is full, nothing of it."""
        try:
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
                self._descriptor = os.open(target, flags, 0o666)
            written = 0
            try:
                while written < len(data):
                    written += os.write(self._descriptor, data[written:])
            except OSError:
                if self._is_regular and written:
                    os.ftruncate(
                        self._descriptor, os.lseek(self._descriptor, -written, os.SEEK_CUR)
                    )
                raise
        except OSError as exc:
            raise _unwritable(target, exc) from exc


def _unwritable(path: Path, exc: OSError) -> InputFileError:
    return InputFileError(f"{path} cannot be written: {exc.strerror or exc}.")
