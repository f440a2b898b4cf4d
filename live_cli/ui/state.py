"""What a view shows, pure: state and event in, state out.

Theory: a conversation is a list of lines. A line opens with its first text, grows by deltas, and
closes once nothing more can come. Closed lines at the head of the list leave the state
(`take_closed`) for wherever they are kept, such as the terminal's scrollback; so the state stays
small however long the conversation. Two things keep a line longer:

- The user's transcript has no promised place relative to the answer (reference: server messages,
  ``inputTranscription``) and its ``finished`` is not reliable. Deltas that come while the answer
  has only begun (`LATE_CHARACTERS`) still belong to the question; later ones open a new line.
- An answer is generated faster than it is spoken, and can be interrupted after its
  ``turnComplete``. While it plays, its line stays, so that the cut can be marked in its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Unpack

from live_cli.protocol import events
from live_cli.protocol.messages import FunctionCall, UsageMetadata
from live_cli.ui.face import Connection, StatusChanges
from live_cli.ui.line_editor import InputLine
from live_cli.ui.printable import printable
from live_cli.ui.spoken import Alignment, word_end

Speaker = Literal["you", "model", "thought", "tool", "note", "error"]
Activity = Literal["connecting", "reconnecting", "closed", "you", "model", "thinking", "listening"]

LATE_CHARACTERS = 24
"""Of an answer: up to here, input transcript still belongs to the question before it."""
MAX_LINE_CHARACTERS = 4_000
"""Of the user: a line that grows past this is closed, and the next text opens another."""
SPEECH_DBFS = -42.0
"""Above this the microphone counts as speech, for servers that send no voice activity."""
QUIET_LEVELS = 10
"""So many quiet levels in a row (20 a second) end what counts as speech."""
SILENCE_DBFS = -100.0


@dataclass(frozen=True, slots=True)
class Line:
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


@dataclass(frozen=True, slots=True)
class ViewState:
    """Everything a view shows. Levels in dBFS, times in milliseconds."""

    show_thoughts: bool = False
    lines: tuple[Line, ...] = ()
    connection: Connection = "connecting"
    label: str = ""
    muted: bool = False
    push_to_talk: bool = False
    held: bool = False
    latency_ms: float | None = None
    dropped_frames: int = 0
    typing: InputLine | None = None
    microphone_dbfs: float = SILENCE_DBFS
    speaker_dbfs: float = SILENCE_DBFS
    model_speaking: bool = False
    heard_ms: float = 0.0
    turn: int = 0
    turns: int = 0
    interruptions: int = 0
    total_tokens: int | None = None
    awaiting_reply: bool = False
    voice_active: bool | None = None
    quiet_levels: int = QUIET_LEVELS
    plays: bool = False
    """Levels come: there is a speaker whose progress is known."""
    spoke: bool = False
    """This turn has been audible."""
    asked: bool = False
    """Something of the question to this turn is known."""
    cut_turn: int = 0
    """The last interrupted turn: what still comes of it is late."""

    @property
    def you_speak(self) -> bool:
        if self.held:
            return True
        if self.muted or (self.push_to_talk and not self.held):
            return False
        if self.voice_active is not None:
            return self.voice_active
        return self.quiet_levels < QUIET_LEVELS

    @property
    def activity(self) -> Activity:
        """Who has the floor, in one word."""
        if self.connection != "connected":
            return self.connection
        if self.held or (self.voice_active and self.you_speak):
            return "you"
        if self.model_speaking:
            return "model"
        if self.you_speak:
            return "you"
        return "thinking" if self.awaiting_reply else "listening"


# --- the reducer -------------------------------------------------------------------------------


def reduce(state: ViewState, event: events.Event) -> ViewState:
    """The state after an event. Events that no view shows change nothing."""
    match event:
        case events.SessionOpened():
            return replace(state, connection="connected")
        case events.InputTranscript():
            return _heard_you(state, event)
        case events.OutputTranscript(turn, text):
            return _answer(state, turn, text, spoken=True)
        case events.TextChunk(turn, text):
            return _answer(state, turn, text, spoken=False)
        case events.AudioChunk():
            return _audio(state, event)
        case events.Thought(turn, text):
            return _thought(state, turn, text) if state.show_thoughts else state
        case events.Interrupted(turn):
            return _interrupt(state, turn)
        case events.TurnComplete(turn):
            return _complete(state, turn)
        case events.UsageReported(usage):
            return _usage(state, usage)
        case events.ToolCallRequested(calls):
            lines = (Line("tool", _call(call), closed=True) for call in calls)
            return replace(state, lines=(*_closed(state.lines, "thought"), *lines))
        case events.ToolCallCancelled(ids):
            return add_line(state, "note", f"Tool call cancelled: {', '.join(ids)}.")
        case events.GoingAway(time_left_s):
            left = "soon" if time_left_s is None else f"in {time_left_s:.0f} s"
            return add_line(state, "note", f"The server will close this connection {left}.")
        case events.VoiceActivityChanged(active):
            return replace(state, voice_active=active)
        case events.SessionClosed():
            return _lost(state, event)
        case _:
            return state


def add_line(state: ViewState, speaker: Speaker, text: str) -> ViewState:
    """The state with one whole line more, such as a note or a message that was typed."""
    lines = (*state.lines, Line(speaker, printable(text.strip(), newlines=True), closed=True))
    if speaker == "you":
        lines = (*_closed(state.lines, "you"), lines[-1])
        return replace(state, lines=lines, asked=True, awaiting_reply=True)
    return replace(state, lines=lines)


def with_status(state: ViewState, **changes: Unpack[StatusChanges]) -> ViewState:
    """The state after `Face.status`."""
    known: dict[str, Any] = {name: value for name, value in changes.items() if name in _SHOWN}
    if known.get("heard_ms", 0.0) is None:
        del known["heard_ms"]
    if "label" in known:
        known["label"] = printable(known["label"])
    return replace(state, **known)


_SHOWN = {
    "connection",
    "label",
    "muted",
    "push_to_talk",
    "held",
    "latency_ms",
    "heard_ms",
    "dropped_frames",
    "typing",
}


def with_levels(
    state: ViewState, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
) -> ViewState:
    """The state after `Face.levels`."""
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
    return replace(state, lines=tuple(_listen(line, state) for line in state.lines))


def take_closed(state: ViewState) -> tuple[ViewState, tuple[Line, ...]]:
    """The lines that are done, oldest first, and the state without them."""
    count = 0
    for line in state.lines:
        if not line.closed or _still_playing(line, state):
            break
        count += 1
    if not count:
        return state, ()
    return replace(state, lines=state.lines[count:]), _worth_showing(state.lines[:count])


def take_all(state: ViewState) -> tuple[ViewState, tuple[Line, ...]]:
    """Every line as it stands now, and the state without them: for the end."""
    return replace(state, lines=()), _worth_showing(_close(line) for line in state.lines)


def _worth_showing(lines: Iterable[Line]) -> tuple[Line, ...]:
    """An answer without a transcript has a line, but nothing to show."""
    return tuple(line for line in lines if line.text.strip() or line.offset)


def trim(line: Line, characters: int) -> Line:
    """The line without its first characters, which are shown elsewhere already."""
    return replace(
        line,
        text=line.text[characters:],
        offset=line.offset + characters,
        heard=None if line.heard is None else max(line.heard - characters, 0),
        cut=None if line.cut is None else max(line.cut - characters, 0),
    )


# --- what the events do ------------------------------------------------------------------------


def _heard_you(state: ViewState, event: events.InputTranscript) -> ViewState:
    text = printable(event.text, newlines=True)
    index = _find(state, "you")
    if index is None and not text.strip():
        return state
    line = Line("you") if index is None else state.lines[index]
    if event.interim:
        line = replace(line, preview=text if line.text else text.lstrip())
    else:
        line = replace(line, text=_joined(line, text), preview="")
    line = replace(line, closed=event.finished or len(line.text) > MAX_LINE_CHARACTERS)
    lines = _closed(state.lines, "thought")
    answer = _find(state, "model", state.turn)
    if index is None and answer is not None and _belongs_before(state, state.lines[answer]):
        lines = (*lines[:answer], line, *lines[answer:])
    else:
        lines = _put(lines, index, line)
    return replace(
        state, lines=lines, asked=True, awaiting_reply=state.awaiting_reply or answer is None
    )


def _belongs_before(state: ViewState, answer: Line) -> bool:
    """A transcript that comes late is the question to this answer, not the next one."""
    begun = len(answer.text) > LATE_CHARACTERS
    return answer.offset == 0 and not (begun and state.asked)


def _answer(state: ViewState, turn: int, text: str, *, spoken: bool) -> ViewState:
    if turn == state.cut_turn:
        return state
    text = printable(text, newlines=True)
    index = _find(state, "model", turn)
    if index is None and not text.strip():
        return state
    state = _start_turn(state, turn)
    if index is None:
        line = Line("model", turn=turn, heard=0 if spoken else None)
    else:
        line = state.lines[index]
    joined = _joined(line, text)
    line = replace(
        line, text=joined, alignment=line.alignment.with_text(len(joined) - len(line.text))
    )
    if not spoken:
        line = replace(line, heard=None)
    lines = _put(_closed(state.lines, "thought"), index, line)
    if line.offset + len(line.text) > LATE_CHARACTERS:
        place = len(lines) - 1 if index is None else index
        lines = (*_closed(lines[:place], "you"), *lines[place:])
    return replace(state, lines=lines, awaiting_reply=False)


def _audio(state: ViewState, event: events.AudioChunk) -> ViewState:
    if event.turn == state.cut_turn:
        return state
    state = _start_turn(state, event.turn)
    audio_ms = len(event.data) / 2 / event.sample_rate * 1000
    index = _find(state, "model", event.turn)
    line = state.lines[index] if index is not None else Line("model", turn=event.turn, heard=0)
    line = replace(line, alignment=line.alignment.with_audio(audio_ms))
    return replace(state, lines=_put(state.lines, index, line), awaiting_reply=False)


def _thought(state: ViewState, turn: int, text: str) -> ViewState:
    text = printable(text, newlines=True)
    index = _find(state, "thought", turn)
    line = Line("thought", turn=turn) if index is None else state.lines[index]
    line = replace(line, text=_joined(line, text))
    return replace(state, lines=_put(state.lines, index, line))


def _interrupt(state: ViewState, turn: int) -> ViewState:
    if turn == state.cut_turn:
        return state
    lines = tuple(
        _cut(line, state) if line.speaker == "model" and line.turn == turn else line
        for line in state.lines
    )
    return replace(
        state,
        lines=lines,
        interruptions=state.interruptions + 1,
        cut_turn=turn,
        model_speaking=False,
        awaiting_reply=False,
    )


def _complete(state: ViewState, turn: int) -> ViewState:
    # Whatever the user says from now on is a new line; what stands behind the answer already
    # is the next question and stays open.
    last = max(
        (i for i, line in enumerate(state.lines) if line.speaker == "model" and line.turn == turn),
        default=len(state.lines) - 1,
    )
    done = tuple(_close(line) for line in state.lines[: last + 1])
    rest = _closed(state.lines[last + 1 :], "thought")
    return replace(
        state,
        lines=(*done, *rest),
        asked=any(line.speaker == "you" for line in rest),
        turns=state.turns + 1,
        awaiting_reply=False,
    )


def _lost(state: ViewState, event: events.SessionClosed) -> ViewState:
    lines = tuple(
        _cut(line, state)
        if event.turn_lost and line.speaker == "model" and not line.closed
        else _close(line)
        for line in state.lines
    )
    return replace(
        state, lines=lines, connection="closed", model_speaking=False, awaiting_reply=False
    )


def _usage(state: ViewState, usage: UsageMetadata) -> ViewState:
    return replace(state, total_tokens=(state.total_tokens or 0) + (usage.total_token_count or 0))


# --- lines -------------------------------------------------------------------------------------


def _find(state: ViewState, speaker: Speaker, turn: int = 0) -> int | None:
    """The open line of a speaker (and of a turn), the newest first."""
    for index in range(len(state.lines) - 1, -1, -1):
        line = state.lines[index]
        if line.speaker == speaker and line.turn == turn and not line.closed:
            return index
    return None


def _put(lines: tuple[Line, ...], index: int | None, line: Line) -> tuple[Line, ...]:
    if index is None:
        return (*lines, line)
    return (*lines[:index], line, *lines[index + 1 :])


def _joined(line: Line, text: str) -> str:
    """Spaces belong to the deltas; only a line's own first ones go."""
    return line.text + text if line.text or line.offset else text.lstrip()


