"""A session over as many connections as it takes.

A server ends a connection after some ten minutes and says so before (goAway); networks end them
without a word. Either way the session goes on over a new connection, resumed by its last handle,
and its owner sees two events, `Reconnecting` and `Reconnected`, between all others.

Theory of operation
===================

*When.* After goAway as soon as the model is silent and the last turn is in the handle, or just
before the time is up. The old connection is closed first: servers refuse a session that is open
(reference §4.6). A connection that is lost is made anew where `close_codes.explain` calls its end
retryable, after the pauses of `PAUSES_S`.

*What is not lost.* What is sent is kept until the model begins to answer it, the last
`KEPT_MESSAGES` of it; a new connection gets it again, so that a question asked while the
connection broke is answered. A sender waits meanwhile. The rest of an answer that had begun is
lost.

*With what.* A server that does not know the handle any more gets a new session, and the owner is
told that nothing was restored. Turns are counted on, whatever the connection.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Self

from msgspec.structs import replace

from live_cli.errors import ConnectError
from live_cli.net.client.client import LiveClient
from live_cli.net.close_codes import explain
from live_cli.protocol import compose
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    GoingAway,
    OutputTranscript,
    Reconnected,
    Reconnecting,
    ResumptionUpdated,
    SessionClosed,
    TextChunk,
    TurnComplete,
)
from live_cli.protocol.messages import ClientMessage, SessionResumptionConfig, Setup
from live_cli.protocol.states import State

PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each attempt to connect again; after the last one the session is over."""
KEPT_MESSAGES: Final = 1500
"""How many sent messages wait for an answer at most: 30 s of sound."""
_MARGIN_S: Final = 1.5
"""How long before its announced close a connection is left, or a quarter of a shorter notice."""
_REFUSED: Final = (1007, 1008)

Connect = Callable[[Setup, int], Awaitable[LiveClient]]
"""Opens a connection for a setup, counting turns from a number. Raises ConnectError."""


class ResumingClient:
    """A session over several connections, used as a `LiveClient` is used for one.

    ``client`` is the first connection, and ``connect`` makes the later ones. ``resumes`` False:
    the session ends with the first connection.
    """

    def __init__(
        self,
        client: LiveClient,
        setup: Setup,
        connect: Connect,
        *,
        resumes: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._setup = setup
        self._connect = connect
        self._resumes = resumes
        self._sleep = sleep
        self._handle_before = setup.session_resumption.handle if setup.session_resumption else None
        self._handle_is_fresh = False
        self._has_history = self._handle_before is not None
        self._unanswered: deque[ClientMessage] = deque(maxlen=KEPT_MESSAGES)
        self._answered_turn = 0
        self._margin_s = _MARGIN_S
        self._lost: SessionClosed | None = None
        self._connected = asyncio.Event()
        self._connected.set()

    @property
    def connection(self) -> LiveClient:
        """The connection in use."""
        return self._client

    @property
    def handle(self) -> str | None:
        """The handle that resumes this session."""
        return self._client.handle or self._handle_before

    # --- sending ---

    async def send(self, message: ClientMessage) -> None:
        """Send one message as `LiveClient.send` does, waiting while there is no connection."""
        await self._connected.wait()
        self._unanswered.append(message)
        await self._client.send(message)

    # --- receiving ---

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._lost is not None:
            return await self._reconnect(self._lost)
        event = await self._next()
        if event is None:
            event = await self._leave()
        self._note(event)
        if isinstance(event, SessionClosed) and self._may_reconnect(event):
            self._connected.clear()
            self._lost = event
            return Reconnecting(event)
        return event

    async def _next(self) -> Event | None:
        """Return the connection's next event; None: it is time to leave the connection."""
        try:
            async with asyncio.timeout_at(self._leave_at()):
                return await anext(self._client)
        except TimeoutError:
            return None

    def _leave_at(self) -> float | None:
        leaving_at = self._client.leaving_at
        if leaving_at is None or self.handle is None:
            return None
        if self._handle_is_fresh and self._client.state is State.LISTENING:
            return self._client.clock()
        return leaving_at - self._margin_s

    def _note(self, event: Event) -> None:
        match event:
            case ResumptionUpdated(handle):
                self._handle_is_fresh = handle is not None
            case AudioChunk(turn) | TextChunk(turn) | OutputTranscript(turn):
                self._handle_is_fresh, self._has_history = False, True
                if turn != self._answered_turn:
                    self._answered_turn = turn
                    self._unanswered.clear()
            case TurnComplete():
                self._handle_is_fresh = False
            case GoingAway(time_left_s):
                self._margin_s = min(_MARGIN_S, (time_left_s or 0.0) / 4)
            case _:
                pass

    # --- going on ---

    async def _leave(self) -> SessionClosed:
        """End a connection before the server does."""
        turn_lost = self._client.turn_is_unfinished
        await self._client.close()
        return SessionClosed(1001, "", turn_lost)

    def _may_reconnect(self, closed: SessionClosed) -> bool:
        if not self._resumes:
            return False
        why = explain(closed.code, closed.reason, self._client.address.label)
        return why.retryable or self._client.leaving_at is not None

    async def _reconnect(self, lost: SessionClosed) -> Event:
        """Connect again; return Reconnected, or ``lost`` when the session is over."""
        handle = self.handle
        first_turn = self._client.turn + 1  # a turn that was open keeps its number
        for pause_s in PAUSES_S:
            await self._sleep(pause_s)
            try:
                client = await self._connect(self._setup_for(handle), first_turn)
            except ConnectError as exc:
                if exc.close_code not in _REFUSED:
                    continue
                if handle is None:
                    break
                handle = None  # the server does not know it any more: the next session is new
                continue
            await self._take(client)
            return Reconnected(restored=handle is not None or not self._has_history)
        self._lost = None
        self._connected.set()
        return lost

    def _setup_for(self, handle: str | None) -> Setup:
        return replace(self._setup, session_resumption=SessionResumptionConfig(handle=handle))

    async def _take(self, client: LiveClient) -> None:
        """Go on with ``client``, which is first sent what the old connection left unanswered."""
        self._handle_before = self.handle
        self._client, self._lost = client, None
        self._handle_is_fresh = False
        for message in _with_activity_start(self._unanswered):
            await client.send(message)
        self._connected.set()


def _with_activity_start(messages: Iterable[ClientMessage]) -> list[ClientMessage]:
    """Return ``messages``, after a start for an activity of which they hold the end alone."""
    inputs = (message.realtime_input for message in messages if message.realtime_input is not None)
    for given in inputs:
        if given.activity_start is not None:
            break
        if given.activity_end is not None:
            return [compose.activity_start(), *messages]
    return [*messages]
