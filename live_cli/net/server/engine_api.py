"""The interface between the server and an engine.

Engines do not import it: they match it structurally, since `live_cli.engine` and `live_cli.net`
do not see each other.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from live_cli.errors import EngineError
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.events import Event
from live_cli.protocol.messages import ServerMessage, Setup

SendToClient = Callable[[ServerMessage], Awaitable[None]]
"""Sends one message to the client; returns once it is handed to the socket."""


class Snapshots(Protocol):
    """Keeps the histories of one session, as bytes, where other replicas find them."""

    async def put(self, model: str, data: bytes, images: Mapping[bytes, bytes]) -> str | None:
        """Keep a history and return a new handle for it; None when it cannot be kept now.

        ``images``: those that ``data`` speaks of, by their SHA-256.
        """

    async def get(self, handle: str) -> tuple[str, bytes, Mapping[bytes, bytes]] | None:
        """Return the model, the history and those images that are left; None: not known."""


class EngineSession(Protocol):
    """An engine's side of one connection: takes the client's events, sends messages back."""

    async def handle(self, event: Event) -> None:
        """Process one event; the server reads the next one after this returns (back pressure).

        Raises UnsupportedError or EngineError, which end the session by close code and reason.
        """

    @property
    def busy(self) -> bool:
        """Return whether a turn is under way: from the end of the input to the turnComplete."""

    @property
    def takes_video(self) -> bool:
        """Return whether images of a camera come into the context; if not, they are dropped."""

    async def failed(self) -> EngineError:
        """Wait until a turn fails in the background, and return its error."""

    async def close(self) -> None:
        """Stop any turn and release the session's resources."""


class Engine(Protocol):
    """Opens one EngineSession for each connection."""

    async def open(
        self,
        setup: Setup,
        emit: SendToClient,
        dialect: Dialect,
        principal: str,
        snapshots: Snapshots | None,
    ) -> EngineSession:
        """Open a session for ``setup`` in this ``dialect``, loading the models it needs.

        ``principal``: whose the session is, by an opaque name (`live_cli.fair_share`). What the
        session leaves behind is for this principal alone: its handles are unknown to others.
        ``snapshots``: keeps the histories that handles stand for; without, the engine does.
        ``emit`` sends a message to the client; once the client has left it does nothing.
        Raises UnsupportedError (its close code and reason) or EngineError.
        """
