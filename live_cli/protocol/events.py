"""What a session tells its owner: one class per fact.

`Session.receive` and its siblings return these in the order in which they must be handled.
A *turn* is the client's own count of model turns, from 1: everything the model says until its
``turnComplete`` belongs to one turn. Times are seconds on the clock the owner passes as ``now``.
"""

import msgspec

from live_cli.protocol.messages import (
    Content,
    FunctionCall,
    FunctionResponse,
    Setup,
    Tool,
    UsageMetadata,
)


class Event(msgspec.Struct, frozen=True):
    """Root of all events. Structs, not dataclasses: forty of those take 30 ms to define."""


# --- told to a client --------------------------------------------------------------------------


class SessionOpened(Event, frozen=True):
    """The server confirmed the setup; input may flow."""

    session_id: str | None = None


class InputTranscript(Event, frozen=True):
    """What the user said: a delta to append or, when ``interim``, a preview the next replaces.

    ``start_s`` and ``end_s`` count from the start of the session's audio, where the server says.
    """

    text: str
    finished: bool = False
    interim: bool = False
    start_s: float | None = None
    end_s: float | None = None


class OutputTranscript(Event, frozen=True):
    """A delta of what the model says; spaces belong to it."""

    turn: int
    text: str
    finished: bool = False


class AudioChunk(Event, frozen=True):
    """PCM16 little-endian mono from the model."""

    turn: int
    data: bytes
    sample_rate: int


class TextChunk(Event, frozen=True):
    """A delta of a written reply (TEXT sessions)."""

    turn: int
    text: str


class Thought(Event, frozen=True):
    """A thought summary: never spoken, never in a caption."""

    turn: int
    text: str


class Interrupted(Event, frozen=True):
    """The user spoke over the model: stop playing now; what still comes of this turn is late.

    An interruption after a turn's end, while it still plays, names that turn; before the very
    first turn it names turn 0.
    """

    turn: int


class GenerationComplete(Event, frozen=True):
    """All of the turn has been generated; it may still be playing."""

    turn: int


class TurnComplete(Event, frozen=True):
    """The turn is over. ``reason`` is the server's, where it gave one.

    ``more_follows``: another turn comes without new input (a filler before a long thought).
    """

    turn: int
    interrupted: bool = False
    reason: str | None = None
    more_follows: bool = False


class UsageReported(Event, frozen=True):
    """Token counts, mostly of the turn whose `TurnComplete` comes next."""

    usage: UsageMetadata


class ToolCallRequested(Event, frozen=True):
    calls: list[FunctionCall]


class ToolCallCancelled(Event, frozen=True):
    ids: list[str]


class GoingAway(Event, frozen=True):
    """The server will close this connection in ``time_left_s`` seconds."""

    time_left_s: float | None


class ResumptionUpdated(Event, frozen=True):
    """``handle`` resumes the session; None while it cannot be resumed (keep the previous one)."""

    handle: str | None


class VoiceActivityChanged(Event, frozen=True):
    """The server's own voice activity signal, where it sends one."""

    active: bool
    offset_s: float | None = None


class SetupTimedOut(Event, frozen=True):
    """No setupComplete within the limit."""

    after_s: float


class SessionClosed(Event, frozen=True):
    """The connection is gone. ``turn_lost``: a model turn was open, its rest will not come."""

    code: int
    reason: str
    turn_lost: bool = False


class Reconnecting(Event, frozen=True):
    """The connection has ended and a new one is being made; the session may go on."""

    lost: SessionClosed


class Reconnected(Event, frozen=True):
    """The session goes on over a new connection; not ``restored``: without its memory."""

    restored: bool


# --- told to a server --------------------------------------------------------------------------


class SetupReceived(Event, frozen=True):
    setup: Setup


class ContentReceived(Event, frozen=True):
    """Turns for the history; ``turn_complete`` asks for an answer now."""

    turns: list[Content]
    turn_complete: bool


class AudioReceived(Event, frozen=True):
    """PCM16 little-endian mono at ``sample_rate`` Hz."""

    data: bytes
    sample_rate: int


class VideoReceived(Event, frozen=True):
    """One still frame."""

    data: bytes
    mime_type: str


class TextReceived(Event, frozen=True):
    """Typed input that counts as user activity."""

    text: str


class ActivityStarted(Event, frozen=True):
    pass


class ActivityEnded(Event, frozen=True):
    pass


class AudioStreamEnded(Event, frozen=True):
    pass


class ToolResponseReceived(Event, frozen=True):
    responses: list[FunctionResponse]


class ContextUpdated(Event, frozen=True):
    """Only what is present changes; an empty ``tools`` list clears them."""

    system_instruction: Content | None
    tools: list[Tool] | None
