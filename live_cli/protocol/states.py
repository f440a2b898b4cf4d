"""The states of a Live API session, and its transition table, as data.

Theory of operation
===================

Both sides see the same conversation, so there is one table. What goes over the wire is first
reduced to *facts*: "the client set up", "the server produced output", "the turn is complete".
`TRANSITIONS` maps a state and a fact to the next state; a pair that is missing is illegal. Who
breaks it decides the error: the peer a RemoteProtocolError, we ourselves a LocalProtocolError.
Some pairs are only `TOLERATED`: taken from a peer, never done ourselves.

    CONNECTING --setup--> AWAITING_SETUP_COMPLETE --setupComplete--> LISTENING
    LISTENING --output--> GENERATING --turnComplete--> LISTENING
                          GENERATING --interrupted--> INTERRUPTED --turnComplete--> LISTENING
    any --lost, timed out--> CLOSED

Turns are counted from 1. All output up to and including its turnComplete belongs to one turn. A
turnComplete while LISTENING is a turn without output (the model chose silence, or was cut off
before it said a word) and is counted like any other.

Interruption comes in three shapes. While GENERATING it ends the turn, and output that still
trickles in keeps the old turn's number, so that the playback refuses it. While LISTENING it is
about sound that is still playing, or about a turn that has no sound yet: it names the turn
before, of which nothing more can come, so that nothing new is ever refused. And a server may
forget the turnComplete after it: then output that arrives more than `LATE_OUTPUT_S` after the
interruption opens a new turn. (What is in flight arrives within a round trip; a new answer needs
the user's whole sentence and the silence after it first.)

goAway and resumption handles are independent of the turn: `handle` and `leaving_at` remember
them, so that a resumption can be planned at any state.

Beside the state a session counts its turns and remembers when the open one was interrupted:
`SessionProgress` is all of it, and `advance` the one place where it changes.
"""

from enum import Enum, auto
from typing import Final

import msgspec

from live_cli.errors import RemoteProtocolError
from live_cli.protocol.messages import ServerContent, ServerMessage

LATE_OUTPUT_S: Final = 1.0
"""How long after an interruption output still counts as the interrupted turn's."""


class State(Enum):
    __hash__ = object.__hash__  # Enum's own is Python code: a third of a µs at every message

    CONNECTING = auto()
    AWAITING_SETUP_COMPLETE = auto()
    LISTENING = auto()
    GENERATING = auto()
    INTERRUPTED = auto()
    CLOSED = auto()


_INTERRUPTED = State.INTERRUPTED  # Python 3.11 calls Python code to find a member: 0.2 µs each


class Fact(Enum):
    __hash__ = object.__hash__

    SETUP = "setup"
    INPUT = "client input"
    SETUP_COMPLETE = "setupComplete"
    OUTPUT = "model output"
    GENERATION_COMPLETE = "generationComplete"
    INTERRUPTION = "interrupted"
    TURN_COMPLETE = "turnComplete"
    NOTICE = "a notice"
    LOST = "the end of the connection"


_INPUT, _OUTPUT = Fact.INPUT, Fact.OUTPUT


_S, _F = State, Fact

TRANSITIONS: Final[dict[State, dict[Fact, State]]] = {
    _S.CONNECTING: {
        _F.SETUP: _S.AWAITING_SETUP_COMPLETE,
        _F.LOST: _S.CLOSED,
    },
    _S.AWAITING_SETUP_COMPLETE: {
        _F.SETUP_COMPLETE: _S.LISTENING,
        _F.NOTICE: _S.AWAITING_SETUP_COMPLETE,
        _F.LOST: _S.CLOSED,
    },
    _S.LISTENING: {
        _F.INPUT: _S.LISTENING,
        _F.OUTPUT: _S.GENERATING,
        _F.GENERATION_COMPLETE: _S.GENERATING,
        _F.INTERRUPTION: _S.LISTENING,
        _F.TURN_COMPLETE: _S.LISTENING,
        _F.NOTICE: _S.LISTENING,
        _F.LOST: _S.CLOSED,
    },
    _S.GENERATING: {
        _F.INPUT: _S.GENERATING,
        _F.OUTPUT: _S.GENERATING,
        _F.GENERATION_COMPLETE: _S.GENERATING,
        _F.INTERRUPTION: _S.INTERRUPTED,
        _F.TURN_COMPLETE: _S.LISTENING,
        _F.NOTICE: _S.GENERATING,
        _F.LOST: _S.CLOSED,
    },
    _S.INTERRUPTED: {
        _F.INPUT: _S.INTERRUPTED,
        _F.OUTPUT: _S.INTERRUPTED,
        _F.GENERATION_COMPLETE: _S.INTERRUPTED,
        _F.INTERRUPTION: _S.INTERRUPTED,
        _F.TURN_COMPLETE: _S.LISTENING,
        _F.NOTICE: _S.INTERRUPTED,
        _F.LOST: _S.CLOSED,
    },
    _S.CLOSED: {},
}

