"""One run of a tool within its bounds: whatever comes of it is a result."""

import asyncio
import logging
from typing import Final

from live_cli.protocol.messages import JsonObject
from live_cli.tools.results import arguments_complaint, failure, fitted, misfit
from live_cli.tools.tool import ClientTool, TellProgress, ToolResult

LOGGER: Final = "live_cli.tools"
"""Gets each exception of a tool with its traceback, which the model is never told."""
_log = logging.getLogger(LOGGER)


async def run_tool(
    tool: ClientTool, arguments: JsonObject, tell_progress: TellProgress
) -> ToolResult:
    """Call ``tool``, and return its result, bounded; an exception or a lapse of time is one too.

    Cancelling it stops the tool as far as it can be stopped.
    """
    if (why := arguments_complaint(arguments)) is not None:
        return misfit(why)
    limit = asyncio.timeout(tool.time_limit_s)
    try:
        async with limit:
            return fitted(await tool.call(arguments, tell_progress))
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return ToolResult.error("The tool stopped.")
    except Exception as exc:  # noqa: BLE001 - whatever a tool raises is its answer
        if limit.expired():
            return ToolResult.error(f"It took longer than {tool.time_limit_s:g} s, and was left.")
        _log.warning("%s (%s) failed", tool.name, tool.source, exc_info=exc)
        return failure(exc)
