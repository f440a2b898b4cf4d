"""The live view of a conversation on a terminal.

Complete lines scroll away as ordinary text, so nothing is lost when the view ends; a few rows at
the bottom show the present (`layout`, `region`). A thread of its own draws, at most
`DRAWS_PER_SECOND` times a second and only after a change: a terminal that is slow, or held by
Ctrl-S, never holds up the event loop. Between the loop and the thread there is one lock, held for
as long as it takes to read or replace the state.
"""

import contextlib
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self, TextIO, Unpack

from rich.console import Console
from rich.text import Text

from live_cli.prices import Prices
from live_cli.protocol.events import Event
from live_cli.streams import can_encode
from live_cli.ui.live import layout, line_rows
from live_cli.ui.live.hyperlinks import has_links
from live_cli.ui.live.meter_bar import ASCII_BARS, BLOCK_BARS
from live_cli.ui.live.preview import Colours, Preview
from live_cli.ui.live.region import RESTORE, Caret, Region, ScreenRow
from live_cli.ui.live.styles import Styles
from live_cli.ui.terminal.restore import TerminalGuard, hold, release
from live_cli.ui.token_ledger import TokenLedger
from live_cli.ui.transcript.line import LineSource, TranscriptLine
from live_cli.ui.transcript.reducer import add_line, reduce
from live_cli.ui.transcript.state import (
    ViewState,
    take_all,
    take_closed,
    with_call,
    with_images,
    with_levels,
    with_status,
)
from live_cli.ui.transcript.turn_notes import TurnNotes
from live_cli.ui.view import (
    CallStatus,
    DeviceNews,
    ImageStatus,
    StatusChanges,
    Summary,
    summary_lines,
)

DRAWS_PER_SECOND = 12
IDLE_S = 0.25
"""Time between two looks at the size of the window while nothing else happens."""