TOLERATED: Final = frozenset(
    {
        (_S.AWAITING_SETUP_COMPLETE, _F.NOTICE),
        (_S.INTERRUPTED, _F.OUTPUT),
        (_S.INTERRUPTED, _F.GENERATION_COMPLETE),
        (_S.INTERRUPTED, _F.INTERRUPTION),
    }
)

SENDABLE: Final = {
    state: frozenset(fact for fact in facts if (state, fact) not in TOLERATED)
    for state, facts in TRANSITIONS.items()
}
"""Facts that a side may make itself in each state."""

_COMPLAINTS: Final = {
    Fact.SETUP: "setup may be sent only once, as the first message of a session.",
    Fact.SETUP_COMPLETE: "setupComplete came twice, or before a setup.",
    Fact.OUTPUT: "Model output came before setupComplete.",
    Fact.TURN_COMPLETE: "turnComplete came before setupComplete.",
}


class SessionProgress(msgspec.Struct, frozen=True):
    """The progress of a session: its state, and what counts beside it."""

    state: State
    turn: int
    """The number of the open model turn, or of the next one."""
    all_generated: bool = False
    """Whether the open turn is generated to its end; it may still be playing."""
    interrupted_at: float | None = None
    """When the last interruption came, on the owner's clock, until a turn begins or ends."""

    def misses_turn_complete(self, now: float) -> bool:
        """Return whether output at ``now`` opens a new turn: no turnComplete ended the old one."""
        return self.state is _INTERRUPTED and not self._was_interrupted_lately(now)

    def ends_interrupted(self, now: float) -> bool:
        """Return whether a turnComplete at ``now`` ends an interrupted turn."""
        return self.state is State.INTERRUPTED or self._was_interrupted_lately(now)

    def _was_interrupted_lately(self, now: float) -> bool:
        return self.interrupted_at is not None and now - self.interrupted_at <= LATE_OUTPUT_S


def advance(before: SessionProgress, fact: Fact, now: float) -> SessionProgress:
    """Return the progress after ``fact`` at ``now``, by `TRANSITIONS` and the rules beside it.

    Raises RemoteProtocolError where the table has no next state.
    """
    after = TRANSITIONS[before.state].get(fact)
    if after is None:
        raise RemoteProtocolError(complaint(before.state, fact))
    if after is before.state and _changes_nothing(before, fact):
        return before
    turn, all_generated = before.turn, before.all_generated
    interrupted_at = before.interrupted_at
    if fact is Fact.GENERATION_COMPLETE:
        all_generated = True
    elif after is State.LISTENING or fact is Fact.OUTPUT:
        all_generated = False
    if fact is Fact.TURN_COMPLETE:
        turn += 1
        interrupted_at = None
    elif fact is Fact.INTERRUPTION and before.state is not State.INTERRUPTED:
        interrupted_at = now
    elif after is State.GENERATING:
        interrupted_at = None
    return SessionProgress(after, turn, all_generated, interrupted_at)


def _changes_nothing(before: SessionProgress, fact: Fact) -> bool:
    """Return whether ``fact``, which leaves the state as it is, leaves all else too.

    Input never changes anything, and more of the same output does not: fifty times a second.
    """
    if fact is _OUTPUT:
        return not before.all_generated and before.interrupted_at is None
    return fact is _INPUT


def complaint(state: State, fact: Fact) -> str:
    """Return why ``fact`` is refused in ``state``, for the close reason."""
    if fact is Fact.INPUT and state is State.CONNECTING:
        return "The first message of a session must be setup."
    if fact is Fact.INPUT:
        return "No message may follow setup before setupComplete."
    return _COMPLAINTS.get(fact, f"{fact.value} has no place here ({state.name}).")


NO_CONTENT: Final = ServerContent()


def facts_of(message: ServerMessage) -> list[Fact]:
    """Return the facts in a server message, in the order in which they happen."""
    content = message.server_content or NO_CONTENT
    output = content.model_turn is not None or content.output_transcription is not None
    happens = (
        (Fact.SETUP_COMPLETE, message.setup_complete is not None),
        (Fact.OUTPUT, output or message.tool_call is not None),
        (Fact.GENERATION_COMPLETE, content.generation_complete),
        (Fact.INTERRUPTION, content.interrupted),
        (Fact.TURN_COMPLETE, content.turn_complete),
        (Fact.NOTICE, is_notice(message)),
    )
    return [fact for fact, is_so in happens if is_so]


def is_notice(message: ServerMessage) -> bool:
    return (
        message.session_resumption_update is not None
        or message.usage_metadata is not None
        or message.go_away is not None
        or message.tool_call_cancellation is not None
        or message.voice_activity is not None
        or message.voice_activity_detection_signal is not None
    )
