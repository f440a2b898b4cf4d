"""An MCP server as a process: messages over its stdin and stdout, and its end with all it started.

The package's own `stdio_client` keeps a line of any length, and leaves what a server has started
running where the server itself ends in order. Here a line is bounded, and the process group ends
with its leader.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Coroutine
from io import TextIOWrapper
from typing import IO, Any, Final

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from mcp.client.stdio import get_default_environment
from mcp.os.posix.utilities import terminate_posix_process_tree
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from live_cli.tools.mcp import process_groups
from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.mcp.intake import FloodError, Intake

MOST_LINE_BYTES: Final = 32 * 1024 * 1024
"""Of one message: a result of 10 MB comes as text and as structure."""
ENDING_STEP_S: Final = 2.0
"""After its stdin is closed, and again after SIGTERM: so long a process may take to end."""
_OUR_END = (
    anyio.ClosedResourceError,
    anyio.BrokenResourceError,
    anyio.EndOfStream,
    ConnectionError,
)


@contextlib.asynccontextmanager
async def process_transport(entry: McpEntry, log: IO[bytes], intake: Intake) -> AsyncIterator[Any]:
    """Start the process of ``entry``, and give what the package reads from and writes to.

    ``log``: gets its stderr. Raises OSError where it cannot be started.
    """
    process = await _started(entry, log)
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise OSError("it was started without pipes")
    into, arriving = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    leaving, out_of = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        with contextlib.suppress(*_OUR_END):
            async with into:
                async for line in lines_of(stdout, intake):
                    await into.send(_message(line))

    async def write() -> None:
        with contextlib.suppress(*_OUR_END, OSError):
            async for given in out_of:
                text = given.message.model_dump_json(by_alias=True, exclude_unset=True)
                await stdin.send(text.encode() + b"\n")

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        group.start_soon(write)
        try:
            yield arriving, leaving
        finally:
            try:
                with anyio.CancelScope(shield=True):
                    await _to_the_end(_end(process, stdin))
            finally:
                for stream in (into, arriving, leaving, out_of):
                    stream.close()
                group.cancel_scope.cancel()


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await ``work``, which takes seconds at most, however often this is cancelled meanwhile.

    asyncio's own cancelling comes through anyio's shield, and who starts a server that does not
    answer, and then closes it, cancels twice.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled
    task.result()


async def lines_of(stream: ByteReceiveStream, intake: Intake) -> AsyncIterator[bytes | Exception]:
    """Yield the lines of ``stream``; and a FloodError, as the last, instead of an endless one."""
    pieces: list[bytes] = []
    held = 0
    async for chunk in stream:
        await intake.take_bytes(len(chunk))
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield b"".join((*pieces, end))
            pieces, held = [], 0
        pieces.append(rest)
        held += len(rest)
        if held > MOST_LINE_BYTES:
            yield FloodError(f"it wrote a line of more than {MOST_LINE_BYTES >> 20} MB")
            return


def _message(line: bytes | Exception) -> SessionMessage | Exception:
    if isinstance(line, Exception):
        return line
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        return ValueError(line[:80].decode(errors="replace"))


async def _started(entry: McpEntry, log: IO[bytes]) -> Process:
    command = [entry.command, *entry.arguments]
    environment = get_default_environment() | dict(entry.environment)
    if sys.platform == "win32":
        from mcp.os.win32.utilities import create_windows_process, get_windows_executable_command

        program = get_windows_executable_command(entry.command)
        return await create_windows_process(
            program, command[1:], environment, TextIOWrapper(log), entry.folder
        )
    process = await anyio.open_process(
        command, env=environment, stderr=log, cwd=entry.folder, start_new_session=True
    )
    process_groups.note_started(process.pid)
    return process


async def _end(process: Process, stdin: ByteSendStream) -> None:
    """Close the stdin of ``process``, and end it and all that it started, by force in the end."""
    with contextlib.suppress(*_OUR_END, OSError):
        await stdin.aclose()
    with anyio.move_on_after(ENDING_STEP_S):
        while process.returncode is None:  # noqa: ASYNC110 - wait() waits for its pipes too
            await anyio.sleep(0.01)
    if sys.platform == "win32":
        from mcp.os.win32.utilities import close_process_job, terminate_windows_process_tree

        await terminate_windows_process_tree(process)
        close_process_job(process)
    else:
        await terminate_posix_process_tree(process, ENDING_STEP_S)
        process_groups.note_ended(process.pid)
    with anyio.move_on_after(ENDING_STEP_S), contextlib.suppress(*_OUR_END, OSError):
        await process.aclose()
