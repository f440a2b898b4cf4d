"""The client of one connection: a WebSocket with a `Session` on it, and an iterator of events.

Nothing runs in the background: whoever iterates receives, whoever calls `send` sends. Iterate
all the time a session is open, since pings are answered only while payloads are taken.

Back pressure: `send` waits while more than 32 KiB are unsent, so a caller with a stream of sound
keeps a bounded queue in front of it and drops the oldest there. Receiving takes a payload at a time
and at most 16 more are held, so a slow reader slows the server.

Failures: before the session is open, ConnectError in plain words. Afterwards a connection that
ends, by whomever and however, is the event SessionClosed, and the last; only a server that sends
what is no Live API message raises RemoteProtocolError from the iterator.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Self

from live_cli.errors import ConnectError, RemoteProtocolError, Retry
from live_cli.net.address import Address
from live_cli.net.client.retry_after import seconds_in_reason
from live_cli.net.close_codes import TRY_LATER, Explanation, explain, starting_a_sentence
from live_cli.protocol.events import Event, SessionOpened
from live_cli.protocol.messages import ClientMessage, Setup
from live_cli.protocol.session import Role, Session
from live_cli.protocol.states import State

if TYPE_CHECKING:
    from live_cli.net.client.websocket import WebSocket

_PASSING_CODES = (1000, 1001, 1005, 1006)
"""Closes before a session is open that may be those of a server which restarts."""
_OVERLOADED = "overloaded"


class LiveClient:
    """One connection with an open session: an async iterator of events, SessionOpened first.

    `connect` makes it.
    """

    def __init__(self, address: Address, websocket: "WebSocket", session: Session) -> None:
        self._address = address
        self._websocket = websocket
        self._session = session
        self._events: deque[Event] = deque()
        self._clock = asyncio.get_running_loop().time
        self.heard_at = self._clock()
        """When the last payload came, on `clock`, be it one that makes no event."""

    @classmethod
    async def connect(
        cls, address: Address, setup: Setup, *, setup_limit_s: float = 10.0, first_turn: int = 1
    ) -> "LiveClient":
        """Open the socket, send ``setup``, wait for its confirmation. Raises ConnectError.

        ``setup_limit_s`` bounds the opening of the socket, and then again the wait. Turns are
        counted from ``first_turn``.
        """
        from live_cli.net.client.websocket import (
            open_websocket,  # websockets: 30 ms that --help does not need
        )

        websocket = await open_websocket(address, setup_limit_s)
        session = Session(Role.CLIENT, setup_limit_s=setup_limit_s, first_turn=first_turn)
        client = cls(address, websocket, session)
        try:
            await client._open(setup)
        except ConnectError:
            await websocket.drop()
            raise
        except BaseException:
            websocket.abort()
            raise
        return client

    # --- what is known ---

    def clock(self) -> float:
        """Seconds on the event loop's steady clock."""
        return self._clock()

    @property
    def address(self) -> Address:
        return self._address

    @property
    def takes_audio_faster(self) -> bool:
        """Whether the server takes sound faster than real time, as it said in its handshake."""
        return self._websocket.takes_audio_faster

    @property
    def state(self) -> State:
        return self._session.state

    @property
    def turn(self) -> int:
        """The number of the open model turn, or of the next one."""
        return self._session.turn

    @property
    def turn_is_unfinished(self) -> bool:
        """Whether the model speaks and has not yet generated all of its turn."""
        return self._session.turn_is_unfinished

    @property
    def handle(self) -> str | None:
        """The handle that resumes this session."""
        return self._session.handle

    @property
    def leaving_at(self) -> float | None:
        """When the server will close the connection, by its goAway, on `clock`."""
        return self._session.leaving_at

    # --- sending ---

    async def send(self, message: ClientMessage) -> None:
        """Send one message, waiting while too much is unsent.

        Raises LocalProtocolError for what is not legal now. Once the connection has ended nothing
        is sent and nothing raised: the iterator tells of the end.
        """
        if self._session.state is not State.CLOSED and self._websocket.closed_with is None:
            await self._websocket.send(self._session.send(message, self._clock()))

    # --- receiving ---

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._session.state is State.CLOSED:
                raise StopAsyncIteration
            self._events.extend(await self._receive())
        return self._events.popleft()

    async def _receive(self) -> list[Event]:
        payload = await self._websocket.receive()
        now = self._clock()
        if payload is None:
            code, reason = self._websocket.closed_with or (1006, "")
            return self._session.lose(code, reason, now)
        self.heard_at = now
        try:
            return self._session.receive(payload, now)
        except RemoteProtocolError as exc:
            self._session.lose(exc.close_code, exc.reason, now)
            await self._websocket.close(exc.close_code)
            who = starting_a_sentence(self._address.label)
            raise RemoteProtocolError(
                f"{who} sent what is no Live API message: {exc.reason} Check the server's address.",
                exc.close_code,
            ) from exc

    # --- opening and closing ---

    async def _open(self, setup: Setup) -> None:
        session = self._session
        await self._websocket.send(session.send(ClientMessage(setup=setup), self._clock()))
        notices: list[Event] = []
        try:
            async with asyncio.timeout_at(session.timer()):
                while session.state is State.AWAITING_SETUP_COMPLETE:
                    notices += await self._receive()
        except TimeoutError:
            session.tick(self._clock())
            raise ConnectError(self._nothing_came(session)) from None
        except RemoteProtocolError as exc:
            raise ConnectError(str(exc), retry=Retry.NEVER) from exc
        if session.state is State.CLOSED:
            raise self._refusal(*(self._websocket.closed_with or (1006, "")))
        first = [event for event in notices if isinstance(event, SessionOpened)]
        self._events.extend(first + [event for event in notices if event not in first])

    def _refusal(self, code: int, reason: str) -> ConnectError:
        why = explain(code, reason, self._address.label)
        retry_after_s = seconds_in_reason(reason) if code == TRY_LATER else None
        said = str(why) if retry_after_s is None else why.what  # its reason says when
        return ConnectError(said, code, retry=_retry(code, why), retry_after_s=retry_after_s)

    def _nothing_came(self, session: Session) -> str:
        who = starting_a_sentence(self._address.label)
        return (
            f"{who} opened the connection but did not confirm the session within "
            f"{session.setup_limit_s:g} s. Try again, or check the server's address."
        )

    async def ping(self) -> None:
        """Wait until the peer has answered a ping, or the connection has ended."""
        await self._websocket.ping()

    async def drop(self) -> None:
        """End the connection without a word to the peer."""
        await self._websocket.drop()

    async def close(self) -> None:
        """End the session, within four seconds; an iterator elsewhere sees SessionClosed."""
        await self._websocket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _retry(code: int, why: Explanation) -> Retry:
    """Return what trying again can do about a close that came in place of setupComplete."""
    if code in (1012, TRY_LATER) or (why.retryable and _OVERLOADED in why.what):
        return Retry.BUSY
    return Retry.LATER if why.retryable or code in _PASSING_CODES else Retry.NEVER
