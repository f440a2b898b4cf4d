"""Any order of calls, answers, progress, ends and lost connections: what the server has of it."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from live_cli.protocol.events import (
    Event,
    Reconnected,
    Reconnecting,
    ResumptionUpdated,
    SessionClosed,
    ToolCallCancelled,
    ToolCallRequested,
    TurnComplete,
)
from live_cli.protocol.messages import ClientMessage, FunctionCall, FunctionResponse, JsonObject
from live_cli.tools.consent import Consent, ConsentAnswer
from live_cli.tools.runner import CallRules, ToolRunner
from live_cli.tools.tool import ClientTool, TellProgress, ToolResult

MOST_CALLS = 12
A_SECOND = 1.5
"""More than the runner wants between two reports of progress."""


class FakeClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still but where it is advanced."""

    now = 0.0

    def time(self) -> float:
        return self.now


class ServerState:
    """What a server knows of calls: over this connection, and by the last handle.

    A call is known by its number, whatever its ids: function ``f3`` is called once, and again where
    its connection is lost.
    """

    def __init__(self) -> None:
        self.connected = True
        self.open: dict[str, int] = {}
        self.received: list[int] = []
        self.kept: list[int] = []
        self.lost: set[int] = set()
        self.cancelled: set[int] = set()
        self.progress = 0

    def send(self, message: ClientMessage) -> None:
        assert self.connected
        if message.tool_response is not None:
            for response in message.tool_response.function_responses or []:
                self._take(response)
            return
        assert message.realtime_input is not None
        found = re.search(r"\bf(\d+)\b", message.realtime_input.text or "")
        assert found is not None
        self.kept.append(int(found[1]))  # words are sent again until they are answered

    def _take(self, response: FunctionResponse) -> None:
        assert response.id is not None
        number = self.open[response.id]  # of this connection, and neither answered nor cancelled
        assert response.name == f"f{number}"
        if response.will_continue:
            self.progress += 1
            return
        del self.open[response.id]
        self.received.append(number)

    def lose(self) -> None:
        self.connected = False
        self.lost |= {*self.open.values(), *self.received}
        self.open, self.received = {}, []

    def times(self) -> Counter[int]:
        """How often the model has the result of each call."""
        return Counter([*self.kept, *self.received])


class CallOrders(RuleBasedStateMachine):
    """Half of the functions are allowed beforehand, the person is asked about the others."""

    @initialize(non_blocking=st.booleans())
    def begin(self, non_blocking: bool) -> None:
        self.loop = FakeClockLoop()
        self.server = ServerState()
        self.awaits_answer = False
        self.ids = 0
        self.asked = 0
        self.runs: Counter[int] = Counter()
        self.running: dict[int, tuple[TellProgress, asyncio.Future[None]]] = {}

        def open_runner() -> None:
            self.runner = ToolRunner(
                [self.tool(number) for number in range(MOST_CALLS)],
                Consent(["*[02468]"]),
                send=self.server.send,
                awaits_answer=lambda: self.awaits_answer,
                rules=CallRules(non_blocking=non_blocking, takes_scheduling=non_blocking),
            )

        self.act(open_runner)

    def tool(self, number: int) -> ClientTool:
        async def call(arguments: JsonObject, tell_progress: TellProgress) -> ToolResult:
            self.runs[number] += 1
            done = self.loop.create_future()
            self.running[number] = (tell_progress, done)
            try:
                await done
            finally:
                del self.running[number]
            return ToolResult({"output": number})

        return ClientTool(f"f{number}", "house.py", "", {}, call, time_limit_s=1e9)

    def act(self, act: Callable[[], object]) -> None:
        async def settled() -> None:
            act()
            for _ in range(8):
                await asyncio.sleep(0)

        self.loop.run_until_complete(settled())

    def handle(self, event: Event) -> None:
        self.act(lambda: self.runner.handle(event))

    def call(self, number: int) -> None:
        self.ids += 1
        self.server.open[f"id-{self.ids}"] = number
        call = FunctionCall(id=f"id-{self.ids}", name=f"f{number}", args={})
        self.handle(ToolCallRequested([call]))

    @precondition(lambda self: self.server.connected and self.asked < MOST_CALLS)
    @rule()
    def ask(self) -> None:
        self.awaits_answer = True
        self.asked += 1
        self.call(self.asked - 1)

    @precondition(lambda self: self.server.connected and self.awaits_answer and self.server.lost)
    @rule(place=st.integers(0, 5))
    def ask_again(self, place: int) -> None:
        number = sorted(self.server.lost)[place % len(self.server.lost)]
        self.server.lost.discard(number)
        self.call(number)

    @rule(answer=st.sampled_from([ConsentAnswer.ONCE, ConsentAnswer.NO]))
    def decide(self, answer: ConsentAnswer) -> None:
        self.act(lambda: self.runner.answer(answer))

    @precondition(lambda self: self.running)
    @rule(place=st.integers(0, 5))
    def report_progress(self, place: int) -> None:
        tell_progress, _ = list(self.running.values())[place % len(self.running)]
        self.loop.now += A_SECOND
        self.act(lambda: tell_progress("half"))

    @precondition(lambda self: self.running)
    @rule(place=st.integers(0, 5))
    def finish(self, place: int) -> None:
        _, done = list(self.running.values())[place % len(self.running)]
        self.act(lambda: done.set_result(None))

    @precondition(lambda self: self.server.open)
    @rule(place=st.integers(0, 5))
    def cancel(self, place: int) -> None:
        id = sorted(self.server.open)[place % len(self.server.open)]
        self.server.cancelled.add(self.server.open.pop(id))
        self.handle(ToolCallCancelled([id]))

    @precondition(lambda self: self.server.connected)
    @rule()
    def complete_turn(self) -> None:
        self.awaits_answer = False
        self.server.lost.clear()
        self.handle(TurnComplete(1))

    @precondition(lambda self: self.server.connected and not self.server.open)
    @rule()
    def give_handle(self) -> None:
        self.server.kept += self.server.received
        self.server.received.clear()
        self.handle(ResumptionUpdated("handle"))

    @precondition(lambda self: self.server.connected)
    @rule()
    def lose(self) -> None:
        self.server.lose()
        self.handle(Reconnecting(SessionClosed(1006, "")))

    @precondition(lambda self: not self.server.connected)
    @rule()
    def reconnect(self) -> None:
        self.server.connected = True
        if not self.awaits_answer:
            self.server.lost.clear()
        self.handle(Reconnected(restored=True))

    @invariant()
    def no_call_runs_twice_and_no_result_is_there_twice(self) -> None:
        assert all(count == 1 for count in self.runs.values())
        assert all(count == 1 for count in self.server.times().values())

    @invariant()
    def nothing_is_told_of_what_was_cancelled(self) -> None:
        assert not self.server.cancelled & set(self.server.times())

    def teardown(self) -> None:
        """Let everything come to its end: then each result that there was is with the model."""
        try:
            while self.runner.asking is not None:
                self.decide(ConsentAnswer.ONCE)
            while self.running:
                self.finish(0)
            if not self.server.connected:
                self.reconnect()
            self.complete_turn()
            assert not self.runner.is_busy
            assert set(self.runs) - self.server.cancelled <= set(self.server.times())
        finally:
            self.loop.run_until_complete(self.runner.close())
            self.loop.close()


TestCallOrders = CallOrders.TestCase
TestCallOrders.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
