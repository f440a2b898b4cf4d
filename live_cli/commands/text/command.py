"""`live-cli text`: a message, a pipe of lines, or a chat, each with pictures."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from live_cli.commands.connect import notes, prices_of, running_server
from live_cli.commands.outputs import (
    refuse_both_on_stdout,
    refuse_overwriting,
    refuse_unwritable_sound,
)
from live_cli.commands.resume import may_resume, resumable, resumed
from live_cli.commands.session_tools import session_tools
from live_cli.commands.text.chat import Chat
from live_cli.commands.text.chat_calls import ChatCalls
from live_cli.commands.text.pictures import STDIN, PictureInput, refuse_unreadable
from live_cli.commands.text.questions import Question, questions
from live_cli.errors import OptionError
from live_cli.plan.history_file import read_history
from live_cli.plan.history_forms import EarlierTurns
from live_cli.plan.plan import SessionPlan, plan_session
from live_cli.plan.typed_input import first_words
from live_cli.protocol.messages import Content
from live_cli.settings.schema import Settings
from live_cli.streams import is_terminal
from live_cli.ui.choose import choose_view
from live_cli.ui.line_reader import LineReader
from live_cli.ui.view import Summary, View


def run(
    settings: Settings,
    message: str | None,
    *,
    document: bool,
    images: list[str],
    history: Path | None,
    output_path: str | None,
    resume: str | None,
    json: bool,
) -> None:
    """Send the message, or what stdin holds, and show the replies. Raises LiveError.

    ``document``: all of stdin is one message. ``images``: files of pictures that go with the first
    message, or alone; "-" is stdin. What may be asked: `commands.text.questions`.
    """
    refuse_both_on_stdout(output_path, json=json)
    refuse_unwritable_sound(output_path)
    if message is not None and not message.strip():
        raise OptionError('The message is empty. Write one: live-cli text "How are you?"')
    history_is_stdin = str(history) == STDIN
    has_question = message not in (None, STDIN) or (images and message is None)
    if history_is_stdin and (document or not has_question):
        raise OptionError(
            "--history - reads all of standard input, where the questions would come from: "
            "give the MESSAGE with the command."
        )
    refuse_unreadable(images, message=message, taken=document or history_is_stdin)
    refuse_overwriting(output_path, [*([str(history)] if history else []), *images])
    earlier = read_history(history) if history else EarlierTurns()
    settings = _with_instruction(settings, earlier)
    turns = earlier.turns
    plan = plan_session(
        settings,
        "text",
        spoken_reply=output_path is not None,
        history=bool(turns),
        pictures=bool(images),
    )
    plan = resumed(plan, resume)
    pictures = PictureInput(settings.session.media_resolution, plan.blind)
    shown = pictures.read(images)
    with _chosen_view(settings, plan, json=json, to_stderr=output_path == "-") as view:
        if earlier.left_out:
            view.note(f"Of {history}: {earlier.told_left_out}.")
        lines = LineReader()
        asked = questions(
            message,
            document=document,
            shown=shown,
            stdin_is_taken=history_is_stdin or STDIN in images,
            lines=lines,
            read_line=pictures.in_line,
            tell=view.note,
            complain=view.error,
        )
        summary = asyncio.run(
            _converse(plan, settings, view, asked, lines, turns, output_path, json=json)
        )
        view.close(summary if json else None)


def _with_instruction(settings: Settings, earlier: EarlierTurns) -> Settings:
    """Return ``settings`` with the system instruction of earlier turns, unless there is another."""
    if earlier.system is None or settings.session.system is not None:
        return settings
    return replace(settings, session=replace(settings.session, system=earlier.system))


def _chosen_view(settings: Settings, plan: SessionPlan, *, json: bool, to_stderr: bool) -> View:
    stream = sys.stderr if to_stderr else sys.stdout
    return choose_view(
        json=json,
        stdout_is_tty=False,  # a reply streams as plain text, also to a terminal
        wanted="reply",
        stdout=sys.stderr if to_stderr else None,
        show_thoughts=settings.session.show_thoughts,
        usage=settings.usage,
        prices=prices_of(settings, plan),
        whole_replies=may_resume(plan) and not stream.isatty(),
    )


async def _converse(
    plan: SessionPlan,
    settings: Settings,
    view: View,
    asked: AsyncIterator[Question],
    lines: LineReader,
    turns: list[Content],
    output: str | None,
    *,
    json: bool,
) -> Summary:
    async with AsyncExitStack() as stack:
        for text in notes(plan, settings.engine.chat):
            view.note(text)
        writer = None
        if output is not None:
            # loads numpy, which written replies do not need
            from live_cli.commands.text.answer_sound import AnswerSound

            writer = stack.enter_context(AnswerSound(output))
        can_ask = not json and is_terminal(sys.stdin) and is_terminal(sys.stderr)
        tools = await stack.enter_async_context(session_tools(settings, view, can_ask=can_ask))
        plan = tools.plan_with(plan) if tools else plan
        async with (
            running_server(plan) as server,
            resumable(
                server, plan, settings.session, view, goes_on=True, keeps_images=True
            ) as client,
        ):
            calls = ChatCalls(tools, client, plan, lines)
            chat = Chat(server, client, view, plan, writer, turns, prices_of(settings, plan), calls)
            try:
                await chat.send_history()
                await chat.begin(first_words(settings, plan))
                await chat.answer_all(asked)
            finally:
                await chat.stop_receiving()
                await calls.close()
        chat.refuse_silence()
        return chat.summary()