class LiveView:
    """A `View` for a terminal. Nothing is drawn before ``with`` or `open`."""

    def __init__(
        self,
        *,
        stdout: TextIO | None = None,
        usage: bool = False,
        show_thoughts: bool = False,
        prices: Prices | None = None,
        preview: bool = True,
        size: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        """``preview``: images that are sent are shown in small. ``size`` gives columns and rows of
        the terminal; by default the terminal is asked."""
        self._stream = sys.stdout if stdout is None else stdout
        self._size = size or self._terminal_size
        links = has_links(os.environ)
        console = Console(file=self._stream)
        self._styles = Styles(console, links=links)
        colours = _colours_of(console, self._stream) if preview else None
        self._preview = Preview(self._styles, colours, self._cell_size)
        self._bars = BLOCK_BARS if can_encode(self._stream.encoding, "█▏●○") else ASCII_BARS
        self._usage = usage
        self._state = ViewState(
            show_thoughts=show_thoughts, tokens=TokenLedger(prices), notes=TurnNotes(short=links)
        )
        self._done: list[TranscriptLine] = []
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._state_lock = threading.RLock()
        self._told_at: dict[str, float] = {}
        """When each call that is open was told of, on the monotonic clock."""
        self._region = Region()
        self._draw_lock = threading.RLock()
        self._previous: str | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._open = False
        self._suspended = False
        self._guard = TerminalGuard(self._restore, self._resume)

    # --- what the command tells ---

    def event(self, event: Event) -> None:
        self._change(lambda state: reduce(state, event))

    def sent(self, text: str) -> None:
        self._add("you", text)

    def note(self, text: str) -> None:
        self._add("note", text)

    def error(self, text: str) -> None:
        self._add("error", text)

    def device(self, news: DeviceNews) -> None:
        if news.state == "lost":
            self.error(news.message)
        elif news.state != "open":
            self.note(news.message)

    def tool_call(self, status: CallStatus) -> None:
        self._told_at[status.key] = time.monotonic()
        self._change(lambda state: with_call(state, status))

    def images(self, status: ImageStatus) -> None:
        self._change(lambda state: with_images(state, status))

    def levels(
        self, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
    ) -> None:
        self._change(
            lambda state: with_levels(state, microphone_dbfs, speaker_dbfs, speaking, heard_ms)
        )

    def status(self, **changes: Unpack[StatusChanges]) -> None:
        self._change(lambda state: with_status(state, **changes))

    def _add(self, speaker: LineSource, text: str) -> None:
        self._change(lambda state: add_line(state, speaker, text))
        if not self._open:
            self._flush()

    def _change(self, act: Callable[[ViewState], ViewState]) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        with self._state_lock:
            self._state, done = take_closed(act(self._state))
            self._done += done
        self._changed.set()

    # --- opening and closing ---

    def open(self) -> None:
        """Take the bottom of the terminal."""
        if self._open:
            return
        self._open = True
        hold(self._guard)
        self.draw()
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)
        self._thread.start()

    def close(self, summary: Summary | None = None) -> None:
        if self._open:
            self._open = False
            self._closing.set()
            self._changed.set()
            if self._thread is not None:
                self._thread.join(timeout=1.0)
            with self._state_lock:
                self._state, rest = take_all(self._state)
                self._done += rest
            self._flush()
            release(self._guard)
        if summary is not None:
            width = self._size()[0]
            texts = layout.plain_rows(summary_lines(summary), width, "dim")
            self._write("".join(f"{self._styles.row(text).ansi}\n" for text in [Text(), *texts]))

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.close()

    # --- drawing ---

    def _run(self) -> None:
        """Draw after each change, in a thread of its own, until the view closes."""
        try:
            while not self._closing.wait(1 / DRAWS_PER_SECOND):
                self._changed.wait(IDLE_S)
                self._changed.clear()
                if not self._closing.is_set():
                    self.draw()
        except OSError:
            return  # the terminal is gone; the keyboard's end of file ends the session
        except Exception as exc:  # noqa: BLE001 (told to the command at its next call)
            self._failure = exc

    def draw(self) -> None:
        """Bring the screen up to date."""
        width, height = self._size()
        with self._draw_lock:
            if self._suspended:
                return
            bottom, caret = layout.bottom_rows(
                self._ticking(), width, height, usage=self._usage, bars=self._bars
            )
            preview = self._preview.rows(self._state, width, height - len(bottom))
            most = line_rows.room_for_lines(height, len(bottom) + len(preview))
            with self._state_lock:
                lines, self._done = self._done, []
                above = self._above(lines, width)
                state, leaving = line_rows.overflow(self._state, width, most)
                if leaving:
                    above += self._gap(self._state.lines[0])
                    self._previous = self._state.lines[0].speaker
                    above += [self._styles.row(text) for text in leaving]
                self._state = state
            rows = line_rows.open_rows(state, width, most, self._previous)
            place = None
            if caret is not None:
                place = Caret(len(rows) + len(preview) + caret[0], caret[1])
            self._write(
                self._region.frame(
                    [*map(self._styles.row, rows), *preview, *map(self._styles.row, bottom)],
                    width,
                    above=above,
                    caret=place,
                )
            )

    def _ticking(self) -> ViewState:
        """Return the state with the seconds of the calls that run as they are now."""
        with self._state_lock:
            state, told_at = self._state, self._told_at
            known = {call.key for call in state.calls}
            self._told_at = {key: at for key, at in told_at.items() if key in known}
        now = time.monotonic()
        calls = (
            replace(call, seconds=call.seconds + now - told_at.get(call.key, now))
            for call in state.calls
        )
        return replace(state, calls=tuple(calls)) if state.calls else state

    def _above(self, lines: list[TranscriptLine], width: int) -> list[ScreenRow]:
        """Return whole lines as rows for the scrollback."""
        rows: list[ScreenRow] = []
        for line in lines:
            rows += self._gap(line)
            rows += [self._styles.row(row.text) for row in line_rows.line_rows(line, width)]
            self._previous = line.speaker
        return rows

    def _gap(self, line: TranscriptLine) -> list[ScreenRow]:
        return [ScreenRow()] if line_rows.gap_before(line, self._previous) else []

    def _flush(self) -> None:
        """Clear the region: only complete lines stay on the screen, the cursor below them."""
        width, _ = self._size()
        with self._draw_lock:
            with self._state_lock:
                lines, self._done = self._done, []
            cleared = self._region.clear(width, self._above(lines, width))
            self._write(self._preview.removal() + cleared)

    def _restore(self) -> None:
        # May run inside a signal handler while the thread draws: wait for it, but not for ever.
        got = self._draw_lock.acquire(timeout=0.5)
        try:
            self._suspended = True
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                cleared = self._region.clear(self._size()[0]) if got else RESTORE
                self._write(self._preview.removal() + cleared)
        finally:
            if got:
                self._draw_lock.release()

    def _resume(self) -> None:
        self._suspended = False
        self._changed.set()

    def _write(self, text: str) -> None:
        if not text:
            return
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding or "ascii"
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()

    def _terminal_size(self) -> tuple[int, int]:
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return 80, 24
        return (size.columns or 80, size.lines or 24)

    def _cell_size(self) -> tuple[int, int] | None:
        """Return the pixels of a cell, where the terminal has told the system."""
        try:
            import fcntl
            import termios

            packed = fcntl.ioctl(self._stream.fileno(), termios.TIOCGWINSZ, bytes(8))
        except (ImportError, OSError, ValueError):
            return None
        rows, columns, width, height = struct.unpack("4H", packed)
        if not (rows and columns and width >= columns and height >= rows):
            return None
        return width // columns, height // rows


def _colours_of(console: Console, stream: TextIO) -> Colours | None:
    """Return the colours that an image may have; None where there are too few, or NO_COLOR."""
    if console.no_color or not can_encode(stream.encoding, "▀"):
        return None
    known: dict[str | None, Colours] = {"truecolor": "true", "256": "cube"}
    return known.get(console.color_system)
