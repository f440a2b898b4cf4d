"""Plain lines without escape codes, for a pipe or a simple terminal.

stdout carries only what is wanted; all else goes to stderr.

    wanted         stdout
    reply          the reply's text as it streams (or its transcript, where it is spoken); or each
                   reply once it is whole, so that one that breaks off and comes again is there once
    conversation   ``you: …`` and ``model: …``, a line each, once it is complete;
                   ``[interrupted]`` stands where an answer was cut off, after what was heard and
                   before what was not; ``[not heard]`` in place of one of which nothing was
"""

import sys
from types import TracebackType
from typing import Literal, Self, TextIO, Unpack

from live_cli.prices import Prices
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    Interrupted,
    OutputTranscript,
    Reconnecting,
    SessionClosed,
    Stalled,
    TextChunk,
    Thought,
    ToolCallRequested,
    TurnComplete,
    UsageReported,
)
from live_cli.protocol.messages import UsageMetadata
from live_cli.ui.printable import printable
from live_cli.ui.token_ledger import TokenLedger
from live_cli.ui.transcript.call_line import call_text
from live_cli.ui.transcript.line import TranscriptLine
from live_cli.ui.transcript.reducer import add_line, reduce, stalled
from live_cli.ui.transcript.state import ViewState, take_all, take_closed, with_levels, with_status
from live_cli.ui.transcript.turn_notes import TurnNote, TurnNotes
from live_cli.ui.turn_ledger import TurnLedger
from live_cli.ui.view import (
    CallStatus,
    DeviceNews,
    ImageStatus,
    StatusChanges,
    Summary,
    summary_lines,
)

Wanted = Literal["reply", "conversation"]


