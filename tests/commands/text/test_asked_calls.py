"""Calls that the person is asked about in a chat on a terminal: what is typed when means what."""

import asyncio
import json
from pathlib import Path
from typing import Any

from live_cli.protocol.events import ContentReceived, TextReceived
from live_cli.protocol.messages import ServerMessage
from live_cli.protocol.wire import decode_server
from tests.harness.command import LIMIT_S
from tests.harness.live_server import running_server
from tests.harness.scripted_engine import ScriptedEngine, ScriptedSession
from tests.harness.terminal_command import CommandOnTerminal, on_terminal

HOUSE = '''
def lamp(room: str) -> str:
    """Tell whether the lamp of a room is on."""
    return f"The lamp in the {room} is burning."
'''
ASKED = "Run it?"


def message(**fields: Any) -> ServerMessage:
    return decode_server(json.dumps(fields))


def called(call_id: str, room: str) -> ServerMessage:
    return message(
        toolCall={"functionCalls": [{"id": call_id, "name": "lamp", "args": {"room": room}}]}
    )


TURN_COMPLETE = message(serverContent={"turnComplete": True})


async def asks(chat: CommandOnTerminal, times: int) -> None:
    """Wait until the person has been asked so often."""
    await asyncio.to_thread(chat.until_so, lambda text: text.count(ASKED) == times, "not asked")


async def heard(session: ScriptedSession, wanted: str) -> None:
    """Wait until the server has been sent ``wanted``."""
    async with asyncio.timeout(LIMIT_S):
        while not any(  # noqa: ASYNC110 - nobody tells
            wanted in str(event)
            for event in session.events
            if isinstance(event, TextReceived | ContentReceived)
        ):
            await asyncio.sleep(0.02)


async def test_what_was_typed_before_a_call_or_after_its_end_is_no_answer_to_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "house.py").write_text(HOUSE)
    async with running_server(ScriptedEngine()) as server:
        address = f"ws://127.0.0.1:{server.port}"
        options = ("text", "--server", address, "--tools", tmp_path / "house.py")
        with on_terminal(tmp_path, *options, columns=100) as chat:
            await asyncio.to_thread(chat.until, "you:")
            chat.press("Is it on?\n")
            await server.engine.opened.wait()
            session = server.engine.sessions[-1]
            await heard(session, "Is it on?")
            chat.press("yes\n")  # an answer to what the model says, and no call is there yet
            await session.emit(called("one", "hall"))
            await asks(chat, 1)
            chat.press("n\n")
            await asyncio.to_thread(chat.until, "lamp(room='hall') was not run")
            await session.emit(TURN_COMPLETE)
            await heard(session, "yes")

            await session.emit(called("two", "den"))
            await asks(chat, 2)
            await session.emit(message(toolCallCancellation={"ids": ["two"]}))
            rows = await asyncio.to_thread(chat.until, "lamp(room='den') was cancelled")
            assert any(row.startswith("tool: lamp(room='den') was cancelled") for row in rows)
            await session.emit(TURN_COMPLETE)
            chat.press("a\n")
            await heard(session, "'a'")

            await session.emit(called("three", "attic"))
            await asks(chat, 3)
            chat.press("y\n")
            await asyncio.to_thread(chat.until, "attic is burning")
            await session.emit(TURN_COMPLETE)
            chat.press("\x04")
            assert await asyncio.to_thread(chat.ended) == 0
