"""The model's calls in `text`: answered while the reply streams, asked about line by line."""

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from live_cli.commands.session_tools import SessionTools
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.plan.plan import SessionPlan
from live_cli.protocol.events import Event
from live_cli.protocol.messages import ClientMessage
from live_cli.ui.line_reader import LineReader

if TYPE_CHECKING:
    from live_cli.tools.consent import ConsentAnswer
    from live_cli.tools.runner import ToolRunner

_PROMPT = "Run it? y once, a in this session, n no, N never: "


OWED_TURN_LIMIT_S: Final = 10.0
"""How long a result that the model got while it spoke may take to be told."""


class ChatCalls:
    """The calls of one chat; ``tools`` None: the model has none."""

    def __init__(
        self, tools: SessionTools | None, client: ResumingClient, plan: SessionPlan
    ) -> None:
        self._client = client
        self._sending: set[asyncio.Task[None]] = set()
        self._runner = tools.start(client, plan, self._send) if tools else None
        self._prompt = _ToolPrompt(self._runner) if self._runner else None

    def _send(self, message: ClientMessage) -> None:
        task = asyncio.create_task(self._client.send(message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def handle(self, event: Event) -> None:
        """Take in what comes of the server."""
        if self._runner is not None and self._prompt is not None:
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

    def __init__(self, runner: "ToolRunner") -> None:
        self._runner = runner
        self._lines = LineReader()
        self._asking: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Ask, where there is something to ask and nothing is being asked."""
        if self._runner.asking is not None and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        while (call := self._runner.asking) is not None:
            print(_PROMPT, end="", file=sys.stderr, flush=True)
            line = await self._lines.next()
            answer = read_answer(line)
            if self._runner.asking is call and answer is not None:
                self._runner.answer(answer)

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
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
