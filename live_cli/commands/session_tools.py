"""The tools of a session, shared by `talk` and `text`: opened, offered, called, asked about."""

import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from live_cli.bounded_read import read_bounded
from live_cli.catalog import BUILT_IN_TOOLS
from live_cli.commands.resume import may_resume
from live_cli.commands.stop_signals import cancelling_on_signals
from live_cli.errors import InputFileError, SettingsError
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.paths import state_folder
from live_cli.plan.plan import SessionPlan, calls_functions
from live_cli.plan.typed_input import typed_input
from live_cli.protocol import compose
from live_cli.protocol.messages import ClientMessage, Tool
from live_cli.settings.schema import Settings, ToolSettings
from live_cli.ui.view import CallStatus, ShownCallState, View

if TYPE_CHECKING:
    from live_cli.tools.mcp.config import McpEntry
    from live_cli.tools.runner import CallReport, CallRules, ToolRunner
    from live_cli.tools.tool import ToolOverride
    from live_cli.tools.toolset import Toolset

_LARGEST_BYTES: Final = 1 << 20
_BEHAVIORS: Final = {"unscheduled": "NON_BLOCKING"}
"""What a family insists on; the others have a default, which is kept."""


@asynccontextmanager
async def session_tools(
    settings: Settings, view: View, *, can_ask: bool
) -> AsyncIterator["SessionTools | None"]:
    """Open the tools that the settings name; None where they name none.

    ``can_ask``: whether there is a person with a keyboard. Raises InputFileError and SettingsError.
    """
    if not calls_functions(settings):
        yield None
        return
    view.status(runs_tools=True)
    async with opened_toolset(settings, view.note) as toolset:
        opened = SessionTools(settings.tools, toolset, view, can_ask=can_ask)
        try:
            yield opened
        finally:
            await opened.close()


@asynccontextmanager
async def opened_toolset(
    settings: Settings, tell: Callable[[str], None]
) -> AsyncIterator["Toolset"]:
    """Open the tools that the settings name; ``tell`` gets sentences.

    No signal leaves a server's process behind. Raises InputFileError and SettingsError.
    """
    from live_cli.commands.failure_log import log_failures
    from live_cli.tools.run import LOGGER
    from live_cli.tools.toolset import Toolset

    log_failures(LOGGER, tool_log_path())
    named = Toolset(
        tool_files(settings.tools),
        mcp_entries(settings, os.environ),
        state_folder() / "mcp",
        tell,
        _overrides(settings),
    )
    with cancelling_on_signals():
        async with named as toolset:
            yield toolset


def tool_log_path() -> Path:
    """Return where what a tool raised is written with its traceback."""
    return state_folder() / "tools.log"


def _overrides(settings: Settings) -> "list[ToolOverride]":
    from live_cli.tools.tool import ToolOverride

    return [
        ToolOverride(name, table.timeout_s, table.scheduling)
        for name, table in settings.tool.items()
    ]


def tool_files(settings: ToolSettings) -> list[str]:
    """Return the Python files among the named tools."""
    return [name for name in settings.tools if name not in BUILT_IN_TOOLS]


def mcp_entries(settings: Settings, variables: Mapping[str, str]) -> "list[McpEntry]":
    """Return the MCP servers of the settings and of all files, a later in place of its namesake.

    Raises InputFileError for a file that cannot be read, SettingsError where `mcp` is missing.
    """
    if not (settings.mcp or settings.tools.mcp_files):
        return []
    from importlib.util import find_spec

    from live_cli.tools.mcp.config import McpConfigError, read_entries

    if find_spec("mcp") is None:
        raise SettingsError("MCP servers need a package: pip install 'live-cli[mcp]'.")
    found: dict[str, McpEntry] = {}
    configured = [(str(settings.config_path), {"mcpServers": dict(settings.mcp)})]
    for path, given in (
        *configured,
        *((path, _json_of(path)) for path in settings.tools.mcp_files),
    ):
        try:
            for entry in read_entries(given, variables):
                found[entry.name] = entry
        except McpConfigError as exc:
            raise InputFileError(f"{path}: {exc}") from exc
    return list(found.values())


