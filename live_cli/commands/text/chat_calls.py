"""The model's calls in `text`: answered while the reply streams, asked about line by line."""

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from live_cli.commands.session_tools import SessionTools
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.plan.plan import SessionPlan
from live_cli.protocol.events import Event, ToolCallCancelled
from live_cli.protocol.messages import ClientMessage
from live_cli.ui.line_reader import LineReader

if TYPE_CHECKING:
    from live_cli.tools.calls import PendingCall
    from live_cli.tools.consent import ConsentAnswer
    from live_cli.tools.runner import ToolRunner

_PROMPT = "Run it? y once, a in this session, n no, N never: "


OWED_TURN_LIMIT_S: Final = 10.0
"""How long a result that the model got while it spoke may take to be told."""


class ChatCalls:
    """The calls of one chat; ``tools`` None: the model has none. ``lines``: what is typed."""

    def __init__(
        self,
        tools: SessionTools | None,
        client: ResumingClient,
        plan: SessionPlan,
        lines: LineReader,
    ) -> None:
        self._client = client
        self._sending: set[asyncio.Task[None]] = set()
        self._runner = tools.start(client, plan, self._send) if tools else None
        self._prompt = _ToolPrompt(self._runner, lines) if self._runner else None

    def _send(self, message: ClientMessage) -> None:
        task = asyncio.create_task(self._client.send(message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def handle(self, event: Event) -> None:
        """Take in what comes of the server."""
        if self._runner is None or self._prompt is None:
            return
        if isinstance(event, ToolCallCancelled):
            self._prompt.leave_line()
        self._runner.handle(event)
        self._prompt.look()

    def turn_limit_s(self) -> float | None:
        """Return how long the next turn, without a new question, is waited for; 0: not at all.

        None: until it comes, since a call is open.
        """
        if self._runner is None:
            return 0.0
        if self._runner.is_busy:
            return None
        return OWED_TURN_LIMIT_S if self._runner.owes_turn else 0.0

    async def close(self) -> None:
        """Ask and send no more."""
        if self._prompt is not None:
            await self._prompt.close()
        for task in self._sending:
            task.cancel()


class _ToolPrompt:
    """Asks about the runner's calls, one after another, while the session goes on."""

    def __init__(self, runner: "ToolRunner", lines: LineReader) -> None:
        self._runner = runner
        self._lines = lines
        self._asking: asyncio.Task[None] | None = None
        self._asked: PendingCall | None = None
        self._left_line = False

    def look(self) -> None:
        """Ask, where there is something to ask and nothing is being asked.

        A question that was taken back is asked no more: what is typed next is no answer to it.
        """
        asked, self._asked = self._asked, self._runner.asking
        if self._asking is not None and not self._asking.done():
            if self._asked is asked:
                if self._left_line:
                    self._show()
                return
            self._asking.cancel()
        if self._asked is not None:
            self._asking = asyncio.create_task(self._ask())

    def leave_line(self) -> None:
        """Let what is told next begin a line, where a question is shown."""
        if self._asking is not None and not self._asking.done() and not self._left_line:
            print(file=sys.stderr)
            self._left_line = True

    def _show(self) -> None:
        print(_PROMPT, end="", file=sys.stderr, flush=True)
        self._left_line = False

    async def _ask(self) -> None:
        while (call := self._runner.asking) is not None:
            self._asked = call
            answer = read_answer(await self._lines.answer(self._show))
            if answer is not None:
                self._runner.answer(answer)

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None and not self._asking.done():
            self.leave_line()
            self._asking.cancel()
            await asyncio.wait([self._asking])


def read_answer(line: str | None) -> "ConsentAnswer | None":
    """Return what a typed line answers; None where it has to be asked again.

    The end of the input, and a line without a word, are a no.
    """
    from live_cli.tools.consent import ConsentAnswer

    if line is None or not line.strip():
        return ConsentAnswer.NO
    word = line.strip()
    words = {"yes": "y", "always": "a", "no": "n", "never": "N"}
    key = words.get(word.lower(), word if word == "N" else word.lower())
    return next((answer for answer in ConsentAnswer if answer.value == key), None)