def _close(line: Line) -> Line:
    return line if line.closed else replace(line, text=line.whole, preview="", closed=True)


def _closed(lines: tuple[Line, ...], speaker: Speaker) -> tuple[Line, ...]:
    return tuple(_close(line) if line.speaker == speaker else line for line in lines)


def _cut(line: Line, state: ViewState) -> Line:
    """The line, closed, with the mark where the listener stopped hearing it."""
    heard = len(line.text)
    if state.plays and line.heard is not None:
        if not state.spoke:
            heard = 0
        elif not _all_heard(line, state):
            heard = line.alignment.heard(state.heard_ms) - line.offset
    return replace(line, closed=True, cut=word_end(line.text, max(0, min(heard, len(line.text)))))


def _all_heard(line: Line, state: ViewState) -> bool:
    return state.heard_ms >= line.alignment.received_ms


def _listen(line: Line, state: ViewState) -> Line:
    if line.speaker != "model" or line.heard is None or line.turn != state.turn or not state.spoke:
        return line
    if state.model_speaking:
        heard = line.alignment.heard(state.heard_ms) - line.offset
        heard = word_end(line.text, max(line.heard, heard, 0))
        return replace(line, heard=heard, alignment=line.alignment.forget_before(state.heard_ms))
    return replace(line, heard=len(line.text))


def _still_playing(line: Line, state: ViewState) -> bool:
    return (
        line.speaker == "model"
        and state.model_speaking
        and line.turn == state.turn
        and line.heard is not None
        and line.heard < len(line.text)
    )


def _start_turn(state: ViewState, turn: int) -> ViewState:
    if turn == state.turn:
        return state
    return replace(state, turn=turn, heard_ms=0.0, spoke=False)


def _call(call: FunctionCall) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in (call.args or {}).items())
    text = printable(f"{call.name or '?'}({arguments})")
    return text if len(text) <= 300 else text[:299] + "…"
