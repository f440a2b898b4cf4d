"""`live-cli tools`: what the model may call, from where, what would be asked; `call` tries one."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from live_cli.catalog import BUILT_IN_TOOLS, did_you_mean
from live_cli.commands.session_tools import opened_toolset, tool_log_path
from live_cli.errors import OptionError, SessionError
from live_cli.plan.plan import calls_functions
from live_cli.settings.schema import Settings
from live_cli.ui.printable import escaped_in_json, printable
from live_cli.ui.table import TableRow, print_rows

if TYPE_CHECKING:
    from live_cli.tools.tool import ClientTool, ToolResult
    from live_cli.tools.toolset import Toolset

_SHOWN_DESCRIPTION = 80


def run(settings: Settings, *, json: bool) -> None:
    """Print the tools, with what would become of a call. Raises LiveError."""
    rows = asyncio.run(_rows(settings, json))
    if not rows and calls_functions(settings):
        raise SessionError("None of the tools is there.")
    if not rows:
        raise OptionError(
            "No tools are named. Name some: live-cli tools --tools house.py --mcp servers.json"
        )
    print_rows(rows, as_json=json)


async def _rows(settings: Settings, as_json: bool) -> list[TableRow]:
    from live_cli.tools.consent import Consent, Verdict

    words = {Verdict.RUN: "runs", Verdict.ASK: "asks", Verdict.REFUSE: "is refused"}
    consent = Consent(settings.tools.allow)
    rows: list[TableRow] = [
        _row(name, "the service", "runs there", "", as_json)
        for name in settings.tools.tools
        if name in BUILT_IN_TOOLS
    ]
    async with _toolset(settings) as toolset:
        for tool in toolset.tools if toolset else ():
            verdict = words[consent.verdict(tool)]
            row = _row(tool.name, tool.source, verdict, tool.description, as_json)
            rows.append({**row, "parameters": tool.parameters} if as_json else row)
    return rows


def _row(name: str, source: str, verdict: str, description: str, as_json: bool) -> TableRow:
    first = description.strip().partition("\n")[0]
    about = description if as_json else first[:_SHOWN_DESCRIPTION]
    return {"name": name, "from": source, "a_call": verdict, "about": about}


def call(settings: Settings, name: str, arguments: str) -> None:
    """Call one tool with ``arguments``, a JSON object, and print its result. Raises LiveError.

    Who types this has allowed the call.
    """
    try:
        given = json.loads(arguments)
    except (ValueError, RecursionError) as exc:
        raise OptionError(f"The arguments are no JSON: {exc}") from None
    if not isinstance(given, dict):
        raise OptionError('The arguments must be a JSON object, such as \'{"room": "hall"}\'.')
    result = asyncio.run(_call(settings, name, given))
    if result.failed:
        where = f" (in full in {tool_log_path()})" if result.raised else ""
        raise SessionError(f"{name} failed: {result.response['error']}{where}")
    print(escaped_in_json(json.dumps(result.response.get("output"), ensure_ascii=False)))
    for part in result.parts:
        kind: dict[str, object] = next(iter(part.values()), {})
        print(f"(and {kind.get('mimeType', 'media')})", file=sys.stderr)


async def _call(settings: Settings, name: str, given: dict[str, object]) -> "ToolResult":
    from live_cli.tools.run import run_tool

    async with _toolset(settings) as toolset:
        tool = _named(name, toolset.tools if toolset else ())
        return await run_tool(tool, given, _tell_progress)


def _named(name: str, tools: "tuple[ClientTool, ...]") -> "ClientTool":
    for tool in tools:
        if tool.name == name:
            return tool
    near = did_you_mean(name, [tool.name for tool in tools]) or ". What there is: live-cli tools"
    raise OptionError(f"There is no tool {name!r}{near}")


def _tell_progress(message: str) -> None:
    print(printable(message), file=sys.stderr)


@asynccontextmanager
async def _toolset(settings: Settings) -> "AsyncIterator[Toolset | None]":
    if not calls_functions(settings):
        yield None
        return
    async with opened_toolset(settings, _tell_progress) as toolset:
        yield toolset
