"""The model's calls, run: what the table of calls wants done is done here.

Everything happens on the event loop. The owner tells what comes of the server and what the person
answers, and gets back what to send and what to show through callbacks that must not block.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from live_cli.protocol import compose, events
from live_cli.protocol.messages import ClientMessage, FunctionCall, FunctionResponse, JsonObject
from live_cli.tools.calls import (
    RUNNING,
    CallAct,
    CallState,
    CallStep,
    PendingCall,
    PendingCalls,
)
from live_cli.tools.consent import Consent, ConsentAnswer, Verdict
from live_cli.tools.run import run_tool
from live_cli.tools.tool import ClientTool, TellProgress, ToolResult

NOT_ALLOWED: Final = ToolResult.error("The user did not allow this call.")
TOO_MANY: Final = ToolResult.error("Too many calls are open. Wait for their results.")
WAITING: Final = "The user is asked whether this call may run, and has not answered yet."
STOPPING_LIMIT_S: Final = 3.0
"""How long tools may take to stop at the end of a session."""
PROGRESS_EVERY_S: Final = 1.0
"""What a tool says of its progress sooner than so after the last is left out."""
PROGRESS_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class CallRules:
    """How a session's model takes results (reference §4.4, §6).

    ``non_blocking``: it goes on talking while a call is open. ``takes_scheduling``: a result may
    say when it wants to be told. ``keeps_results``: the session may be resumed, so that a result is
    safe only with the next handle.
    """

    non_blocking: bool = False
    takes_scheduling: bool = False
    keeps_results: bool = True


@dataclass(frozen=True, slots=True)
class CallReport:
    """What is to be shown of one call.

    ``call``: its state and result. ``seconds``: since the model asked. ``refused``: it was not run.
    ``note``: what the tool says meanwhile.
    """

    call: PendingCall
    tool: ClientTool
    seconds: float
    refused: bool = False
    cancelled: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Request:
    """A call when the model asked for it."""

    tool: ClientTool
    asked_at: float


async def _not_there(arguments: JsonObject, tell_progress: TellProgress) -> ToolResult:
    return ToolResult.error("There is no such function.")


def _missing(name: str) -> ClientTool:
    """Return what stands for a function that the model called and nobody provides."""
    return ClientTool(name, "nobody", "", {}, _not_there)


class ToolRunner:
    """Runs the calls of one session.

    ``send`` takes messages for the server; ``say`` makes one of text, as the model takes it;
    ``show`` is told whatever changes about a call; ``awaits_answer`` says whether a question is
    open with the server.
    """

    def __init__(
        self,
        tools: Sequence[ClientTool],
        consent: Consent,
        *,
        send: Callable[[ClientMessage], None],
        say: Callable[[str], ClientMessage] = compose.text,
        show: Callable[[CallReport], None] = lambda report: None,
        awaits_answer: Callable[[], bool] = lambda: False,
        rules: CallRules | None = None,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._consent = consent
        self._send = send
        self._say = say
        self._show = show
        self._awaits_answer = awaits_answer
        self._rules = rules or CallRules()
        self._calls = PendingCalls()
        self._running: dict[PendingCall, asyncio.Task[None]] = {}
        self._requests: dict[PendingCall, _Request] = {}
        self._results_in_turn = 0
        self._owed = False
        self._clock = asyncio.get_running_loop().time
        self._asked: PendingCall | None = None
        self._asked_at = 0.0

    def replace_tools(self, tools: Sequence[ClientTool]) -> None:
        """Offer these tools from now on; a call that runs goes on."""
        self._tools = {tool.name: tool for tool in tools}

    @property
    def asking(self) -> PendingCall | None:
        """The call that the person is asked about now: the oldest of them."""
        asked = (CallState.ASKING, CallState.ORPHAN_ASKING)
        return next((call for call in self._calls.open if call.state in asked), None)

    @property
    def owes_turn(self) -> bool:
        """Return whether the model is to tell a result in a turn of its own, once a turn is over.

        It got the result after that turn, or within it and talks on while a call is open.
        """
        return self._owed or self._results_in_turn > 0

    @property
    def is_busy(self) -> bool:
        """Return whether a tool runs, or the person is asked."""
        return bool(self._running) or self.asking is not None

    # --- what comes of the server --------------------------------------------------------------

    def handle(self, event: events.Event) -> None:
        """Take in what comes of the server."""
        match event:
            case events.ToolCallRequested(calls):
                for call in calls:
                    self._request(call)
            case events.ToolCallCancelled(ids):
                self._cancel(ids)
            case events.ResumptionUpdated(handle) if handle is not None:
                self._do(self._calls.use_results())
            case events.TurnComplete():
                self._owed = self._rules.non_blocking and self._results_in_turn > 0
                self._results_in_turn = 0
                if not self._rules.keeps_results:
                    self._do(self._calls.use_results())
                self._do(self._calls.note_unwanted())
            case events.Reconnecting():
                self._do(self._calls.lose_connection())
            case events.Reconnected() if not self._awaits_answer():
                self._do(self._calls.note_unwanted())
            case _:
                pass

    def _request(self, asked: FunctionCall) -> None:
        call, steps = self._calls.request(asked)
        self._do(steps)
        if call is None:
            return
        tool = self._tools.get(call.name)
        self._requests = {each: known for each, known in self._requests.items() if each.is_open}
        self._requests[call] = _Request(tool or _missing(call.name), self._clock())
        if tool is None:
            self._refuse(call, ToolResult.error(f"There is no function {call.name!r}."))
        elif self._calls.is_full:
            self._refuse(call, TOO_MANY)
        else:
            self._judge(call, tool)

    def _judge(self, call: PendingCall, tool: ClientTool) -> None:
        match self._consent.verdict(tool):
            case Verdict.RUN:
                self._do(self._calls.allow(call))
            case Verdict.REFUSE:
                self._refuse(call, NOT_ALLOWED)
            case Verdict.ASK:
                if self._rules.non_blocking:
                    self._respond(call, ToolResult({"output": WAITING}), will_continue=True)
                self._report(call)

    def _refuse(self, call: PendingCall, why: ToolResult) -> None:
        steps = self._calls.refuse(call, why)
        self._report(call, refused=True)
        self._do(steps)

    def _cancel(self, ids: Sequence[str]) -> None:
        cancelled = [call for call in self._calls.open if call.id in ids]
        self._do(self._calls.cancel(ids))
        for call in cancelled:
            self._report(call, cancelled=True)

    # --- what the person answers ---------------------------------------------------------------

    def answer(self, answer: ConsentAnswer, *, reading_s: float = 0.0) -> None:
        """Take in what the person answers to the call that is `asking`, and to its like.

        A question that is there for less than ``reading_s`` cannot have been read: the key was
        meant for something else, and answers nothing.
        """
        call = self.asking
        if call is None or self._clock() - self._asked_at < reading_s:
            return
        tool = self._requests[call].tool
        self._consent.note(tool, answer)
        self._decide(call, allowed=answer.allows)
        while (call := self.asking) is not None:  # an answer for the session is one for these too
            verdict = self._consent.verdict(self._requests[call].tool)
            if verdict is Verdict.ASK:
                self._report(call)
                return
            self._decide(call, allowed=verdict is Verdict.RUN)

    def _decide(self, call: PendingCall, *, allowed: bool) -> None:
        if allowed:
            self._do(self._calls.allow(call))
        else:
            self._refuse(call, NOT_ALLOWED)

    # --- what is to be done --------------------------------------------------------------------

    def _do(self, steps: list[CallStep]) -> None:
        for step in steps:
            match step.act:
                case CallAct.RUN:
                    self._start(step.call)
                case CallAct.SEND if step.call.result is not None:
                    silent = self._scheduling(step.call, will_continue=False) == "SILENT"
                    self._results_in_turn += not silent
                    self._respond(step.call, step.call.result)
                case CallAct.TELL if step.call.result is not None:
                    self._tell(step.call, step.call.result)
                case CallAct.STOP:
                    self._running[step.call].cancel()
                case _:
                    pass

    def _start(self, call: PendingCall) -> None:
        task = asyncio.create_task(self._run(call, self._requests[call].tool))
        self._running[call] = task
        task.add_done_callback(lambda _: self._running.pop(call))
        self._report(call)

    async def _run(self, call: PendingCall, tool: ClientTool) -> None:
        result = await run_tool(tool, call.arguments, self._progress_of(call))
        steps = self._calls.finish(call, result)
        if call.result is not None:
            self._report(call)
        self._do(steps)

    def _progress_of(self, call: PendingCall) -> TellProgress:
        """Return what takes the progress of a call, of which a flood is neither told nor shown."""
        next_at = 0.0

        def tell(message: str) -> None:
            nonlocal next_at
            if self._clock() < next_at or call.state not in RUNNING:
                return
            next_at = self._clock() + PROGRESS_EVERY_S
            said = message[:PROGRESS_CHARACTERS]
            if call.state is CallState.RUNNING and self._rules.non_blocking:
                self._respond(call, ToolResult({"output": said}), will_continue=True)
            self._report(call, note=said)

        return tell

    def _respond(
        self, call: PendingCall, result: ToolResult, *, will_continue: bool = False
    ) -> None:
        response = FunctionResponse(
            id=call.id,
            name=call.name,
            response=result.response,
            scheduling=self._scheduling(call, will_continue=will_continue),
            will_continue=True if will_continue else None,
            parts=list(result.parts) or None,
        )
        self._send(compose.tool_response([response]))

    def _scheduling(self, call: PendingCall, *, will_continue: bool) -> str | None:
        if not (self._rules.non_blocking and self._rules.takes_scheduling):
            return None
        if will_continue:
            return "SILENT"
        tool = self._requests[call].tool
        return tool.scheduling

    def _tell(self, call: PendingCall, result: ToolResult) -> None:
        said = msgspec.json.encode(result.response).decode()
        self._send(
            self._say(f"(The connection broke during a call of {call.name}. Its result is: {said})")
        )

    def _report(
        self, call: PendingCall, *, refused: bool = False, cancelled: bool = False, note: str = ""
    ) -> None:
        if self._asked is not self.asking:
            self._asked, self._asked_at = self.asking, self._clock()
        known = self._requests[call]
        seconds = self._clock() - known.asked_at
        self._show(CallReport(call, known.tool, seconds, refused, cancelled, note))

    async def close(self) -> None:
        """End the session: tools that run are stopped, and waited for a little."""
        tasks = list(self._running.values())
        unfinished = [call for call in self._calls.open if call.result is None]
        self._do(self._calls.close())
        for call in unfinished:
            self._report(call, cancelled=True)
        if tasks:
            await asyncio.wait(tasks, timeout=STOPPING_LIMIT_S)
