"""The calls of a session, from the model's request to the end of each. Pure.

Theory of operation
===================

A call is in one of the states of `CallState`; `TRANSITIONS` says for each fact what the state
becomes and what is to be done. A fact that a state does not know changes nothing: a result that
comes after the call was cancelled is dropped in that way.

*Each call ends exactly once*, and each result is sent at most once under one id, never after a
cancellation.

*A lost connection* takes the call's id with it: the session that goes on, from its last handle, has
never heard of the call. But a tool that has begun may have done something, and must not do it
twice. So the call goes on as an orphan. The question that led to it is mostly sent again, and the
model calls again: the same function with the same arguments *adopts* the orphan, its run and its
result, under the new id. Once no question is open any more and nobody has adopted it, its result is
told to the model in words. A result that was sent, and of which nothing was made yet when the
connection broke, is lost with it and is an orphan's result again.

*Bounded.* At most `MOST_CALLS` are open; one more is answered with an error and not run. A call
whose id is open already is the same call, told twice, and is ignored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from live_cli.protocol.messages import FunctionCall, JsonObject
from live_cli.tools.tool import ToolResult

MOST_CALLS: Final = 64
"""As many as `serve` keeps open (`engine.conversation.tools.open_calls`)."""


class CallState(Enum):
    ASKING = "the person is asked"
    RUNNING = "the tool runs"
    SENT = "the result is sent, and the model has made nothing of it yet"
    ORPHAN_ASKING = "the person is asked, the connection of the call is lost"
    ORPHAN_RUNNING = "the tool runs, the connection of the call is lost"
    ORPHAN_DONE = "the result is here, the connection of the call is lost"
    ENDED = "nothing more comes of the call"


class CallFact(Enum):
    ALLOWED = "the call may run"
    REFUSED = "the call may not run"
    FINISHED = "the tool has a result, or failed"
    CANCELLED = "the model has no use for the call any more"
    USED = "the model went on with the result"
    LOST = "the connection is lost"
    ADOPTED = "the model called the same again over a new connection"
    UNWANTED = "the session goes on, and no question is open that may lead to the same call"
    CLOSED = "the session is over"


class CallAct(Enum):
    RUN = "start the tool"
    SEND = "send the result under the call's id"
    TELL = "tell the result in words, since the id is not known any more"
    STOP = "stop the tool"
    UNASK = "take the question to the person back"


_S, _F, _A = CallState, CallFact, CallAct

TRANSITIONS: Final[dict[CallState, dict[CallFact, tuple[CallState, tuple[CallAct, ...]]]]] = {
    _S.ASKING: {
        _F.ALLOWED: (_S.RUNNING, (_A.RUN,)),
        _F.REFUSED: (_S.SENT, (_A.SEND,)),
        _F.CANCELLED: (_S.ENDED, (_A.UNASK,)),
        _F.LOST: (_S.ORPHAN_ASKING, ()),
        _F.CLOSED: (_S.ENDED, (_A.UNASK,)),
    },
    _S.RUNNING: {
        _F.FINISHED: (_S.SENT, (_A.SEND,)),
        _F.CANCELLED: (_S.ENDED, (_A.STOP,)),
        _F.LOST: (_S.ORPHAN_RUNNING, ()),
        _F.CLOSED: (_S.ENDED, (_A.STOP,)),
    },
    _S.SENT: {
        _F.USED: (_S.ENDED, ()),
        _F.CANCELLED: (_S.ENDED, ()),
        _F.LOST: (_S.ORPHAN_DONE, ()),
        _F.CLOSED: (_S.ENDED, ()),
    },
    _S.ORPHAN_ASKING: {
        _F.ALLOWED: (_S.ORPHAN_RUNNING, (_A.RUN,)),
        _F.REFUSED: (_S.ORPHAN_DONE, ()),
        _F.ADOPTED: (_S.ASKING, ()),
        _F.UNWANTED: (_S.ENDED, (_A.UNASK,)),
        _F.CLOSED: (_S.ENDED, (_A.UNASK,)),
    },
    _S.ORPHAN_RUNNING: {
        _F.FINISHED: (_S.ORPHAN_DONE, ()),
        _F.ADOPTED: (_S.RUNNING, ()),
        _F.CLOSED: (_S.ENDED, (_A.STOP,)),
    },
    _S.ORPHAN_DONE: {
        _F.ADOPTED: (_S.SENT, (_A.SEND,)),
        _F.UNWANTED: (_S.ENDED, (_A.TELL,)),
        _F.CLOSED: (_S.ENDED, ()),
    },
    _S.ENDED: {},
}

RUNNING: Final = (_S.RUNNING, _S.ORPHAN_RUNNING)
ORPHANS: Final = (_S.ORPHAN_ASKING, _S.ORPHAN_RUNNING, _S.ORPHAN_DONE)


@dataclass(slots=True, eq=False)
class PendingCall:
    """One call of the model. ``id``: None where the service gives none (Vertex)."""

    id: str | None
    name: str
    arguments: JsonObject
    state: CallState = CallState.ASKING
    result: ToolResult | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the call has not ended."""
        return self.state is not CallState.ENDED


