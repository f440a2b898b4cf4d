"""The store of a server by itself: everything in this process's memory."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from live_cli.fair_share import account_of
from live_cli.net.server.access.principal import Principal
from live_cli.net.server.access.tokens import Terms, Token, Tokens
from live_cli.net.server.close_reason import CloseReason
from live_cli.net.server.limits.lifetime import ResumableSession, ResumableSessions


class MemoryStore:
    """`SessionStore` for one process. The engine keeps the histories of its handles itself."""

    is_away = False

    def __init__(self, most_tokens: int) -> None:
        self._tokens = Tokens(most_tokens)
        self._sessions = ResumableSessions()
        self._places: Counter[str] = Counter()

    async def watch(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass

    async def create_token(self, terms: Terms, maker: Principal) -> str:
        return self._tokens.create(terms, time.monotonic(), maker)

    async def find_token(self, name: str) -> Token | CloseReason:
        return self._tokens.find(name, time.monotonic())

    async def spend(self, token: Token) -> CloseReason | None:
        return token.spend(time.monotonic())

    async def find(self, principal: str, handle: str) -> ResumableSession | None:
        return self._sessions.find(principal, handle)

    async def claim(self, session: ResumableSession, end: Callable[[], None]) -> None:
        session.attach(end)

    async def leave(self, session: ResumableSession, end: Callable[[], None]) -> None:
        session.detach(end)

    def note(self, handle: str, session: ResumableSession) -> None:
        self._sessions.note(handle, session)

    def snapshots(self, session: ResumableSession) -> None:
        return None

    async def take_place(self, principal: str, most: int) -> str | None:
        account = account_of(principal)
        if self._places[account] >= most:
            return None
        self._places[account] += 1
        return account

    async def give_back(self, place: str) -> None:
        self._places[place] -= 1
        if not self._places[place]:
            del self._places[place]
