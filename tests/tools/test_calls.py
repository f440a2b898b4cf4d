"""The table of calls: every call ends once, no result is lost, none is sent twice or too late."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from live_cli.protocol.messages import FunctionCall
from live_cli.tools.calls import (
    MOST_CALLS,
    ORPHANS,
    TRANSITIONS,
    CallAct,
    CallFact,
    CallState,
    CallStep,
    PendingCall,
    PendingCalls,
)
from live_cli.tools.tool import ToolResult

RESULT = ToolResult({"output": "done"})


def asked(calls: PendingCalls, number: int = 1, name: str = "f") -> PendingCall:
    call, steps = calls.request(FunctionCall(id=f"id-{number}", name=name, args={}))
    assert call is not None
    assert steps == []
    return call


def acts(steps: list[CallStep]) -> list[CallAct]:
    return [step.act for step in steps]


def test_an_allowed_call_runs_and_its_result_is_sent() -> None:
    calls = PendingCalls()
    call = asked(calls)
    assert acts(calls.allow(call)) == [CallAct.RUN]
    assert acts(calls.finish(call, RESULT)) == [CallAct.SEND]
    assert calls.use_results() == []
    assert calls.open == ()


def test_the_same_id_told_twice_is_one_call() -> None:
    calls = PendingCalls()
    asked(calls)
    assert calls.request(FunctionCall(id="id-1", name="f", args={})) == (None, [])
    assert len(calls.open) == 1


def test_calls_without_ids_are_each_their_own() -> None:
    calls = PendingCalls()
    for _ in range(2):
        assert calls.request(FunctionCall(name="f", args={}))[0] is not None


def test_a_result_after_the_cancellation_is_dropped() -> None:
    calls = PendingCalls()
    call = asked(calls)
    calls.allow(call)
    assert acts(calls.cancel(["id-1"])) == [CallAct.STOP]
    assert calls.finish(call, RESULT) == []


def test_a_call_made_again_over_a_new_connection_adopts_the_run() -> None:
    calls = PendingCalls()
    call = asked(calls)
    calls.allow(call)
    calls.lose_connection()
    assert calls.request(FunctionCall(id="new", name="f", args={})) == (None, [])
    (sent,) = calls.finish(call, RESULT)
    assert (sent.act, sent.call.id) == (CallAct.SEND, "new")


def test_a_call_of_other_arguments_adopts_nothing() -> None:
    calls = PendingCalls()
    calls.allow(asked(calls))
    calls.lose_connection()
    call, _ = calls.request(FunctionCall(id="new", name="f", args={"other": 1}))
    assert call is not None


def test_a_result_that_nobody_adopts_is_told_in_words() -> None:
    calls = PendingCalls()
    call = asked(calls)
    calls.allow(call)
    calls.lose_connection()
    calls.note_unwanted()
    assert acts(calls.finish(call, RESULT)) == [CallAct.TELL]


def test_a_sent_result_of_which_nothing_was_made_is_sent_again_to_who_asks_again() -> None:
    calls = PendingCalls()
    call = asked(calls)
    calls.allow(call)
    calls.finish(call, RESULT)
    calls.lose_connection()
    _, steps = calls.request(FunctionCall(id="new", name="f", args={}))
    assert [(step.act, step.call.id) for step in steps] == [(CallAct.SEND, "new")]


def test_a_refusal_is_no_news_once_nobody_asks_any_more() -> None:
    calls = PendingCalls()
    call = asked(calls)
    calls.lose_connection()
    calls.note_unwanted()
    assert not call.is_open
    assert calls.refuse(call, RESULT) == []


def test_more_calls_than_can_be_open_are_noticed() -> None:
    calls = PendingCalls()
    for number in range(MOST_CALLS):
        asked(calls, number)
        assert not calls.is_full
    asked(calls, MOST_CALLS)
    assert calls.is_full


def test_the_table_knows_every_state_and_ends_every_call_at_the_close() -> None:
    assert set(TRANSITIONS) == set(CallState)
    for state, row in TRANSITIONS.items():
        if state is not CallState.ENDED:
            assert row[CallFact.CLOSED][0] is CallState.ENDED
    assert {state for state in CallState if state.name.startswith("ORPHAN")} == set(ORPHANS)


@dataclass(eq=False)
class _Told:
    """What was done about one call."""

    call: PendingCall
    sent_ids: list[str | None] = field(default_factory=list)
    runs: int = 0
    told: int = 0
    cancelled: bool = False
    refused: bool = False
    finished: bool = False
    ends: int = 0


class CallsMachine(RuleBasedStateMachine):
    """Any order of facts about a few calls of two functions over several connections."""

    @initialize()
    def begin(self) -> None:
        self.calls = PendingCalls()
        self.told: dict[PendingCall, _Told] = {}
        self.was_open: set[PendingCall] = set()
        self.connected = True
        self.closed = False
        self.number = 0

    def do(self, steps: list[CallStep]) -> None:
        for step in steps:
            told = self.told[step.call]
            match step.act:
                case CallAct.SEND:
                    assert self.connected
                    assert not told.cancelled
                    assert step.call.result is not None
                    assert step.call.id not in told.sent_ids
                    told.sent_ids.append(step.call.id)
                case CallAct.RUN:
                    told.runs += 1
                    assert told.runs == 1
                    assert not told.refused
                case CallAct.TELL:
                    assert step.call.result is not None
                    assert self.connected
                    told.told += 1
                    assert told.told == 1
                case CallAct.STOP:
                    assert told.runs == 1
                    assert not told.finished
                case CallAct.UNASK:
                    assert told.runs == 0

    def pick(self, place: int, *states: CallState) -> PendingCall | None:
        fitting = [call for call in self.calls.open if call.state in states]
        return fitting[place % len(fitting)] if fitting else None

    @precondition(lambda self: self.connected and not self.closed)
    @rule(name=st.sampled_from("fg"))
    def request(self, name: str) -> None:
        self.number += 1
        call, steps = self.calls.request(FunctionCall(id=f"id-{self.number}", name=name, args={}))
        if call is not None:
            self.told[call] = _Told(call)
        self.do(steps)

    @rule(place=st.integers(0, 5), allowed=st.booleans())
    def decide(self, place: int, allowed: bool) -> None:
        if call := self.pick(place, CallState.ASKING, CallState.ORPHAN_ASKING):
            self.told[call].refused = not allowed
            self.do(self.calls.allow(call) if allowed else self.calls.refuse(call, RESULT))

    @rule(place=st.integers(0, 5))
    def finish(self, place: int) -> None:
        if call := self.pick(place, CallState.RUNNING, CallState.ORPHAN_RUNNING):
            self.told[call].finished = True
            self.do(self.calls.finish(call, RESULT))

    @rule(place=st.integers(0, 5))
    def finish_too_late(self, place: int) -> None:
        ended = [call for call in self.told if not call.is_open]
        if ended:
            assert self.calls.finish(ended[place % len(ended)], RESULT) == []

    @precondition(lambda self: self.connected and not self.closed)
    @rule(place=st.integers(0, 5))
    def cancel(self, place: int) -> None:
        call = self.pick(place, CallState.ASKING, CallState.RUNNING, CallState.SENT)
        if call is not None and call.id is not None:
            self.told[call].cancelled = True
            self.do(self.calls.cancel([call.id]))

    @precondition(lambda self: self.connected and not self.closed)
    @rule()
    def use(self) -> None:
        self.do(self.calls.use_results())

    @precondition(lambda self: self.connected and not self.closed)
    @rule()
    def lose(self) -> None:
        self.connected = False
        self.do(self.calls.lose_connection())

    @precondition(lambda self: not self.connected and not self.closed)
    @rule()
    def connect(self) -> None:
        self.connected = True

    @precondition(lambda self: self.connected and not self.closed)
    @rule()
    def no_question_is_open(self) -> None:
        self.do(self.calls.note_unwanted())

    @rule()
    def close(self) -> None:
        self.closed = True
        self.do(self.calls.close())
        assert self.calls.open == ()

    @invariant()
    def each_call_ends_once_and_no_result_is_lost(self) -> None:
        for call, told in self.told.items():
            if call.is_open:
                assert told.ends == 0
                continue
            told.ends = 1
            assert call not in self.calls.open
            lost_result = told.finished and not (told.sent_ids or told.told or told.cancelled)
            assert not lost_result or self.closed


TestCallsMachine = CallsMachine.TestCase
TestCallsMachine.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)


@given(st.lists(st.sampled_from(list(CallFact)), max_size=12))
def test_an_ended_call_stays_ended(facts: list[CallFact]) -> None:
    state = CallState.ASKING
    ended = False
    for fact in facts:
        state, _ = TRANSITIONS[state].get(fact, (state, ()))
        assert not (ended and state is not CallState.ENDED)
        ended = state is CallState.ENDED
