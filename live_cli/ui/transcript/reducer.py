"""The reducer of the transcript: a state and an event in, the next state out. Pure.

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

from dataclasses import replace

from live_cli.protocol import events
from live_cli.protocol.messages import FunctionCall
from live_cli.ui.printable import printable
from live_cli.ui.transcript.call_line import call_with
from live_cli.ui.transcript.line import (
    LineSource,
    TranscriptLine,
    close,
    closed,
    cut_at,
    joined,
    put,
)
from live_cli.ui.transcript.state import ViewState
from live_cli.ui.transcript.turn_notes import TurnNote, TurnNotes

LATE_CHARACTERS = 24
"""Characters of an answer until which input transcript belongs to the question before it."""
MAX_LINE_CHARACTERS = 4_000
"""A user's line that grows past this is closed, and the next text opens another."""


def reduce(state: ViewState, event: events.Event) -> ViewState:
    """Return the state after ``event``; events that no view shows change nothing."""
    match event:
        case events.AnswerGrounded() | events.PagesRead() | events.CodeRan() | events.CodeWritten():
            if state.turns.is_late(event.turn):
                return state
    notes, lines = state.notes.after(event)
    if notes is state.notes:
        return _transcript(state, event)
    state = replace(_transcript(state, event), notes=notes)
    if isinstance(event, events.AnswerGrounded | events.TurnComplete):
        state = _marked(state, notes)
    return _noted(state, notes.turn, lines)


def _marked(state: ViewState, notes: TurnNotes) -> ViewState:
    """Return the state with the numbers of the sources in the lines that they belong to."""
    marks = notes.marks()
    lines = tuple(
        replace(line, marks=marks) if line.speaker == "model" and line.turn == notes.turn else line
        for line in state.lines
    )
    return replace(state, lines=lines)


def _noted(state: ViewState, turn: int, notes: tuple[TurnNote, ...]) -> ViewState:
    """Return the state with lines about ``turn``: behind its answer, where that is over."""
    if not notes:
        return state
    lines = tuple(
        TranscriptLine(note.kind, note.text, turn=turn, closed=True, link=note.link)
        for note in notes
    )
    ends = [
        index + 1
        for index, line in enumerate(state.lines)
        if line.closed and line.turn == turn and line.speaker in ("model", "source", "code")
    ]
    end = max(ends, default=len(state.lines))
    return replace(state, lines=(*state.lines[:end], *lines, *state.lines[end:]))


def _transcript(state: ViewState, event: events.Event) -> ViewState:
    if state.stalled:
        state = replace(state, stalled=False)
    if (tokens := state.tokens.after(event)) is not state.tokens:
        state = replace(state, tokens=tokens)
    match event:
        case events.SessionOpened():
            return replace(state, connection="connected")
        case events.InputTranscript():
            return _input_transcript(state, event)
        case events.OutputTranscript(turn, text):
            return _answer(state, turn, text, spoken=True)
        case events.TextChunk(turn, text):
            return _answer(state, turn, text, spoken=False)
        case events.AudioChunk():
            return _audio(state, event)
        case events.Thought(turn, text):
            return _thought(state, turn, text) if state.show_thoughts else state
        case events.Interrupted():
            return _interrupt(state, event)
        case events.TurnComplete():
            return _complete(state, event)
        case events.ToolCallRequested() | events.ToolCallCancelled() if state.runs_tools:
            return replace(state, lines=closed(state.lines, "thought"))
        case events.ToolCallRequested(calls):
            lines = (TranscriptLine("tool", _call(call), closed=True) for call in calls)
            return replace(state, lines=(*closed(state.lines, "thought"), *lines))
        case events.ToolCallCancelled(ids):
            return add_line(state, "note", f"Tool call cancelled: {', '.join(ids)}.")
        case events.GoingAway(time_left_s):
            left = "soon" if time_left_s is None else f"in {time_left_s:.0f} s"
            return add_line(state, "note", f"The server will close this connection {left}.")
        case events.VoiceActivityChanged(active):
            ended = state.voice_active and not active
            awaits = state.awaiting_reply or (bool(ended) and not state.model_speaking)
            return replace(state, voice_active=active, awaiting_reply=awaits)
        case events.SessionClosed():
            return _lost(state, event)
        case events.Stalled():
            return replace(add_line(state, "note", stalled(event)), stalled=True)
        case _:
            return state


def add_line(state: ViewState, speaker: LineSource, text: str) -> ViewState:
    """Return the state with one whole line more, such as a note or a typed message."""
    lines = (
        *state.lines,
        TranscriptLine(speaker, printable(text.strip(), newlines=True), closed=True),
    )
    if speaker == "you":
        lines = (*closed(state.lines, "you"), lines[-1])
        return replace(state, lines=lines, asked=True, awaiting_reply=True)
    return replace(state, lines=lines)


def stalled(event: events.Stalled) -> str:
    """Return the note about a server that is silent."""
    return f"No sign of the server for {event.silent_s:.0f} s."


