"""The state of a view, and its changes by levels and status (by events: `reducer`). Pure."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, Unpack

from live_cli.ui.printable import printable
from live_cli.ui.terminal.line_editor import InputLine
from live_cli.ui.token_ledger import TokenLedger
from live_cli.ui.transcript.alignment import word_end
from live_cli.ui.transcript.call_line import call_text
from live_cli.ui.transcript.line import TranscriptLine, close, cut_at, worth_showing
from live_cli.ui.transcript.turn_notes import TurnNotes
from live_cli.ui.turn_ledger import TurnLedger
from live_cli.ui.view import CallStatus, Connection, Graphics, ImageStatus, StatusChanges

Activity = Literal[
    "connecting", "reconnecting", "closed", "you", "model", "thinking", "listening", "stalled"
]

SPEECH_DBFS = -42.0
"""Above this level the microphone counts as speech, where the server sends no voice activity."""
QUIET_LEVELS = 10
"""Quiet levels in a row (20 a second) that end speech."""
LAST_WORDS_MS = 300.0
"""Sound left to play that does not make an answer cut at the end: levels come some 50 ms late, and
a voice ends in silence."""
_SILENCE_DBFS = -100.0


@dataclass(frozen=True, slots=True)
class ViewState:
    """Everything a view shows. Levels in dBFS, times in milliseconds."""

    show_thoughts: bool = False
    lines: tuple[TranscriptLine, ...] = ()
    notes: TurnNotes = field(default_factory=TurnNotes)
    connection: Connection = "connecting"
    label: str = ""
    muted: bool = False
    push_to_talk: bool = False
    hold_to_talk: bool = False
    held: bool = False
    latency_ms: float | None = None
    dropped_frames: int = 0
    erle_db: float | None = None
    echo_converged: bool = False
    typing: InputLine | None = None
    runs_tools: bool = False
    calls: tuple[CallStatus, ...] = ()
    """The calls that run or are asked about, oldest first."""
    images: ImageStatus | None = None
    """The images that are sent, with the last one that has left in small; None: none are."""
    may_show_images: bool = False
    graphics: Graphics = "blocks"
    microphone_dbfs: float = _SILENCE_DBFS
    speaker_dbfs: float = _SILENCE_DBFS
    model_speaking: bool = False
    heard_ms: float = 0.0
    turn: int = 0
    turns: TurnLedger = field(default_factory=TurnLedger)
    tokens: TokenLedger = field(default_factory=TokenLedger)
    awaiting_reply: bool = False
    stalled: bool = False
    """Whether an answer is awaited and the server has been silent for long."""
    voice_active: bool | None = None
    quiet_levels: int = QUIET_LEVELS
    plays: bool = False
    """Whether levels come: there is a speaker whose progress is known."""
    spoke: bool = False
    """Whether this turn has been audible."""
    asked: bool = False
    """Whether any of the question to this turn is known."""

    @property
    def you_speak(self) -> bool:
        """Return whether the user speaks: by the key, the server's voice activity, or the level."""
        if self.held:
            return True
        if self.muted or (self.push_to_talk and not self.held):
            return False
        if self.voice_active is not None:
            return self.voice_active
        return self.quiet_levels < QUIET_LEVELS

    @property
    def activity(self) -> Activity:
        """The present activity, in one word."""
        if self.connection != "connected":
            return self.connection
        if self.held or (self.voice_active and self.you_speak):
            return "you"
        if self.model_speaking:
            return "model"
        if self.you_speak:
            return "you"
        if self.stalled:
            return "stalled"
        return "thinking" if self.awaiting_reply else "listening"


def with_status(state: ViewState, **changes: Unpack[StatusChanges]) -> ViewState:
    """Return the state after `View.status`."""
    known: dict[str, Any] = {name: value for name, value in changes.items() if name in _SHOWN}
    if known.get("heard_ms", 0.0) is None:
        del known["heard_ms"]
    if "label" in known:
        known["label"] = printable(known["label"])
    if state.held and known.get("held") is False:
        known["awaiting_reply"] = True
    return replace(state, **known)