@dataclass(frozen=True, slots=True)
class CallStep:
    """Something to do about a call."""

    act: CallAct
    call: PendingCall


class PendingCalls:
    """The open calls of one session, oldest first. Each method returns what is to be done."""

    def __init__(self) -> None:
        self._open: list[PendingCall] = []
        self._unwanted = False

    @property
    def open(self) -> tuple[PendingCall, ...]:
        """The calls that have not ended."""
        return tuple(self._open)

    def request(self, asked: FunctionCall) -> tuple[PendingCall | None, list[CallStep]]:
        """Take in a call of the model.

        A new call is in ASKING: tell next whether it is allowed, or refused with a result. None
        where nothing is to be decided: it is open already, or it goes on as an orphan did.
        """
        if asked.id and any(call.id == asked.id for call in self._open):
            return None, []
        name, arguments = asked.name or "", asked.args or {}
        for call in self._open:
            if call.state in ORPHANS and (call.name, call.arguments) == (name, arguments):
                call.id = asked.id
                return None, self._advance(call, CallFact.ADOPTED)
        call = PendingCall(asked.id, name, arguments)
        self._open.append(call)
        return call, []

    @property
    def is_full(self) -> bool:
        """Return whether the last call has to be answered with an error."""
        return sum(call.state is not CallState.SENT for call in self._open) > MOST_CALLS

    def allow(self, call: PendingCall) -> list[CallStep]:
        """Note that the call may run."""
        return self._advance(call, CallFact.ALLOWED)

    def refuse(self, call: PendingCall, why: ToolResult) -> list[CallStep]:
        """Note that the call may not run, and what the model is told of it."""
        if call.state in (CallState.ASKING, CallState.ORPHAN_ASKING):
            call.result = why
        return self._advance(call, CallFact.REFUSED)

    def finish(self, call: PendingCall, result: ToolResult) -> list[CallStep]:
        """Note the result of a tool that ran."""
        if call.state in (CallState.RUNNING, CallState.ORPHAN_RUNNING):
            call.result = result
        return self._advance(call, CallFact.FINISHED)

    def cancel(self, ids: Iterable[str]) -> list[CallStep]:
        """Note the model's cancellation of calls."""
        wanted = set(ids)
        return self._advance_all(
            CallFact.CANCELLED, (call for call in self._open if call.id in wanted)
        )

    def use_results(self) -> list[CallStep]:
        """Note that the model has gone on, so that what was sent has come through."""
        return self._advance_all(CallFact.USED, self._open)

    def lose_connection(self) -> list[CallStep]:
        """Note that the connection is lost, and the ids of all calls with it."""
        self._unwanted = False
        return self._advance_all(CallFact.LOST, self._open)

    def note_unwanted(self) -> list[CallStep]:
        """Note that no question is open over the new connection: nobody will adopt an orphan."""
        self._unwanted = True
        return self._advance_all(CallFact.UNWANTED, self._open)

    def close(self) -> list[CallStep]:
        """Note the end of the session."""
        return self._advance_all(CallFact.CLOSED, self._open)

    def _advance_all(self, fact: CallFact, calls: Iterable[PendingCall]) -> list[CallStep]:
        return [step for call in list(calls) for step in self._advance(call, fact)]

    def _advance(self, call: PendingCall, fact: CallFact) -> list[CallStep]:
        after = TRANSITIONS[call.state].get(fact)
        if after is None:
            return []
        call.state, acts = after
        if not call.is_open:
            self._open.remove(call)
        steps = [CallStep(act, call) for act in acts]
        if self._unwanted and call.state in ORPHANS:
            steps += self._advance(call, CallFact.UNWANTED)
        return steps
