"""What the line and the engine owe each other. The engine sees none of it: a structural peer."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from live_cli.errors import EngineError
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.events import Event
from live_cli.protocol.messages import ServerMessage, Setup

Emit = Callable[[ServerMessage], Awaitable[None]]


class EngineSession(Protocol):
    """What answers one client."""

    async def handle(self, event: Event) -> None:
        """Take in one event; the next is not read before this returns.

        Raises UnsupportedError or EngineError, which end the session by close code and reason.
        """

    @property
    def busy(self) -> bool:
        """Whether a turn is under way: from the end of what was said to its turnComplete."""

    async def failed(self) -> EngineError:
        """Wait until a turn that runs by itself fails, and say why."""

    async def close(self) -> None:
        """Stop and release everything, also in the middle of a turn."""


class Engine(Protocol):
    """What answers: opened once a session."""

    async def open(self, setup: Setup, emit: Emit, dialect: Dialect) -> EngineSession:
        """Get ready for what ``setup`` asks in this ``dialect``, loading what it needs.

        ``emit`` sends a message and returns once it is on its way; after the client has gone it
        does nothing. Raises UnsupportedError (its close code and reason) or EngineError.
        """
