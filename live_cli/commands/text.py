"""`live-cli text`: a message, a pipe of lines, or a chat; the reply streams as it comes."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from live_cli.commands.connect import RunningServer, notes, running_server
from live_cli.commands.outputs import refuse_both_on_stdout, refuse_overwriting
from live_cli.commands.resume import resumable, resumed, tell_reconnected
from live_cli.errors import OptionError
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.plan.history_file import read_history
from live_cli.plan.plan import SessionPlan, plan_session
from live_cli.protocol import compose
from live_cli.protocol.events import (
    AudioChunk,
    Reconnected,
    Reconnecting,
    SessionClosed,
    TurnComplete,
)
from live_cli.protocol.messages import Content, Part
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE
from live_cli.settings.schema import Settings
from live_cli.ui.choose import choose_view
from live_cli.ui.line_reader import LineReader
from live_cli.ui.session_stats import SessionStats
from live_cli.ui.view import Summary, View

if TYPE_CHECKING:
    from live_cli.audio.files.speech_files import WavWriter


def run(
    settings: Settings,
    message: str | None,
    *,
    history: Path | None,
    output_path: str | None,
    resume: str | None,
    json: bool,
) -> None:
    """Send the message, or each line of stdin, and show the replies. Raises LiveError."""
    refuse_both_on_stdout(output_path, json=json)
    if message is not None and not message.strip():
        raise OptionError('The message is empty. Write one: live-cli text "How are you?"')
    refuse_overwriting(output_path, [str(history)] if history else [])
    turns = read_history(history) if history else []
    plan = plan_session(settings, "text", spoken_reply=output_path is not None, history=bool(turns))
    plan = resumed(plan, resume)
    with _chosen_view(settings, json=json, to_stderr=output_path == "-") as view:
        summary = asyncio.run(
            _converse(plan, settings.engine.chat, view, message, turns, output_path)
        )
        view.close(summary if json else None)


def _chosen_view(settings: Settings, *, json: bool, to_stderr: bool) -> View:
    return choose_view(
        json=json,
        stdout_is_tty=False,  # a reply streams as plain text, also to a terminal
        wanted="reply",
        stdout=sys.stderr if to_stderr else None,
        show_thoughts=settings.session.show_thoughts,
        usage=settings.usage,
    )


async def _converse(
    plan: SessionPlan,
    chat_model: str,
    view: View,
    message: str | None,
    turns: list[Content],
    output: str | None,
) -> Summary:
    with ExitStack() as stack:
        for text in notes(plan, chat_model):
            view.note(text)
        writer = None
        if output is not None:
            from live_cli.audio.files.speech_files import (
                WavWriter,  # loads numpy, which written replies do not need
            )

            writer = stack.enter_context(WavWriter(output, OUTPUT_SAMPLE_RATE))
        async with running_server(plan) as server, resumable(server, plan) as client:
            chat = _Chat(server, client, view, plan, writer)
            await chat.send_history(turns)
            async for line in _messages(message):
                await chat.ask(line)
            return chat.summary()


async def _messages(message: str | None) -> AsyncIterator[str]:
    """Yield the one message, or the lines of stdin: from a terminal with a prompt, until Ctrl-D."""
    if message is not None:
        # what the locale could not read is read as UTF-8, as stdin is
        yield message.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return
    lines = LineReader()
    on_terminal = sys.stdin is not None and sys.stdin.isatty()
    while True:
        if on_terminal:
            print("you: ", end="", file=sys.stderr, flush=True)
        line = await lines.next()
        if line is None:
            if on_terminal:
                print(file=sys.stderr)
            return
        if line.strip():
            yield line


class _Chat:
    """Questions and answers over one session; ``writer`` takes the sound of the answers."""

    def __init__(
        self,
        server: RunningServer,
        client: ResumingClient,
        view: View,
        plan: SessionPlan,
        writer: "WavWriter | None",
    ) -> None:
        self._server = server
        self._client = client
        self._view = view
        self._rule = plan.model.client_content
        self._writer = writer
        self._clock = asyncio.get_running_loop().time
        self._stats = SessionStats(self._clock())

    async def send_history(self, turns: list[Content]) -> None:
        """Send earlier turns, to be answered only with the first question."""
        if turns:
            # a model that takes turns only as initial history is told where that ends
            ends = self._rule == "initial"
            await self._client.send(compose.turns(turns, turn_complete=ends))

    async def ask(self, text: str) -> None:
        """Send a message and show the whole answer. Raises SessionError if it breaks off."""
        self._stats.input_ended(self._clock())
        if self._rule == "session":
            turn = Content(role="user", parts=[Part(text=text)])
            await self._client.send(compose.turns([turn]))
        else:
            await self._client.send(compose.text(text))
        async for event in self._client:
            if changes := self._stats.event(event, self._clock()):
                self._view.status(**changes)
            self._view.event(event)
            match event:
                case AudioChunk(data=data) if self._writer is not None:
                    self._writer.write_pcm16(data)
                case TurnComplete(more_follows=False):
                    return
                case Reconnecting(lost) if lost.turn_lost:
                    raise await self._server.lost(lost)
                case Reconnecting():
                    self._view.status(connection="reconnecting")
                case Reconnected(restored):
                    tell_reconnected(self._view, restored)
                case SessionClosed():
                    raise await self._server.lost(event)
                case _:
                    pass

    def summary(self) -> Summary:
        return self._stats.summary(self._clock())
