"""The file of sound that `text --output` names: never left empty."""

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

from live_cli.audio.files.sound_writer import open_sound_writer
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE


class AnswerSound:
    """An open file for the sound of answers, "-" for stdout; removed at the end if there was none.

    Opening and writing raise InputFileError.
    """

    def __init__(self, output: str) -> None:
        self.name = output
        self.is_empty = True
        self._writer = open_sound_writer(output, OUTPUT_SAMPLE_RATE)

    def write_pcm16(self, data: bytes) -> None:
        """Append little-endian PCM16 mono at 24 kHz."""
        self._writer.write_pcm16(data)
        self.is_empty = self.is_empty and not data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)
        path = Path(self.name)
        # a pipe or a device stays, whatever came out of it
        if self.is_empty and self.name != "-" and path.is_file():
            with contextlib.suppress(OSError):
                path.unlink()