def _input_transcript(state: ViewState, event: events.InputTranscript) -> ViewState:
    text = printable(event.text, newlines=True)
    index = _find(state, "you")
    if index is None and not text.strip():
        return state
    line = TranscriptLine("you") if index is None else state.lines[index]
    if event.interim:
        line = replace(line, preview=text if line.text else text.lstrip())
    else:
        line = replace(line, text=joined(line, text), preview="")
    line = replace(line, closed=event.finished or len(line.text) > MAX_LINE_CHARACTERS)
    lines = closed(state.lines, "thought")
    answer = _find(state, "model", state.turn)
    if index is None and answer is not None and _belongs_before(state, state.lines[answer]):
        lines = (*lines[:answer], line, *lines[answer:])
    else:
        lines = put(lines, index, line)
    return replace(
        state, lines=lines, asked=True, awaiting_reply=state.awaiting_reply or answer is None
    )


def _belongs_before(state: ViewState, answer: TranscriptLine) -> bool:
    """Return whether a new input transcript is the question to this answer, not the next one."""
    begun = len(answer.text) > LATE_CHARACTERS
    return answer.offset == 0 and not (begun and state.asked)


def _answer(state: ViewState, turn: int, text: str, *, spoken: bool) -> ViewState:
    if state.turns.is_late(turn):
        return state
    text = printable(text, newlines=True)
    index = _find(state, "model", turn)
    if index is None and not text.strip():
        return state
    state = _start_turn(state, turn)
    if index is None:
        line = TranscriptLine("model", turn=turn, heard=0 if spoken else None)
    else:
        line = state.lines[index]
    text = joined(line, text)
    line = replace(line, text=text, alignment=line.alignment.with_text(len(text) - len(line.text)))
    if not spoken:
        line = replace(line, heard=None)
    lines = put(closed(state.lines, "thought"), index, line)
    if line.offset + len(line.text) > LATE_CHARACTERS:
        place = len(lines) - 1 if index is None else index
        lines = (*closed(lines[:place], "you"), *lines[place:])
    return replace(state, lines=lines, awaiting_reply=False)


def _audio(state: ViewState, event: events.AudioChunk) -> ViewState:
    if state.turns.is_late(event.turn):
        return state
    state = _start_turn(state, event.turn)
    audio_ms = len(event.data) / 2 / event.sample_rate * 1000
    index = _find(state, "model", event.turn)
    line = (
        state.lines[index]
        if index is not None
        else TranscriptLine("model", turn=event.turn, heard=0)
    )
    line = replace(line, alignment=line.alignment.with_audio(audio_ms))
    return replace(state, lines=put(state.lines, index, line), awaiting_reply=False)


def _thought(state: ViewState, turn: int, text: str) -> ViewState:
    text = printable(text, newlines=True)
    index = _find(state, "thought", turn)
    line = TranscriptLine("thought", turn=turn) if index is None else state.lines[index]
    line = replace(line, text=joined(line, text))
    return replace(state, lines=put(state.lines, index, line))


def _interrupt(state: ViewState, event: events.Interrupted) -> ViewState:
    if state.turns.is_late(event.turn):
        return state
    lines = tuple(
        _cut(line, state) if line.speaker == "model" and line.turn == event.turn else line
        for line in state.lines
    )
    return replace(
        state,
        lines=lines,
        turns=state.turns.after(event),
        model_speaking=False,
        awaiting_reply=False,
    )


def _complete(state: ViewState, event: events.TurnComplete) -> ViewState:
    # Whatever the user says from now on is a new line; what stands behind the answer already
    # is the next question and stays open.
    answers = (
        index
        for index, line in enumerate(state.lines)
        if line.speaker == "model" and line.turn == event.turn
    )
    last = max(answers, default=len(state.lines) - 1)
    done = tuple(close(line) for line in state.lines[: last + 1])
    rest = closed(state.lines[last + 1 :], "thought")
    return replace(
        state,
        lines=(*done, *rest),
        asked=any(line.speaker == "you" for line in rest),
        turns=state.turns.after(event),
        awaiting_reply=False,
    )


def _lost(state: ViewState, event: events.SessionClosed) -> ViewState:
    lines = tuple(
        _cut(line, state)
        if event.turn_lost and line.speaker == "model" and not line.closed
        else close(line)
        for line in state.lines
    )
    return replace(
        state, lines=lines, connection="closed", model_speaking=False, awaiting_reply=False
    )


def _find(state: ViewState, speaker: LineSource, turn: int = 0) -> int | None:
    """Return the index of the newest open line of ``speaker`` in ``turn``."""
    for index in range(len(state.lines) - 1, -1, -1):
        line = state.lines[index]
        if line.speaker == speaker and line.turn == turn and not line.closed:
            return index
    return None


def _cut(line: TranscriptLine, state: ViewState) -> TranscriptLine:
    """Return ``line`` closed and cut at the word that was played last."""
    heard = len(line.text)
    if state.plays and line.heard is not None:
        if not state.spoke:
            heard = 0
        elif state.heard_ms < line.alignment.received_ms:
            heard = line.alignment.heard(state.heard_ms) - line.offset
    return cut_at(line, heard)


def _start_turn(state: ViewState, turn: int) -> ViewState:
    if turn == state.turn:
        return state
    return replace(state, turn=turn, heard_ms=0.0, spoke=False)


def _call(call: FunctionCall) -> str:
    return call_with(call.name or "?", call.args or {})
