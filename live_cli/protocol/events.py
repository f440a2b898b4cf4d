"""What a session tells its owner: one dataclass per fact.

`Session.receive` and its siblings return these in the order in which they must be handled.
A *turn* is the client's own count of model turns, from 1: everything the model says until its
``turnComplete`` belongs to one turn. Times are seconds on the clock the owner passes as ``now``.
"""

from dataclasses import dataclass

from live_cli.protocol.messages import (
    Content,
    FunctionCall,
    FunctionResponse,
    Setup,
    Tool,
    UsageMetadata,
)


@dataclass(frozen=True, slots=True)
class Event:
    """Root of all events."""


# --- told to a client --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionOpened(Event):
    """The server confirmed the setup; input may flow."""

    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class InputTranscript(Event):
    """What the user said: a delta to append or, when ``interim``, a preview the next replaces.

    ``start_s`` and ``end_s`` count from the start of the session's audio, where the server says.
    """

    text: str
    finished: bool = False
    interim: bool = False
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class OutputTranscript(Event):
    """A delta of what the model says; spaces belong to it."""

    turn: int
    text: str
    finished: bool = False


@dataclass(frozen=True, slots=True)
class AudioChunk(Event):
    """PCM16 little-endian mono from the model."""

    turn: int
    data: bytes
    sample_rate: int


@dataclass(frozen=True, slots=True)
class TextChunk(Event):
    """A delta of a written reply (TEXT sessions)."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Thought(Event):
    """A thought summary: never spoken, never in a caption."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Interrupted(Event):
    """The user spoke over the model: stop playing now; what still comes of this turn is late.

    An interruption after a turn's end, while it still plays, names that turn; before the very
    first turn it names turn 0.
    """

    turn: int


@dataclass(frozen=True, slots=True)
class GenerationComplete(Event):
    """All of the turn has been generated; it may still be playing."""

    turn: int


@dataclass(frozen=True, slots=True)
class TurnComplete(Event):
    """The turn is over. ``reason`` is the server's, where it gave one.

    ``more_follows``: another turn comes without new input (a filler before a long thought).
    """

    turn: int
    interrupted: bool = False
    reason: str | None = None
    more_follows: bool = False


@dataclass(frozen=True, slots=True)
class UsageReported(Event):
    """Token counts, mostly of the turn whose `TurnComplete` comes next."""

    usage: UsageMetadata


@dataclass(frozen=True, slots=True)
class ToolCallRequested(Event):
    calls: list[FunctionCall]


@dataclass(frozen=True, slots=True)
class ToolCallCancelled(Event):
    ids: list[str]


@dataclass(frozen=True, slots=True)
class GoingAway(Event):
    """The server will close this connection in ``time_left_s`` seconds."""

    time_left_s: float | None


@dataclass(frozen=True, slots=True)
class ResumptionUpdated(Event):
    """``handle`` resumes the session; None while it cannot be resumed (keep the previous one)."""

    handle: str | None


@dataclass(frozen=True, slots=True)
class VoiceActivityChanged(Event):
    """The server's own voice activity signal, where it sends one."""

    active: bool
    offset_s: float | None = None


@dataclass(frozen=True, slots=True)
class SetupTimedOut(Event):
    """No setupComplete within the limit."""

    after_s: float


@dataclass(frozen=True, slots=True)
class SessionClosed(Event):
    """The connection is gone. ``turn_lost``: a model turn was open, its rest will not come."""

    code: int
    reason: str
    turn_lost: bool = False


# --- told to a server --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetupReceived(Event):
    setup: Setup


@dataclass(frozen=True, slots=True)
class ContentReceived(Event):
    """Turns for the history; ``turn_complete`` asks for an answer now."""

    turns: list[Content]
    turn_complete: bool


@dataclass(frozen=True, slots=True)
class AudioReceived(Event):
    """PCM16 little-endian mono at ``sample_rate`` Hz."""

    data: bytes
    sample_rate: int


@dataclass(frozen=True, slots=True)
class VideoReceived(Event):
    """One still frame."""

    data: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class TextReceived(Event):
    """Typed input that counts as user activity."""

    text: str


@dataclass(frozen=True, slots=True)
class ActivityStarted(Event):
    pass


@dataclass(frozen=True, slots=True)
class ActivityEnded(Event):
    pass


@dataclass(frozen=True, slots=True)
class AudioStreamEnded(Event):
    pass


@dataclass(frozen=True, slots=True)
class ToolResponseReceived(Event):
    responses: list[FunctionResponse]


@dataclass(frozen=True, slots=True)
class ContextUpdated(Event):
    """Only what is present changes; an empty ``tools`` list clears them."""

    system_instruction: Content | None
    tools: list[Tool] | None