_SHOWN = {
    "connection",
    "label",
    "muted",
    "push_to_talk",
    "hold_to_talk",
    "held",
    "latency_ms",
    "heard_ms",
    "dropped_frames",
    "erle_db",
    "echo_converged",
    "typing",
    "runs_tools",
    "may_show_images",
    "graphics",
}


def with_call(state: ViewState, status: CallStatus) -> ViewState:
    """Return the state after `View.tool_call`: a call that is over becomes a line."""
    known = [call.key for call in state.calls]
    if status.is_over:
        rest = tuple(call for call in state.calls if call.key != status.key)
        line = TranscriptLine("tool", call_text(status), closed=True)
        return replace(state, calls=rest, lines=(*state.lines, line))
    if status.key in known:
        place = known.index(status.key)
        calls = (*state.calls[:place], status, *state.calls[place + 1 :])
    else:
        calls = (*state.calls, status)
    return replace(state, calls=calls)


def with_images(state: ViewState, status: ImageStatus) -> ViewState:
    """Return the state after `View.images`: the preview stays until the next image leaves.

    Of a device that is lost there is none, also where its last image leaves a little later.
    """
    if status.state == "off":
        return replace(state, images=None)
    if status.state == "lost":
        status = replace(status, preview=None)
    elif status.preview is None and state.images is not None:
        status = replace(status, preview=state.images.preview)
    return replace(state, images=status)


def with_levels(
    state: ViewState, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
) -> ViewState:
    """Return the state after `View.levels`."""
    loud = microphone_dbfs > SPEECH_DBFS
    state = replace(
        state,
        microphone_dbfs=microphone_dbfs,
        speaker_dbfs=speaker_dbfs,
        model_speaking=speaking,
        heard_ms=heard_ms if speaking else state.heard_ms,
        quiet_levels=0 if loud else min(state.quiet_levels + 1, QUIET_LEVELS),
        plays=True,
        spoke=state.spoke or speaking,
    )
    return replace(state, lines=tuple(_with_heard(line, state) for line in state.lines))


def take_closed(state: ViewState) -> tuple[ViewState, tuple[TranscriptLine, ...]]:
    """Return the state without the lines that are done, and those lines, oldest first."""
    count = 0
    for line in state.lines:
        if not line.closed or (line.cut is None and _is_to_be_heard(line, state)):
            break
        count += 1
    if not count:
        return state, ()
    return replace(state, lines=state.lines[count:]), worth_showing(state.lines[:count])


def take_all(state: ViewState) -> tuple[ViewState, tuple[TranscriptLine, ...]]:
    """Return the state without lines, and all lines as they are now: for the end.

    Of an answer that was still to be heard the end is cut.
    """
    lines = (_cut_unheard(line, state) for line in state.lines)
    return replace(state, lines=()), worth_showing(map(close, lines))


def _cut_unheard(line: TranscriptLine, state: ViewState) -> TranscriptLine:
    if line.cut is not None or not _is_to_be_heard(line, state):
        return line
    left_ms = line.alignment.received_ms - state.heard_ms
    return cut_at(line, line.heard or 0) if left_ms > LAST_WORDS_MS or not state.spoke else line


def _with_heard(line: TranscriptLine, state: ViewState) -> TranscriptLine:
    if line.speaker != "model" or line.heard is None or line.turn != state.turn or not state.spoke:
        return line
    if state.model_speaking:
        heard = line.alignment.heard(state.heard_ms) - line.offset
        heard = word_end(line.text, max(line.heard, heard, 0))
        return replace(line, heard=heard, alignment=line.alignment.forget_before(state.heard_ms))
    return replace(line, heard=len(line.text))


def _is_to_be_heard(line: TranscriptLine, state: ViewState) -> bool:
    """Return whether the sound of an answer plays, or has come and has not begun to play."""
    return (
        line.speaker == "model"
        and state.plays
        and (state.model_speaking or (not state.spoke and line.alignment.received_ms > 0))
        and line.turn == state.turn
        and line.heard is not None
        and line.heard < len(line.text)
    )
