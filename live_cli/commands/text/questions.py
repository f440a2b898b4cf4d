"""What `text` is to send: a message, what a pipe adds to it, a document, or line by line.

live-cli text "Summarise"               the message
cat notes | live-cli text "Summarise"   the message, a blank line, all of the pipe: one question
cat lines | live-cli text [-]           each line that is not blank
cat notes | live-cli text --document    all of the pipe as one question
live-cli text [-]                       a chat, on a terminal

Pictures go with the first message; where there is none, alone.
"""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

from live_cli.commands.text.pictures import STDIN, NamedPicture
from live_cli.errors import InputFileError, LiveError
from live_cli.streams import is_terminal
from live_cli.ui.line_reader import LineReader

_PATIENCE_S = 2.0
"""How long a pipe that adds to a message may say nothing before the user is told what is awaited:
a parent may have left its own standard input open."""
_AWAITED = (
    "Reading standard input to its end, to send it with the message. "
    "To send the message alone: </dev/null"
)
_QUESTION_AWAITED = (
    "Reading a question about the picture from standard input. "
    "To send the picture alone: </dev/null"
)
_T = TypeVar("_T")


class Question(NamedTuple):
    """A message to send, with its pictures; ``text`` may be empty where there are some.

    ``line``: its number in the input, from 1, where that is a pipe. ``is_only``: no other follows.
    """

    text: str
    pictures: Sequence[NamedPicture] = ()
    line: int | None = None
    is_only: bool = False


async def questions(
    message: str | None,
    *,
    document: bool,
    shown: Sequence[NamedPicture],
    stdin_is_taken: bool,
    lines: LineReader,
    read_line: Callable[[str], tuple[str, Sequence[NamedPicture]]],
    tell: Callable[[str], None],
    complain: Callable[[str], None],
) -> AsyncIterator[Question]:
    """Yield what is to be sent, as it comes. Raises InputFileError for what cannot be sent.

    ``shown``: pictures of the first message. ``stdin_is_taken``: something else has read it.
    ``lines`` reads it.
    ``read_line`` parts a line of a chat into words and pictures, or raises a LiveError. ``tell``
    gets a sentence for the user, ``complain`` what was wrong with a line.
    """
    if message is not None and message != STDIN:
        # what the locale could not read is read as UTF-8, as stdin is
        text = message.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if not stdin_is_taken and (document or _is_fed()):
            text = _joined(text, await _awaited(lines.rest(), _AWAITED, tell))
        yield Question(text, shown, is_only=True)
    elif stdin_is_taken:
        yield Question("", shown, is_only=True)
    elif document:
        text = await lines.rest()
        if not text.strip():
            raise InputFileError("Standard input is empty: there is no document to send.")
        yield Question(text, shown, is_only=True)
    elif is_terminal(sys.stdin):
        if shown:
            yield Question("", shown)
        async for question in _typed_lines(lines, read_line, complain):
            yield question
    else:
        async for question in _piped_lines(lines, shown, tell):
            yield question


async def _typed_lines(
    lines: LineReader,
    read_line: Callable[[str], tuple[str, Sequence[NamedPicture]]],
    complain: Callable[[str], None],
) -> AsyncIterator[Question]:
    """Yield what is typed after a prompt, until Ctrl-D."""
    while True:
        print("you: ", end="", file=sys.stderr, flush=True)
        line = await lines.next()
        if line is None:
            print(file=sys.stderr)
            return
        try:
            words, pictures = await asyncio.to_thread(read_line, line)
        except LiveError as exc:
            complain(str(exc))
            continue
        if words.strip() or pictures:
            yield Question(words, pictures)


async def _piped_lines(
    lines: LineReader, shown: Sequence[NamedPicture], tell: Callable[[str], None]
) -> AsyncIterator[Question]:
    """Yield the lines of a pipe, the first with the pictures; without a line these alone."""
    number = 0
    while (line := await _first_line(lines, tell) if shown else await lines.next()) is not None:
        number += 1
        if line.strip():
            yield Question(line, shown, number)
            shown = ()
    if shown:
        yield Question("", shown, is_only=True)


async def _first_line(lines: LineReader, tell: Callable[[str], None]) -> str | None:
    return await _awaited(lines.next(), _QUESTION_AWAITED, tell)


def _is_fed() -> bool:
    """Return whether stdin is a pipe, a file or a socket: no terminal, no /dev/null, not closed."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


async def _awaited(coming: Coroutine[Any, Any, _T], what: str, tell: Callable[[str], None]) -> _T:
    """Return what comes; where that takes long, ``tell`` gets the sentence ``what``."""
    reading = asyncio.ensure_future(coming)
    try:
        if not (await asyncio.wait((reading,), timeout=_PATIENCE_S))[0]:
            tell(what)
        return await reading
    finally:
        reading.cancel()


def _joined(message: str, added: str) -> str:
    return f"{message}\n\n{added.rstrip()}" if added.strip() else message
