"""Events, the facts that a session tells its owner: one class per fact.

`Session.receive`, `Session.lose` and `Session.tick` return events in the order in which they must
be handled. A *turn* is the client's own count of model turns, from 1: everything the model says
until its ``turnComplete`` belongs to one turn. Times are seconds on the clock that the owner passes
as ``now``.
"""

import msgspec

from live_cli.protocol.grounding import Citation, ReadPage, Source
from live_cli.protocol.messages import (
    Content,
    FunctionCall,
    FunctionResponse,
    JsonObject,
    Setup,
    Tool,
    UsageMetadata,
)


class Event(msgspec.Struct, frozen=True):
    """Root of all events. Structs, since forty dataclasses take 30 ms to define."""


# --- of a client's session ---------------------------------------------------------------------


class SessionOpened(Event, frozen=True):
    """The server confirmed the setup; input may flow."""

    session_id: str | None = None


class HeardWord(msgspec.Struct, frozen=True):
    """A word of the user with its times, in seconds from the start of the session's audio."""

    text: str
    start_s: float
    end_s: float


class InputTranscript(Event, frozen=True):
    """A transcript of the user: a delta to append, or an ``interim`` preview to replace.

    ``start_s`` and ``end_s`` count from the start of the session's audio; None where the server
    tells no times. ``words`` and ``language``: where it tells them.
    """

    text: str
    finished: bool = False
    interim: bool = False
    start_s: float | None = None
    end_s: float | None = None
    words: tuple[HeardWord, ...] = ()
    language: str | None = None


class OutputTranscript(Event, frozen=True):
    """A delta of the transcript of the model's speech, with the spaces to append."""

    turn: int
    text: str
    finished: bool = False


class AudioChunk(Event, frozen=True):
    """PCM16 little-endian mono from the model, at ``sample_rate`` Hz."""

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


class AnswerGrounded(Event, frozen=True):
    """The sources of a turn, and what they support; ``metadata`` is all of it, as it came."""

    turn: int
    sources: tuple[Source, ...]
    citations: tuple[Citation, ...]
    queries: tuple[str, ...]
    """What the service searched for."""
    metadata: JsonObject


class PagesRead(Event, frozen=True):
    """The pages that the model was given to read; ``metadata`` is all of it, as it came."""

    turn: int
    pages: tuple[ReadPage, ...]
    metadata: JsonObject


class CodeWritten(Event, frozen=True):
    """A program that the model wrote, for the service to run: no part of what it says."""

    turn: int
    code: str
    language: str | None = None
    id: str | None = None


class CodeRan(Event, frozen=True):
    """The end of a program that the service ran. ``outcome``: such as ``OUTCOME_OK``."""

    turn: int
    output: str
    outcome: str | None = None
    id: str | None = None


class Interrupted(Event, frozen=True):
    """The user spoke over the model: stop playing now; what still comes of this turn is late.

    An interruption after a turn's end, while it still plays, names that turn; before the very
    first turn it names turn 0.
    """

    turn: int


class GenerationComplete(Event, frozen=True):
    """The model has generated all of the turn, which may still be playing."""

    turn: int


class TurnComplete(Event, frozen=True):
    """The turn is over. ``reason``: the server's turnCompleteReason, where it gave one.

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
    """A new resumption handle; None: not resumable now, and the previous handle stays good."""

    handle: str | None


class VoiceActivityChanged(Event, frozen=True):
    """The user began or ceased to speak, by the server's own detector, where it tells."""

    active: bool
    offset_s: float | None = None


class SetupTimedOut(Event, frozen=True):
    """No setupComplete came within ``after_s`` seconds, and the session is over."""

    after_s: float


class SessionClosed(Event, frozen=True):
    """The connection has ended. ``turn_lost``: within a model turn, the rest of which is lost."""

    code: int
    reason: str
    turn_lost: bool = False


class Stalled(Event, frozen=True):
    """An answer is awaited and nothing has come for ``silent_s`` seconds, over an open socket."""

    silent_s: float


class Reconnecting(Event, frozen=True):
    """The connection has ended and a new one is being made; the session may go on."""

    lost: SessionClosed


class Reconnected(Event, frozen=True):
    """The session goes on over a new connection. ``restored``: none of its history is lost."""

    restored: bool


# --- of a server's session ---------------------------------------------------------------------


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
    """One still image, encoded as ``mime_type`` says."""

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
    """A change of instruction or tools. None: unchanged; an empty ``tools`` list clears them."""

    system_instruction: Content | None
    tools: list[Tool] | None
