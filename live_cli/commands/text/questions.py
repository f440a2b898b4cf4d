"""What `text` is to send: a message, what a pipe adds to it, a document, or line by line.

live-cli text "Summarise"               the message
cat notes | live-cli text "Summarise"   the message, a blank line, all of the pipe: one question
cat lines | live-cli text [-]           each line that is not blank
cat notes | live-cli text --document    all of the pipe as one question
live-cli text [-]                       a chat, on a terminal
"""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from live_cli.errors import InputFileError
from live_cli.streams import is_terminal
from live_cli.ui.line_reader import LineReader

STDIN = "-"
"""The MESSAGE that means standard input."""
_PATIENCE_S = 2.0
"""How long a pipe that adds to a message may say nothing before the user is told what is awaited:
a parent may have left its own standard input open."""
_AWAITED = (
    "Reading standard input to its end, to send it with the message. "
    "To send the message alone: </dev/null"
)


class Question(NamedTuple):
    """A message to send. ``line``: its number in the input, from 1, where that is a pipe.

    ``is_only``: no other follows.
    """

    text: str
    line: int | None = None
    is_only: bool = False


async def questions(
    message: str | None, *, document: bool, stdin_is_taken: bool, tell: Callable[[str], None]
) -> AsyncIterator[Question]:
    """Yield what is to be sent, as it comes. Raises InputFileError for what cannot be sent.

    ``stdin_is_taken``: something else has read it. ``tell`` gets a sentence for the user.
    """
    if message is not None and message != STDIN:
        # what the locale could not read is read as UTF-8, as stdin is
        text = message.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if not stdin_is_taken and (document or _is_fed()):
            text = _joined(text, await _rest_of_stdin(tell))
        yield Question(text, is_only=True)
    elif document:
        text = await LineReader().rest()
        if not text.strip():
            raise InputFileError("Standard input is empty: there is no document to send.")
        yield Question(text, is_only=True)
    else:
        async for question in _lines():
            yield question


async def _lines() -> AsyncIterator[Question]:
    """Yield the lines of stdin: from a terminal with a prompt, until Ctrl-D."""
    lines = LineReader()
    on_terminal = is_terminal(sys.stdin)
    number = 0
    while True:
        if on_terminal:
            print("you: ", end="", file=sys.stderr, flush=True)
        line = await lines.next()
        number += 1
        if line is None:
            if on_terminal:
                print(file=sys.stderr)
            return
        if line.strip():
            yield Question(line, None if on_terminal else number)


def _is_fed() -> bool:
    """Whether stdin is a pipe, a file or a socket: not a terminal, not /dev/null, not closed."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


async def _rest_of_stdin(tell: Callable[[str], None]) -> str:
    reading = asyncio.ensure_future(LineReader().rest())
    try:
        if not (await asyncio.wait((reading,), timeout=_PATIENCE_S))[0]:
            tell(_AWAITED)
        return await reading
    finally:
        reading.cancel()


def _joined(message: str, added: str) -> str:
    return f"{message}\n\n{added.rstrip()}" if added.strip() else message
