"""Sessions that a later command can resume: `--resume`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec

from live_cli.commands.connect import RunningServer
from live_cli.errors import SettingsError
from live_cli.net.client.reconnect_policy import ReconnectPolicy
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.net.client.watchdog import StallLimits, Watchdog
from live_cli.plan.last_session import LAST, LastSession, recall, remember
from live_cli.plan.plan import SessionPlan
from live_cli.protocol.events import Reconnecting
from live_cli.protocol.messages import SessionResumptionConfig
from live_cli.settings.schema import SessionSettings
from live_cli.ui.view import View

LAST_HANDLE_S = 0.5
"""How long to wait for the handle that follows the last turn."""


def resumed(plan: SessionPlan, resume: str | None) -> SessionPlan:
    """Return ``plan`` with the handle to resume; ``resume``: a handle, "last", or None.

    Raises SettingsError where the server or the other options rule it out.
    """
    if resume is None:
        return plan
    if plan.url is None:
        raise SettingsError(
            "--resume needs a server that outlives the command, and the engine that a command "
            "starts does not: run live-cli serve, and name it with --server."
        )
    if plan.setup.session_resumption is None:
        raise SettingsError("--resume and --no-resume exclude each other.")
    handle = recall(plan.url, plan.model.id) if resume == LAST else resume
    config = SessionResumptionConfig(handle=handle)
    return replace(plan, setup=msgspec.structs.replace(plan.setup, session_resumption=config))


def may_resume(plan: SessionPlan) -> bool:
    """Return whether a session of ``plan`` outlives its connection.

    That of a child process does not: it ends with the command.
    """
    return plan.url is not None and plan.setup.session_resumption is not None


@asynccontextmanager
async def resumable(
    server: RunningServer,
    plan: SessionPlan,
    options: SessionSettings,
    view: View,
    *,
    goes_on: bool = False,
    keeps_images: bool = False,
    asks_again: bool = False,
) -> AsyncIterator[ResumingClient]:
    """Open the session of ``plan``, over as many connections as it takes.

    The session's handle is kept as soon as there is one, and with every change. ``goes_on``,
    ``keeps_images``, ``asks_again``: see `ResumingClient`.
    """
    resumes = may_resume(plan)

    def keep(handle: str) -> None:
        if resumes:
            remember(LastSession(str(plan.url), plan.model.id, handle))

    first = await server.connect_first(plan.setup, view.note)
    client = ResumingClient(
        first,
        plan.setup,
        server.connect,
        resumes=resumes,
        goes_on=goes_on,
        keeps_images=keeps_images,
        asks_again=asks_again,
        policy=ReconnectPolicy(first.clock(), limit_s=options.reconnect_s),
        watchdog=_watchdog(first.clock(), plan, options),
        on_handle=keep,
    )
    try:
        yield client
        if resumes and client.is_connected:
            await _await_last_handle(client)
    finally:
        await client.connection.close()


def _watchdog(now: float, plan: SessionPlan, options: SessionSettings) -> Watchdog:
    proactive = plan.model.proactive == "always" or options.proactive
    # without a way to resume, what takes long is waited for
    reconnect_s = options.stall_reconnect_s if may_resume(plan) else 0
    limits = StallLimits(options.stall_s, reconnect_s)
    return Watchdog(now, limits, plan.setup, proactive=proactive)


def tell_reconnected(view: View, restored: bool) -> None:
    """Show that the session goes on, and say when its history is lost."""
    view.status(connection="connected")
    if not restored:
        view.note("The server no longer has this session: it starts anew, without its memory.")


async def _await_last_handle(client: ResumingClient) -> None:
    """Wait for the handle of the last turn: the server sends it only after the turn's end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_HANDLE_S):
            if client.handle_is_fresh:
                return
            async for event in client:
                if client.handle_is_fresh or isinstance(event, Reconnecting):
                    return
