"""Open calls: which responses answer them, what is late, what the model reads of a result."""

from itertools import count

import pytest

from live_cli.engine.conversation.tools.open_calls import (
    MOST_OPEN,
    LateResult,
    OpenCalls,
    Scheduling,
    text_of_result,
)
from live_cli.engine.stages import ToolUse
from live_cli.protocol.messages import FunctionResponse


def opened(*names, later=(), most_characters=100):
    numbers = count(1)
    calls = OpenCalls(most_characters, lambda: next(numbers))
    return calls, calls.start([ToolUse("", name, {}) for name in names], frozenset(later))


def response(number, result=None, **fields):
    return FunctionResponse(id=f"function-call-{number}", response=result, **fields)


def test_calls_get_ids_of_our_own():
    _, [first, second] = opened("f", "f")
    assert [first.use.id, second.use.id] == ["function-call-1", "function-call-2"]
    assert OpenCalls(100).start([ToolUse("x", "f", {})], frozenset())[0].use.id[14:].isdecimal()


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_responses_find_their_calls_in_any_order(order):
    calls, started = opened("f", "g", "h")
    for number in order:
        assert calls.take_response(response(number, {"output": str(number)})) is None
    assert [call.result for call in started] == ["1", "2", "3"]
    assert all(call.final for call in started)
    assert not calls.are_open


def test_a_response_without_an_id_is_for_the_oldest_call_of_that_name():
    calls, [other, first, second] = opened("g", "f", "f")
    calls.take_response(FunctionResponse(name="f", response={"output": "1"}))
    calls.take_response(FunctionResponse(name="f", response={"output": "2"}))
    assert (other.result, first.result, second.result) == (None, "1", "2")


@pytest.mark.parametrize("late", [response(1, {}), response(7, {}), FunctionResponse(name="g")])
def test_late_and_foreign_responses_are_ignored_with_a_line(late, caplog):
    calls, [call] = opened("f")
    assert calls.cancel([call]) == ["function-call-1"]
    assert calls.cancel([call]) == []
    assert calls.take_response(late) is None
    assert call.result is None
    assert "not open" in caplog.text


def test_a_function_that_was_never_called_may_answer_on_vertex():
    calls = OpenCalls(40, takes_uncalled=True)
    [call] = calls.start([ToolUse("", "f", {})], frozenset())
    late = calls.take_response(FunctionResponse(name="getStatus", response={"mood": "happy"}))
    assert late == LateResult(
        ToolUse("", "getStatus", {}), '{"getStatus": {"mood": "happy"}}', Scheduling.WHEN_IDLE, True
    )
    long = calls.take_response(FunctionResponse(name="g" * 999, response={"x": "y" * 999}))
    assert len(long.result) <= 40
    assert len(long.use.name) == 128
    assert calls.take_response(FunctionResponse(name="f")) is None  # it answers the call
    assert call.final
    for late in (FunctionResponse(name="f"), FunctionResponse(id="1", name="g")):
        assert calls.take_response(late) is None  # too late, or meant for a call


def test_a_flood_of_foreign_responses_leaves_few_lines(caplog):
    calls, _ = opened("f")
    for _ in range(100):
        calls.take_response(response(7))
    assert len(caplog.records) == 10


def test_a_call_stays_open_while_more_will_come():
    calls, [call] = opened("f")
    calls.take_response(response(1, {"output": "one"}, will_continue=True))
    assert not call.final
    calls.take_response(response(1, {"output": "two"}, will_continue=True))
    calls.take_response(response(1))
    assert call.final
    assert call.result == "one\ntwo"


@pytest.mark.parametrize(
    ("said", "scheduling"),
    [
        (None, Scheduling.WHEN_IDLE),
        ("WHEN_IDLE", Scheduling.WHEN_IDLE),
        ("INTERRUPT", Scheduling.INTERRUPT),
        ("SILENT", Scheduling.SILENT),
        ("SCHEDULING_UNSPECIFIED", Scheduling.WHEN_IDLE),
        ("SOMETIMES", Scheduling.WHEN_IDLE),
    ],
)
def test_results_of_non_blocking_calls_are_late_results(said, scheduling):
    calls, [call] = opened("f", later=["f"])
    late_result = calls.take_response(
        response(1, {"output": 7}, scheduling=said, will_continue=True)
    )
    assert late_result == LateResult(call.use, "7", scheduling, final=False)
    assert calls.take_response(response(1)) == LateResult(
        call.use, "{}", Scheduling.WHEN_IDLE, final=True
    )
    assert call.final
    assert not calls.are_open


def test_late_results_of_one_call_are_joined_and_the_newest_stays():
    use = ToolUse("1", "f", {})
    late_result = LateResult(use, "first", Scheduling.WHEN_IDLE, final=False)
    for number in range(100):
        later = LateResult(use, f"<{number}>", Scheduling.SILENT, final=number == 99)
        late_result = late_result.followed_by(later, 60)
        assert len(late_result.result) <= 60
    assert late_result.result.startswith("(cut)")
    assert late_result.result.endswith("<98>\n<99>")
    assert (late_result.scheduling, late_result.final) == (Scheduling.WHEN_IDLE, True)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, "{}"),
        ({"output": "ok"}, "ok"),
        ({"output": {"a": "é"}}, '{"a": "é"}'),
        ({"output": None}, "null"),
        ({"error": "broken", "output": 1}, '{"error": "broken"}'),
        ({"result": "ok", "n": 1}, '{"result": "ok", "n": 1}'),
        ({"result": "ok", "scheduling": "INTERRUPT"}, '{"result": "ok"}'),
        ({"scheduling": "every Monday"}, '{"scheduling": "every Monday"}'),
    ],
)
def test_what_the_model_reads_of_a_result(given, read):
    assert text_of_result(given, 1000) == read


def test_results_are_cut_to_what_fits(caplog):
    calls, [call] = opened("f", most_characters=50)
    for _ in range(9):
        calls.take_response(response(1, {"output": "x" * 30}, will_continue=True))
        assert len(call.result) <= 50
    assert call.result.endswith("(cut)")
    assert "cut: a result of 'f', at 50 characters" in caplog.text


def test_the_oldest_calls_are_overdue_when_too_many_are_open():
    calls, started = opened(*["f"] * (MOST_OPEN + 2))
    assert calls.overdue() == started[:2]
    calls.cancel(calls.overdue())
    assert calls.overdue() == []
    assert [call.final for call in started[:3]] == [True, True, False]
