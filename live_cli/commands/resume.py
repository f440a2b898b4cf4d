"""Sessions that a later command can resume: `--resume`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec

from live_cli.commands.connect import RunningServer
from live_cli.errors import SettingsError
from live_cli.net.client.client import LiveClient
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.plan.last_session import LAST, LastSession, recall, remember
from live_cli.plan.plan import SessionPlan
from live_cli.protocol.messages import SessionResumptionConfig
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


@asynccontextmanager
async def resumable(server: RunningServer, plan: SessionPlan) -> AsyncIterator[ResumingClient]:
    """Open the session of ``plan``, over as many connections as it takes.

    The session's last handle is kept, however the session ends; not that of a child process, which
    ends with the command.
    """
    outlives = plan.url is not None and plan.setup.session_resumption is not None
    first = await server.connect(plan.setup)
    client = ResumingClient(first, plan.setup, server.connect, resumes=outlives)
    try:
        yield client
        if outlives:
            await _await_last_handle(client.connection)
    finally:
        await client.connection.close()
        if client.handle is not None and outlives:
            remember(LastSession(str(plan.url), plan.model.id, client.handle))


def tell_reconnected(view: View, restored: bool) -> None:
    """Show that the session goes on, and say when its history is lost."""
    view.status(connection="connected")
    if not restored:
        view.note("The server no longer has this session: it starts anew, without its memory.")


async def _await_last_handle(client: LiveClient) -> None:
    """Wait for the next handle: the server sends it only after the turn's end."""
    before = client.handle
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_HANDLE_S):
            async for _ in client:
                if client.handle != before:
                    return