def _json_of(path: str) -> object:
    try:
        text = read_bounded(Path(path).expanduser(), _LARGEST_BYTES).decode("utf-8-sig")
        return json.loads(text)
    except OSError as exc:
        raise InputFileError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    except json.JSONDecodeError as exc:
        raise InputFileError(f"{path}:{exc.lineno}: this is not JSON: {exc.msg}.") from exc
    except (UnicodeDecodeError, RecursionError) as exc:
        raise InputFileError(f"{path} is not JSON.") from exc


class SessionTools:
    """The tools of one session, and its calls once `start` has been called."""

    def __init__(
        self, settings: ToolSettings, toolset: "Toolset", view: View, *, can_ask: bool
    ) -> None:
        self._settings = settings
        self._toolset = toolset
        self._view = view
        self._can_ask = can_ask
        self._told_allow = self._told_log = False
        self.runner: ToolRunner | None = None

    def plan_with(self, plan: SessionPlan) -> SessionPlan:
        """Return ``plan`` with the tools in its setup."""
        tools = self._offered(plan) or None
        return replace(plan, setup=msgspec.structs.replace(plan.setup, tools=tools))

    def _offered(self, plan: SessionPlan) -> list[Tool]:
        """Return the service's own tools in ``plan``, and the functions that are there now."""
        of_service = [tool for tool in plan.setup.tools or [] if tool.function_declarations is None]
        return [*of_service, *self._toolset.declared(_BEHAVIORS.get(plan.model.functions))]

    def start(
        self, client: ResumingClient, plan: SessionPlan, send: Callable[[ClientMessage], None]
    ) -> "ToolRunner":
        """Begin to answer calls. ``send`` takes messages for the server and must not block."""
        from live_cli.tools.consent import Consent
        from live_cli.tools.runner import ToolRunner

        runner = ToolRunner(
            self._toolset.tools,
            Consent(self._settings.allow, self._can_ask),
            send=send,
            say=partial(typed_input, plan.model),
            show=self._show,
            awaits_answer=lambda: client.awaits_answer,
            rules=_rules_of(plan),
        )
        self.runner = runner

        def changed() -> None:
            runner.replace_tools(self._toolset.tools)
            offered = self._offered(plan)
            client.redeclare(offered)
            if plan.model.context_update:
                send(compose.new_tools(offered))
            else:
                self._view.note("The model knows of it with the next connection only.")

        self._toolset.changed = changed
        return runner

    async def close(self) -> None:
        """Stop what runs."""
        if self.runner is not None:
            await self.runner.close()

    def _show(self, report: "CallReport") -> None:
        call = report.call
        state = shown_state(report)
        self._view.tool_call(
            CallStatus(
                key=call.id or f"{call.name}-{id(call):x}",
                name=call.name,
                arguments=call.arguments,
                source=report.tool.source,
                state=state,
                seconds=report.seconds,
                said=_said(report),
                result=call.result.response if call.result and state != "asked" else None,
            )
        )
        if call.result is not None and call.result.raised and not self._told_log:
            self._told_log = True
            self._view.note(f"What {call.name} raised is in {tool_log_path()}.")
        if state == "refused" and not self._can_ask and not self._told_allow:
            self._told_allow = True
            self._view.note(f"Nobody can be asked here: --allow {call.name} lets it run.")


def shown_state(report: "CallReport") -> ShownCallState:
    """Return in one word what has become of a call."""
    from live_cli.tools.calls import CallState

    if report.refused:
        return "refused"
    if report.cancelled:
        return "cancelled"
    if report.call.state in (CallState.ASKING, CallState.ORPHAN_ASKING):
        return "asked"
    if report.call.result is None:
        return "running"
    return "failed" if report.call.result.failed else "done"


def _said(report: "CallReport") -> str:
    from live_cli.tools.results import summary

    return summary(report.call.result) if report.call.result else report.note


def _rules_of(plan: SessionPlan) -> "CallRules":
    from live_cli.tools.runner import CallRules

    return CallRules(
        non_blocking=plan.model.functions in ("non-blocking", "unscheduled"),
        takes_scheduling=plan.model.functions == "non-blocking",
        keeps_results=may_resume(plan),
    )
