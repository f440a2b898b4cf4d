"""The port of the store: what a server keeps of sessions and tokens beyond a connection.

Replicas that share a store serve each other's handles and tokens. A *session* is owned by one
connection at a time, wherever that is: who resumes it claims it, which counts its epoch up; the
connection before is ended, and whatever it still writes under the older epoch is refused.
"""

from collections.abc import Callable
from typing import Final, Protocol

from live_cli.net.server.access.principal import Principal
from live_cli.net.server.access.tokens import Terms, Token
from live_cli.net.server.close_reason import CloseReason
from live_cli.net.server.engine_api import Snapshots
from live_cli.net.server.limits.lifetime import ResumableSession

STORE_AWAY: Final = CloseReason(
    1013, "The store of sessions and tokens does not answer at the moment. Try later.", "store"
)


class StoreAwayError(Exception):
    """The store does not answer, or answers with an error."""


class SessionStore(Protocol):
    """Keeps handles, tokens and places. Every call but those named raises StoreAwayError."""

    @property
    def is_away(self) -> bool:
        """Return whether the store did not answer last time."""

    async def watch(self) -> None:
        """Keep up with other replicas until cancelled; the server runs this beside itself."""

    async def close(self) -> None:
        """Release the store's connections."""

    async def create_token(self, terms: Terms, maker: Principal) -> str:
        """Create a token and return its name. Raises TokensFullError."""

    async def find_token(self, name: str) -> Token | CloseReason:
        """Return the token named ``name``, or why there is none."""

    async def spend(self, token: Token) -> CloseReason | None:
        """Take one use of a token for a new session, or return why the session is refused."""

    async def find(self, principal: str, handle: str) -> ResumableSession | None:
        """Return the session that ``handle`` resumes for ``principal``, None when there is none."""

    async def claim(self, session: ResumableSession, end: Callable[[], None]) -> None:
        """Give a session to a connection, and end the one that had it, on whichever replica.

        ``end`` is called when another connection claims the session later.
        """

    async def leave(self, session: ResumableSession, end: Callable[[], None]) -> None:
        """Let go of a session whose connection, the one with ``end``, has ended. Never raises."""

    def note(self, handle: str, session: ResumableSession) -> None:
        """Remember a handle that the engine made by itself. Never raises."""

    def snapshots(self, session: ResumableSession) -> Snapshots | None:
        """Return where the engine keeps the histories of ``session``; None: by itself."""

    async def take_place(self, principal: str, most: int) -> str | None:
        """Take one of the ``most`` places that a principal's account has on all replicas.

        Returns the place, None where all are taken. Never raises.
        """

    async def give_back(self, place: str) -> None:
        """Give a place back. Never raises."""
