"""Calls run: what the model gets, what the person sees, what is left after the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from live_cli.protocol.events import (
    Reconnected,
    Reconnecting,
    ResumptionUpdated,
    SessionClosed,
    ToolCallCancelled,
    ToolCallRequested,
    TurnComplete,
)
from live_cli.protocol.messages import ClientMessage, FunctionCall, FunctionResponse, JsonObject
from live_cli.tools.calls import MOST_CALLS, CallState
from live_cli.tools.consent import Consent, ConsentAnswer
from live_cli.tools.results import MOST_CHARACTERS
from live_cli.tools.runner import PROGRESS_CHARACTERS, CallReport, CallRules, ToolRunner
from live_cli.tools.tool import ClientTool, ResultScheduling, TellProgress, ToolResult

LOST = Reconnecting(SessionClosed(1006, ""))
TALKS_ON = CallRules(non_blocking=True, takes_scheduling=True)


@dataclass
class Bench:
    """A runner with one tool, ``f``, which returns once it is let."""

    consent: Consent = field(default_factory=lambda: Consent(["*"]))
    rules: CallRules = field(default_factory=CallRules)
    time_limit_s: float = 30.0
    awaits: bool = False
    scheduling: ResultScheduling = "WHEN_IDLE"
    body: Callable[[JsonObject, TellProgress], Awaitable[ToolResult]] | None = None

    def __post_init__(self) -> None:
        self.sent: list[ClientMessage] = []
        self.shown: list[CallReport] = []
        self.runs = self.stops = 0
        self.may_end = asyncio.Event()
        tools = [
            ClientTool(
                name,
                "house.py",
                "",
                {},
                self.call,
                time_limit_s=self.time_limit_s,
                scheduling=self.scheduling,
            )
            for name in ("f", "g")
        ]
        self.runner = ToolRunner(
            tools,
            self.consent,
            send=self.sent.append,
            show=self.shown.append,
            awaits_answer=lambda: self.awaits,
            rules=self.rules,
        )

    async def call(self, arguments: JsonObject, progress: TellProgress) -> ToolResult:
        self.runs += 1
        try:
            if self.body is not None:
                return await self.body(arguments, progress)
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.stops += 1
            raise
        return ToolResult({"output": "done"})

    def ask(self, id: str = "id-1", name: str = "f", **arguments: object) -> None:
        call = FunctionCall(id=id, name=name, args=arguments)
        self.runner.handle(ToolCallRequested([call]))

    async def settle(self) -> None:
        for _ in range(8):
            await asyncio.sleep(0)

    async def finish(self) -> None:
        self.may_end.set()
        await self.settle()

    @property
    def responses(self) -> list[FunctionResponse]:
        return [
            response
            for message in self.sent
            if message.tool_response is not None
            for response in message.tool_response.function_responses or []
        ]

    @property
    def results(self) -> list[tuple[str | None, JsonObject | None]]:
        return [(each.id, each.response) for each in self.responses]


DONE = {"output": "done"}
LONG_S = 3600.0


async def test_calls_of_one_message_run_side_by_side_and_answer_by_their_ids() -> None:
    bench = Bench()
    calls = [FunctionCall(id="a", name="f"), FunctionCall(id="b", name="g")]
    bench.runner.handle(ToolCallRequested(calls))
    await bench.settle()
    assert bench.runs == 2
    await bench.finish()
    assert bench.results == [("a", DONE), ("b", DONE)]
    assert not bench.runner.is_busy


async def test_a_function_that_is_not_there_is_an_error_for_the_model() -> None:
    bench = Bench()
    bench.ask(name="nothing")
    assert "nothing" in str(bench.results)
    assert bench.shown[-1].refused


async def test_a_cancelled_call_is_stopped_and_sends_nothing() -> None:
    bench = Bench()
    bench.ask()
    await bench.settle()
    bench.runner.handle(ToolCallCancelled(["id-1"]))
    await bench.finish()
    assert (bench.runs, bench.stops, bench.sent) == (1, 1, [])
    assert bench.shown[-1].cancelled


async def test_a_result_of_a_tool_that_will_not_stop_is_dropped() -> None:
    stopped = asyncio.Event()

    async def stubborn(arguments: JsonObject, progress: TellProgress) -> ToolResult:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.set()
        return ToolResult(DONE)

    bench = Bench(body=stubborn)
    bench.ask()
    await bench.settle()
    bench.runner.handle(ToolCallCancelled(["id-1"]))
    await stopped.wait()
    await bench.settle()
    assert bench.sent == []


@pytest.mark.parametrize(
    ("answer", "runs", "runs_of_the_next"),
    [
        (ConsentAnswer.ONCE, 1, 1),
        (ConsentAnswer.SESSION, 1, 2),
        (ConsentAnswer.NO, 0, 0),
        (ConsentAnswer.NEVER, 0, 0),
    ],
)
async def test_the_person_decides(answer: ConsentAnswer, runs: int, runs_of_the_next: int) -> None:
    bench = Bench(consent=Consent())
    bench.ask()
    await bench.settle()
    assert (bench.runs, bench.sent) == (0, [])
    bench.runner.answer(answer)
    await bench.finish()
    assert bench.runs == runs
    assert bench.responses[0].response == DONE or not answer.allows
    bench.ask("id-2")
    await bench.settle()
    assert bench.runs == runs_of_the_next
    asked_again = answer in (ConsentAnswer.ONCE, ConsentAnswer.NO)
    assert (bench.runner.asking is not None) == asked_again


async def test_an_answer_for_the_session_answers_what_is_asked_of_the_same_tool() -> None:
    bench = Bench(consent=Consent())
    for number in range(3):
        bench.ask(f"id-{number}")
    bench.ask("other", "g")
    bench.runner.answer(ConsentAnswer.SESSION)
    await bench.settle()
    assert bench.runs == 3
    assert bench.runner.asking is not None
    assert bench.runner.asking.name == "g"


async def test_a_key_from_before_the_question_could_be_read_answers_nothing() -> None:
    bench = Bench(consent=Consent())
    bench.ask()
    bench.ask("id-2", "g")
    bench.runner.answer(ConsentAnswer.ONCE, reading_s=LONG_S)
    assert bench.runs == 0
    reading_s = 0.02
    await asyncio.sleep(reading_s)
    bench.runner.answer(ConsentAnswer.ONCE, reading_s=reading_s)
    bench.runner.answer(ConsentAnswer.ONCE, reading_s=LONG_S)  # the next one has only now come up
    await bench.settle()
    assert bench.runs == 1
    assert bench.runner.asking is not None
    assert bench.runner.asking.name == "g"


async def test_without_a_person_a_call_is_refused_and_the_model_is_told() -> None:
    bench = Bench(consent=Consent(can_ask=False))
    bench.ask()
    await bench.settle()
    assert bench.runs == 0
    assert "did not allow" in str(bench.results)
    assert bench.shown[-1].refused


async def test_a_model_that_talks_on_is_told_that_the_person_is_asked() -> None:
    bench = Bench(consent=Consent(), rules=TALKS_ON)
    bench.ask()
    (waiting,) = bench.responses
    assert (waiting.will_continue, waiting.scheduling) == (True, "SILENT")
    bench.runner.answer(ConsentAnswer.ONCE)
    await bench.settle()
    await bench.finish()
    assert [each.will_continue for each in bench.responses] == [True, None]


@pytest.mark.parametrize("rules", [CallRules(), CallRules(non_blocking=True)])
async def test_scheduling_goes_only_to_who_takes_it(rules: CallRules) -> None:
    bench = Bench(consent=Consent(), rules=rules)
    bench.ask()
    bench.runner.answer(ConsentAnswer.ONCE)
    await bench.settle()
    await bench.finish()
    assert {each.scheduling for each in bench.responses} == {None}


async def test_progress_is_shown_and_told_to_a_model_that_talks_on() -> None:
    async def slow(arguments: JsonObject, progress: TellProgress) -> ToolResult:
        progress("half done")
        return ToolResult(DONE)

    for rules, told in ((CallRules(), [None]), (TALKS_ON, [True, None])):
        bench = Bench(body=slow, rules=rules)
        bench.ask()
        await bench.settle()
        assert [each.will_continue for each in bench.responses] == told
        assert "half done" in [report.note for report in bench.shown]


async def test_a_flood_of_progress_is_told_and_shown_once_a_second() -> None:
    async def floods(arguments: JsonObject, progress: TellProgress) -> ToolResult:
        for number in range(1000):
            progress(f"{number} " + "x" * 10_000)
        return ToolResult(DONE)

    bench = Bench(body=floods, rules=TALKS_ON)
    bench.ask()
    await bench.settle()
    assert [each.will_continue for each in bench.responses] == [True, None]
    (note,) = [report.note for report in bench.shown if report.note]
    assert len(note) == PROGRESS_CHARACTERS


async def test_a_result_is_told_as_its_tool_is_set_and_a_silent_one_is_not_waited_for() -> None:
    rows: tuple[tuple[ResultScheduling, bool], ...] = (
        ("SILENT", False),
        ("INTERRUPT", True),
        ("WHEN_IDLE", True),
    )
    for scheduling, owed in rows:
        bench = Bench(rules=TALKS_ON, scheduling=scheduling)
        bench.ask()
        await bench.settle()
        await bench.finish()
        assert [each.scheduling for each in bench.responses] == [scheduling]
        assert bench.runner.owes_turn == owed


async def test_a_tool_has_a_time_limit() -> None:
    bench = Bench(time_limit_s=0.02)
    bench.ask()
    async with asyncio.timeout(10):
        while bench.runner.is_busy:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert "longer than 0.02 s" in str(bench.results)
    assert bench.stops == 1


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (LookupError("no such lamp"), "LookupError: no such lamp"),
        (FileNotFoundError(2, "No such file or directory", "/home/ada/x"), "FileNotFoundError: No"),
        (ValueError("cannot read /home/ada/secret.txt"), "ValueError: cannot read secret.txt"),
        (RuntimeError(), "RuntimeError"),
        (TimeoutError("the lamp"), "TimeoutError: the lamp"),
        (asyncio.CancelledError(), "stopped"),
    ],
)
async def test_an_exception_is_an_answer_without_a_path(
    raised: BaseException, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(arguments: JsonObject, progress: TellProgress) -> ToolResult:
        raise raised

    bench = Bench(body=fails)
    with caplog.at_level(logging.WARNING, "live_cli.tools"):
        bench.ask()
        await bench.settle()
    ((_, response),) = bench.results
    assert response is not None
    assert told in response["error"]
    assert "/home" not in response["error"]
    assert bool(caplog.records) == isinstance(raised, Exception)


async def test_a_result_of_any_size_is_cut_with_a_word() -> None:
    async def large(arguments: JsonObject, progress: TellProgress) -> ToolResult:
        return ToolResult({"output": ["x" * 100] * 100_000})

    bench = Bench(body=large)
    bench.ask()
    await bench.settle()
    ((_, response),) = bench.results
    assert response is not None
    assert MOST_CHARACTERS < len(response["output"]) < MOST_CHARACTERS + 20
    assert response["output"].endswith("(cut)")


async def test_calls_without_end_are_answered_with_an_error() -> None:
    bench = Bench()
    for number in range(MOST_CALLS + 3):
        bench.ask(f"id-{number}")
    await bench.settle()
    assert bench.runs == MOST_CALLS
    assert len(bench.results) == 3
    assert "Too many" in str(bench.results)


async def test_a_call_goes_on_over_a_lost_connection_and_answers_who_asks_again() -> None:
    bench = Bench(awaits=True)
    bench.ask()
    await bench.settle()
    bench.runner.handle(LOST)
    bench.runner.handle(Reconnected(restored=True))
    bench.ask("new")
    await bench.finish()
    assert bench.runs == 1
    assert bench.results == [("new", DONE)]


async def test_a_result_that_nobody_asks_for_any_more_is_told_in_words() -> None:
    bench = Bench()
    bench.ask()
    await bench.settle()
    bench.runner.handle(LOST)
    await bench.finish()
    assert bench.sent == []
    bench.runner.handle(Reconnected(restored=True))
    (message,) = bench.sent
    assert message.realtime_input is not None
    assert message.realtime_input.text is not None
    assert "done" in message.realtime_input.text


async def test_a_result_is_safe_with_the_next_handle_only() -> None:
    for event, told in ((ResumptionUpdated("h"), 1), (ResumptionUpdated(None), 2)):
        bench = Bench()
        bench.ask()
        await bench.settle()
        await bench.finish()
        bench.runner.handle(event)
        bench.runner.handle(LOST)
        bench.runner.handle(Reconnected(restored=True))
        assert len(bench.sent) == told


async def test_a_turn_without_resumption_uses_the_result() -> None:
    bench = Bench(rules=CallRules(keeps_results=False))
    bench.ask()
    await bench.settle()
    await bench.finish()
    states = [bench.shown[-1].call.state]
    bench.runner.handle(TurnComplete(1))
    states.append(bench.shown[-1].call.state)
    assert states == [CallState.SENT, CallState.ENDED]


async def test_the_end_of_a_session_stops_what_runs() -> None:
    bench = Bench()
    bench.ask()
    await bench.settle()
    async with asyncio.timeout(10):
        await bench.runner.close()
    assert (bench.stops, bench.sent) == (1, [])
    assert not bench.runner.is_busy
    told = len(bench.shown)
    assert bench.shown[-1].cancelled
    await bench.runner.close()
    assert len(bench.shown) == told
