"""Sessions that a later command can go on with: `--resume`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec

from live_cli.commands.connecting import Server
from live_cli.errors import SettingsError
from live_cli.last_session import LAST, LastSession, recall, remember
from live_cli.net.client import LiveClient
from live_cli.opening import Opening
from live_cli.protocol.messages import SessionResumptionConfig


def resumed(opening: Opening, resume: str | None) -> Opening:
    """``opening`` with the handle to go on with; ``resume``: a handle, "last", or None."""
    if resume is None:
        return opening
    if opening.url is None:
        raise SettingsError(
            "--resume needs a server that outlives the command, and the engine that a command "
            "starts does not: run live-cli serve, and name it with --server."
        )
    if opening.setup.session_resumption is None:
        raise SettingsError("--resume and --no-resume exclude each other.")
    handle = recall(opening.url, opening.model.id) if resume == LAST else resume
    config = SessionResumptionConfig(handle=handle)
    return replace(opening, setup=msgspec.structs.replace(opening.setup, session_resumption=config))


@asynccontextmanager
async def resumable(server: Server, opening: Opening) -> AsyncIterator[LiveClient]:
    """A session of ``opening``; its last handle is kept, however it ends."""
    client = await server.connect(opening.setup)
    try:
        async with client:
            yield client
    finally:
        if client.handle is not None and opening.url is not None:
            remember(LastSession(opening.url, opening.model.id, client.handle))
