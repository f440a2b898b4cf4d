"""From an Opening to open sessions, whatever the server is: Gemini, an address, or our own child."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from live_cli.errors import ConnectError, LiveError, SessionError
from live_cli.net.address import Address
from live_cli.net.child import ServerChild
from live_cli.net.client import LiveClient
from live_cli.net.closing import explain
from live_cli.opening import Opening
from live_cli.protocol.events import SessionClosed
from live_cli.protocol.messages import Setup


class Server:
    """A server that runs, and how to call it in a sentence."""

    def __init__(self, address: Address, child: ServerChild | None = None) -> None:
        self._address = address
        self._child = child

    @property
    def is_ours(self) -> bool:
        """Whether it is this command's own child: it takes sound as fast as it can."""
        return self._child is not None

    async def connect(self, setup: Setup) -> LiveClient:
        """Open a session. Raises ConnectError, or the child's own reason."""
        try:
            return await LiveClient.connect(self._address, setup)
        except ConnectError as exc:
            raise (self._failure or exc) from exc

    @property
    def _failure(self) -> LiveError | None:
        return self._child.failure if self._child else None

    def lost(self, closed: SessionClosed) -> LiveError:
        """Why a session that nobody had ended is over, and what was lost with it."""
        if self._failure is not None:
            return self._failure
        lost = " The rest of the answer is lost." if closed.turn_lost else ""
        why = explain(closed.code, closed.reason, self._address.label)
        return SessionError(f"{why.what}{lost} {why.todo}".strip())


@asynccontextmanager
async def running_server(opening: Opening) -> AsyncIterator[Server]:
    """The server of ``opening``; a child of our own runs as long as this context."""
    if opening.url is not None:
        yield Server(Address(opening.url, opening.key, opening.api_version, opening.label))
        return
    async with ServerChild.start(opening.child_args) as child:
        yield Server(replace(child.address, api_version=opening.api_version), child)
