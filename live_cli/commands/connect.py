"""From a session plan to open sessions: with Gemini, a server by its URL, or a child process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from live_cli.engine.backends.table import Stage
from live_cli.errors import ConnectError, LiveError, Retry, SessionError
from live_cli.net.address import Address
from live_cli.net.child.process import ServerChild
from live_cli.net.client.client import LiveClient
from live_cli.net.client.reconnect_policy import ReconnectPolicy
from live_cli.net.close_codes import explain, starting_a_sentence
from live_cli.plan.plan import SessionPlan
from live_cli.prices import Prices
from live_cli.protocol.events import SessionClosed
from live_cli.protocol.messages import Setup
from live_cli.settings.load import unknown_variables
from live_cli.settings.schema import Settings

CHILD = (sys.executable, "-P", "-m", "live_cli.commands.serve.child")
"""-P: no module in the user's folder may take the place of one of live-cli."""
CONFIRMING_LIMIT_S = 10.0
LOADING_LIMIT_S = 120.0
"""How long the child process may take to confirm a session: a large chat model loads first."""
BUSY_LIMIT_S = 30.0
"""How long a first connection is tried where the server says that it is busy."""
STARTING_LIMIT_S = 2.0
"""How long a first connection is tried where nothing listens: a server that was started in the same
moment listens by then, and an address that is wrong is told soon."""
LAST_WORDS_S = 0.5
"""How long after a session broke off a dying child process may take to say why."""


class RunningServer:
    """A server that runs: opens sessions, and says in a sentence why one could not go on."""

    def __init__(self, address: Address, child: ServerChild | None = None) -> None:
        self._address = address
        self._child = child

    @property
    def address(self) -> Address:
        return self._address

    @property
    def is_ours(self) -> bool:
        """Return whether the server is the command's own child, which takes sound at any speed."""
        return self._child is not None

    async def connect(self, setup: Setup, first_turn: int = 1) -> LiveClient:
        """Open a session. Raises ConnectError, or the reason that the child process gave."""
        limit_s = CONFIRMING_LIMIT_S if self._child is None else LOADING_LIMIT_S
        try:
            return await LiveClient.connect(
                self._address, setup, setup_limit_s=limit_s, first_turn=first_turn
            )
        except ConnectError as exc:
            own_words = await self._own_words()
            if own_words is None:
                raise
            raise own_words from exc

    async def connect_first(self, setup: Setup, tell: Callable[[str], None]) -> LiveClient:
        """Open a session; try again, for a bounded time, where a moment may help.

        ``tell`` gets a sentence where that takes long. Raises ConnectError.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        policy = ReconnectPolicy(began, limit_s=BUSY_LIMIT_S, attempts=1)
        told = False
        while True:
            try:
                return await self.connect(setup)
            except ConnectError as exc:
                limits = {Retry.BUSY: BUSY_LIMIT_S, Retry.STARTING: STARTING_LIMIT_S}
                limit_s = limits.get(exc.retry) if self._child is None else None
                policy.failed(clock())
                pause_s = policy.next_pause(clock(), exc.retry_after_s)
                if limit_s is None or pause_s is None or clock() + pause_s > began + limit_s:
                    raise
                if exc.retry is Retry.BUSY and not told:
                    told = True
                    tell(f"{exc} Trying for {BUSY_LIMIT_S:g} s …")
            await asyncio.sleep(pause_s)

    def said_nothing(self, seconds: float) -> str:
        """Return a sentence about a server that took all input and does not answer."""
        who = starting_a_sentence(self._address.label)
        return (
            f"{who} said nothing for {seconds:.3g} s after all was sent: it heard no words, or it "
            "hangs. Play what was sent, then try again."
        )

    async def lost(self, closed: SessionClosed, gave_up: str | None = None) -> LiveError:
        """Return the error for a session that broke off, with what was lost with it.

        ``gave_up``: why no new connection was made, in a sentence, where that was tried.
        """
        lost = " The rest of the answer is lost." if closed.turn_lost else ""
        own_words = await self._own_words()
        if isinstance(own_words, ConnectError):  # it ended, and said nothing
            return SessionError(f"{own_words}{lost} Start again.")
        if own_words is not None:
            return own_words
        why = explain(closed.code, closed.reason, self._address.label)
        return SessionError(f"{why.what}{lost} {gave_up or why.todo}".strip())

    async def _own_words(self) -> LiveError | None:
        """Return the error that a failed child process gave: a close reason is cut at 123 bytes."""
        if self._child is None:
            return None
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                return await self._child.failed()
        except TimeoutError:
            return None


@asynccontextmanager
async def running_server(plan: SessionPlan) -> AsyncIterator[RunningServer]:
    """Yield the server of ``plan``; a child process runs as long as this context."""
    if plan.url is not None:
        yield RunningServer(Address(plan.url, plan.key, plan.api_version, plan.label))
        return
    start = ServerChild.start(plan.child_args, program=CHILD, variables=plan.child_variables)
    async with start as child:
        yield RunningServer(replace(child.address, api_version=plan.api_version), child)


def notes(plan: SessionPlan, chat: str) -> list[str]:
    """Return what the user should know before the session, a sentence each.

    Only a terminal is told about the small model that is bundled.
    """
    small = _small_model_note(plan, chat) if sys.stderr.isatty() else None
    return [*unknown_variables(os.environ), *plan.warnings, *([small] if small else [])]


def prices_of(settings: Settings, plan: SessionPlan) -> Prices | None:
    """Return what the tokens of the model of ``plan`` cost, where the settings say it."""
    return settings.prices.get(plan.model.id)


def _small_model_note(plan: SessionPlan, chat: str) -> str | None:
    if plan.kind != "child" or Stage.CHAT not in plan.needs or chat != "gguf":
        return None
    from live_cli.engine.chat_models.lookup import BUNDLED, list_models
    from live_cli.engine.chat_models.machine import recommended_here

    there = list_models()
    if not there or there[0].name != BUNDLED:
        return None
    return (
        f"The bundled chat model ({BUNDLED}) shows that all works; it is no assistant. "
        f"A better one: live-cli models pull {recommended_here().name}"
    )