class PlainView:
    """A `View` in plain text, of a reply or a conversation.

    ``whole_replies``: a reply is written when it is complete, and not at all where it breaks off.
    A closed stdout raises BrokenPipeError.
    """

    def __init__(
        self,
        wanted: Wanted = "conversation",
        *,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        show_thoughts: bool = False,
        usage: bool = False,
        prices: Prices | None = None,
        whole_replies: bool = False,
    ) -> None:
        self._wanted = wanted
        self._whole_replies = whole_replies
        self._held: list[str] = []
        self._stdout = sys.stdout if stdout is None else stdout
        self._stderr = sys.stderr if stderr is None else stderr
        self._state = ViewState(
            show_thoughts=show_thoughts, tokens=TokenLedger(prices), notes=TurnNotes(quotes=True)
        )
        self._notes = TurnNotes(quotes=True)
        self._kept_notes: list[TurnNote] = []
        self._usage = usage
        self._mid_line = False
        self._turns = TurnLedger()
        self._thinking = False
        self._answered = False
        self._closed = False
        self._sends_images = False

    def event(self, event: Event) -> None:
        if self._usage and isinstance(event, UsageReported):
            self._note_usage(event.usage)
        if isinstance(event, Stalled):
            self.note(stalled(event))
        elif self._wanted == "reply":
            self._reply(event)
        else:
            self._state, lines = take_closed(reduce(self._state, event))
            self._write_lines(lines)

    def _note_usage(self, usage: UsageMetadata) -> None:
        cost = self._state.tokens.estimate_of(usage)
        tokens = f"{usage.total_token_count or 0:,} tokens this turn"
        self.note(tokens if cost is None else f"{tokens}, {cost}")

    def sent(self, text: str) -> None:
        if self._wanted == "conversation":
            self._state, lines = take_closed(add_line(self._state, "you", text))
            self._write_lines(lines)

    def note(self, text: str) -> None:
        self._end_line()
        self._tell(printable(text) + "\n")

    def error(self, text: str) -> None:
        self.note(text)

    def device(self, news: DeviceNews) -> None:
        if news.state != "open":
            self.note(news.message)

    def tool_call(self, status: CallStatus) -> None:
        if status.state == "asked" or status.is_over:
            self.note(f"tool: {call_text(status)}")

    def images(self, status: ImageStatus) -> None:
        sends = status.state != "off"
        if sends != self._sends_images:
            self._sends_images = sends
            begins = f"Images of {status.source} are sent, one a second at most."
            self.note(begins if sends else f"No images of {status.source} are sent any more.")

    def levels(
        self, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
    ) -> None:
        state = with_levels(self._state, microphone_dbfs, speaker_dbfs, speaking, heard_ms)
        self._state, lines = take_closed(state)
        self._write_lines(lines)

    def status(self, **changes: Unpack[StatusChanges]) -> None:
        before = self._state.connection
        self._state = with_status(self._state, **changes)
        after = self._state.connection
        if after == "reconnecting" != before:
            self.note("Reconnecting …")
        elif before == "reconnecting" and after == "connected":
            self.note("Reconnected.")

    def close(self, summary: Summary | None = None) -> None:
        if self._closed:
            return
        self._closed = True
        self._state, lines = take_all(self._state)
        self._write_lines(lines)
        self._end_line()
        for line in summary_lines(summary) if summary is not None else ():
            self._tell(line + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except BrokenPipeError:
            if error is None:
                raise

    def _reply(self, event: Event) -> None:
        self._turns = self._turns.after(event)
        self._show_reply(event)
        self._notes, notes = self._notes.after(event)
        self._kept_notes += notes
        ended = isinstance(event, TurnComplete | SessionClosed | Reconnecting)
        if ended or not self._mid_line:  # never within a line of the reply
            self._tell_notes()
        if isinstance(event, TurnComplete):
            self._answered = False

    def _tell_notes(self) -> None:
        for note in self._kept_notes:
            self.note(f"{note.kind}: {note.text}")
        self._kept_notes.clear()

    def _show_reply(self, event: Event) -> None:
        match event:
            case AudioChunk() | ToolCallRequested():
                self._answered = True
            case OutputTranscript(turn, text) | TextChunk(turn, text):
                self._answered = self._answered or bool(text.strip())
                if text and not self._turns.is_late(turn):
                    self._end_thought()
                    self._stream(printable(text, newlines=True))
            case Thought(text=text) if self._state.show_thoughts:
                self._tell(printable(text, newlines=True))
                self._thinking = not text.endswith("\n")
            case Interrupted():
                self._answered = True
                self.note("[interrupted]")
            case Reconnecting(lost) if lost.turn_lost:
                self._break_off()
            case TurnComplete(reason=reason, more_follows=False) if not self._answered:
                self.note("[no answer]" if reason is None else f"[no answer: {reason}]")
            case TurnComplete() | SessionClosed(turn_lost=False) | Reconnecting():
                self._end_reply()
            case SessionClosed():
                self._held.clear()
                self._end_line()
            case _:
                pass

    def _stream(self, text: str) -> None:
        """Show a piece of a reply, or keep it until the reply is whole."""
        if self._whole_replies:
            self._held.append(text)
        else:
            self._write(text)
            self._mid_line = not text.endswith("\n")

    def _end_reply(self) -> None:
        if self._held:
            text = "".join(self._held)
            self._held.clear()
            self._write(text)
            self._mid_line = not text.endswith("\n")
        self._end_line()

    def _break_off(self) -> None:
        """Forget what was kept of a reply, and mark what has been shown of it."""
        self._held.clear()
        if self._mid_line:
            self.note("[broken off]")

    def _write_lines(self, lines: tuple[TranscriptLine, ...]) -> None:
        for line in lines:
            if line.speaker in ("you", "model"):
                self._write(f"{line.speaker}: {_flat(line)}\n")
            elif line.speaker == "thought":
                self._tell(f"thought: {_flat(line)}\n")
            elif line.speaker == "tool":
                self._tell(f"tool call: {_flat(line)}\n")
            elif line.speaker in ("code", "source"):
                self._tell(f"{line.speaker}: {_flat(line)}\n")
            else:
                self.note(line.text)

    def _end_line(self) -> None:
        self._end_thought()
        if self._mid_line:
            self._write("\n")
            self._mid_line = False

    def _end_thought(self) -> None:
        if self._thinking:
            self._thinking = False
            self._tell("\n")

    def _write(self, text: str) -> None:
        _put(self._stdout, text)

    def _tell(self, text: str) -> None:
        _put(self._stderr, text)


def _flat(line: TranscriptLine) -> str:
    """Return the text of ``line`` without line breaks, its cut marked."""
    if line.cut is None:
        return " ".join(line.text.split())
    if line.is_unheard:
        return "[not heard]"
    halves = (" ".join(half.split()) for half in (line.text[: line.cut], line.text[line.cut :]))
    return " [interrupted] ".join(halves).strip()


def _put(stream: TextIO, text: str) -> None:
    """Write and flush ``text``; a character that the encoding lacks is escaped, such as \\u4f60."""
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
