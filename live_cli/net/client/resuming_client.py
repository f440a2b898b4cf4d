"""A session over as many connections as it takes.

A server ends a connection after some ten minutes and says so before (goAway); networks end them
without a word. Either way the session goes on over a new connection, resumed by its last handle,
and its owner sees two events, `Reconnecting` and `Reconnected`, between all others.

Theory of operation
===================

*When.* After goAway as soon as the model is silent and the last turn is in the handle, or just
before the time is up. The old connection is closed first: servers refuse a session that is open
(reference §4.6). A connection that is lost is made anew where `close_codes.explain` calls its end
retryable; one that the server ended without a fault, where an answer is still awaited, or where
the owner goes on. `ReconnectPolicy` says after which pause, and when no more. A connection over
which nothing comes although something is awaited is given up where the `Watchdog` says so; before,
the owner is told (`Stalled`).

*What is not lost.* What is sent is kept until the model begins to answer it, or ends its turn
without a word (`UnansweredInput`), within limits, and of a camera's images the newest; a new
connection gets it again, so that a question asked while the connection broke is answered. A sender
waits meanwhile. The rest of an answer that had begun is lost, and with it its question, which is in
no handle: the owner is told (`SessionClosed.turn_lost`), and the question is sent again where the
owner wants that (``asks_again``), or by the owner. An answer of which only the end of the playing
was still to come is in a handle. Results of calls are never sent twice, and not at all while there
is no connection: no new one knows a call of an earlier one. Who runs the calls sees to it that no
result is lost.

*With what.* A server that does not know the handle any more gets a new session, and the owner is
told that nothing was restored. Turns are counted on, whatever the connection.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Self

from msgspec.structs import replace

from live_cli.errors import ConnectError, Retry
from live_cli.net.client.client import LiveClient
from live_cli.net.client.reconnect_policy import ReconnectPolicy
from live_cli.net.client.retry_after import seconds_in_reason
from live_cli.net.client.unanswered_input import KEPT_MESSAGES, UnansweredInput, is_image, is_sound
from live_cli.net.client.watchdog import Alarm, Awaited, Watchdog
from live_cli.net.close_codes import NO_SIGN, TRY_LATER, explain
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    GoingAway,
    InputTranscript,
    OutputTranscript,
    Reconnected,
    Reconnecting,
    ResumptionUpdated,
    SessionClosed,
    Stalled,
    TextChunk,
    TurnComplete,
)
from live_cli.protocol.messages import ClientMessage, SessionResumptionConfig, Setup, Tool
from live_cli.protocol.states import State

RESEND_LIMIT_S: Final = 20.0
"""How long a new connection may take to accept what the old one left unanswered."""
IMAGE_INTERVAL_S: Final = 1.0
"""Between two images of realtime input: the Live API takes one a second (reference §2.6)."""
_MARGIN_S: Final = 1.5
"""How long before its announced close a connection is left, or a quarter of a shorter notice."""
_REFUSED: Final = (1007, 1008)
_WITHOUT_FAULT: Final = (1000, 1001, 1005)

Connect = Callable[[Setup, int], Awaitable[LiveClient]]
"""Opens a connection for a setup, counting turns from a number. Raises ConnectError."""


class ResumingClient:
    """A session over several connections, used as a `LiveClient` is used for one.

    ``client`` is the first connection, and ``connect`` makes the later ones. ``resumes`` False:
    the session ends with the first connection. ``goes_on``: the owner has more to say, so that a
    server that ends a connection in order does not end the session. ``keeps_images``: those of
    realtime input are what is asked about, each of them, and not a camera's, of which the newest
    tells all. ``asks_again``: a question whose answer broke off is sent again. ``on_handle`` is
    told every new handle.
    """

    def __init__(
        self,
        client: LiveClient,
        setup: Setup,
        connect: Connect,
        *,
        resumes: bool = True,
        goes_on: bool = False,
        keeps_images: bool = False,
        asks_again: bool = False,
        policy: ReconnectPolicy | None = None,
        watchdog: Watchdog | None = None,
        on_handle: Callable[[str], object] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """``clock`` and ``sleep``: the policy's time, by default that of the event loop."""
        self._client = client
        self._setup = setup
        self._connect = connect
        self._resumes = resumes
        self._goes_on = goes_on
        self._clock = clock or client.clock
        self._sleep = sleep
        self._policy = policy or ReconnectPolicy(self._clock())
        self._watchdog = watchdog or Watchdog(client.clock())
        self._on_handle = on_handle
        self._handle_before = setup.session_resumption.handle if setup.session_resumption else None
        self._handle_is_fresh = False
        self._has_history = self._handle_before is not None
        self._unanswered = UnansweredInput(keeps_images=keeps_images, asks_again=asks_again)
        self._meanwhile: deque[ClientMessage] = deque(maxlen=KEPT_MESSAGES)
        """Sound since a new connection is being brought up to now."""
        self._answered_turn = 0
        self._margin_s = _MARGIN_S
        self._lost: SessionClosed | None = None
        self._connected = asyncio.Event()
        self._connected.set()
        self._alarm_clock: asyncio.Timeout | None = None
        self._pings: set[asyncio.Task[None]] = set()
        self.gave_up: str | None = None
        """Why no connection was made any more, in a sentence; None where none was tried."""

    @property
    def connection(self) -> LiveClient:
        """The connection in use."""
        return self._client

    @property
    def handle(self) -> str | None:
        """The handle that resumes this session."""
        return self._client.handle or self._handle_before

    @property
    def handle_is_fresh(self) -> bool:
        """Return whether the handle stands for the session as it is, the last turn with it."""
        return self._handle_is_fresh

    @property
    def is_connected(self) -> bool:
        """Return whether a message that is sent goes out now; else the receiver connects first."""
        return self._connected.is_set()

    @property
    def awaits_answer(self) -> bool:
        """Return whether an answer is due, so that silence of the server is not left at that."""
        return self._watchdog.is_on_guard

    def redeclare(self, tools: list[Tool]) -> None:
        """Declare ``tools`` in the setups of the connections to come, in place of the first's."""
        self._setup = replace(self._setup, tools=tools or None)

    # --- sending ---

    async def send(self, message: ClientMessage) -> None:
        """Send one message as `LiveClient.send` does, waiting while there is no connection.

        Sound is not waited with: the next connection gets it, and more may come meanwhile.
        """
        if message.tool_response is None:
            if is_sound(message) and not self._connected.is_set():
                self._unanswered.sent(message)
                self._meanwhile.append(message)
                return
            await self._connected.wait()
            self._unanswered.sent(message)
        elif not self._connected.is_set():
            return  # the connection that knew the call is lost
        self._watchdog.sent(message, self._client.clock())
        self._set_alarm_clock()
        await self._client.send(message)

    def note_speech(self, until: float) -> None:
        """Note that the user spoke until then, on the connection's clock: an answer is awaited."""
        self._unanswered.spoke()
        self._watchdog.spoke(until)
        self._set_alarm_clock()

    def note_silenced(self) -> None:
        """Note that the user wants to hear no more of the model's turn."""
        self._watchdog.silenced(self._client.clock())

    # --- receiving ---

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._lost is not None:
            return await self._reconnect(self._lost)
        event: Event | None = None
        while event is None:
            event = await self._next()
            self._note(event)
            if isinstance(event, InputTranscript):
                event = self._unanswered.new_in(event)
        if isinstance(event, SessionClosed) and self._may_reconnect(event):
            self._connected.clear()
            self._lost = event
            self._unanswered.lose_connection(turn_lost=event.turn_lost)
            return Reconnecting(event)
        return event

    async def _next(self) -> Event:
        """Return the connection's next event, or what came of waiting for it."""
        while True:
            try:
                async with asyncio.timeout_at(self._wake_at()) as self._alarm_clock:
                    return await anext(self._client)
            except TimeoutError:
                pass
            finally:
                self._alarm_clock = None
            leave_at, now = self._leave_at(), self._client.clock()
            if leave_at is not None and now >= leave_at:
                return await self._leave(1001, "")
            self._watchdog.signed(self._client.heard_at)
            silent_s = self._watchdog.silent_s(now)
            match self._watchdog.tick(now):
                case Alarm.STALLED:
                    return Stalled(silent_s)
                case Alarm.PING:
                    self._ping()
                case Alarm.FROZEN:
                    return await self._leave(1006, f"{NO_SIGN} {silent_s:.0f} s")
                case None:
                    pass

    def _wake_at(self) -> float | None:
        times = [at for at in (self._leave_at(), self._watchdog.due()) if at is not None]
        return min(times, default=None)

    def _set_alarm_clock(self) -> None:
        """Let a receiver that waits wake up in time for what is awaited from now on."""
        due = self._watchdog.due()
        if self._alarm_clock is not None and due is not None:
            set_for = self._alarm_clock.when()
            if set_for is None or due < set_for:
                self._alarm_clock.reschedule(due)

    def _leave_at(self) -> float | None:
        leaving_at = self._client.leaving_at
        if leaving_at is None or self.handle is None:
            return None
        if self._handle_is_fresh and self._client.state is State.LISTENING:
            return self._client.clock()
        return leaving_at - self._margin_s

    def _ping(self) -> None:
        client = self._client

        async def ping() -> None:
            await client.ping()
            if client is self._client:
                self._watchdog.ponged(client.clock())

        task = asyncio.create_task(ping())
        self._pings.add(task)
        task.add_done_callback(self._pings.discard)

    def _note(self, event: Event) -> None:
        if not isinstance(event, SessionClosed | Stalled):
            answers = self._watchdog.answers
            self._watchdog.received(event, self._client.heard_at)
            if isinstance(event, TurnComplete):
                self._policy.turn_completed(answers=self._watchdog.answers > answers)
        match event:
            case ResumptionUpdated(handle):
                self._handle_is_fresh = handle is not None
                if handle is not None:
                    self._on_handle(handle)
            case AudioChunk(turn) | TextChunk(turn) | OutputTranscript(turn):
                self._handle_is_fresh, self._has_history = False, True
                if turn != self._answered_turn:
                    self._answered_turn = turn
                    self._unanswered.answer_begins()
            case TurnComplete(turn, interrupted):
                self._handle_is_fresh = False
                silent = turn != self._answered_turn and not interrupted
                self._answered_turn = turn if silent else self._answered_turn
                self._unanswered.answer_ends(all_heard=silent)  # the model chose to say nothing
            case GoingAway(time_left_s):
                self._margin_s = min(_MARGIN_S, (time_left_s or 0.0) / 4)
            case SessionClosed():
                frozen = event.reason.startswith(NO_SIGN)
                asked = self._watchdog.awaited is Awaited.ANSWER
                self._policy.lost(self._clock(), unanswered=frozen or asked)
            case _:
                pass

    # --- going on ---

    async def _leave(self, code: int, reason: str) -> SessionClosed:
        """End a connection before the server does."""
        turn_lost = self._client.turn_is_unfinished
        await self._client.close()
        return SessionClosed(code, reason, turn_lost)

    def _may_reconnect(self, closed: SessionClosed) -> bool:
        if not self._resumes:
            return False
        why = explain(closed.code, closed.reason, self._client.address.label)
        if why.retryable or self._client.leaving_at is not None:
            return True
        return closed.code in _WITHOUT_FAULT and (self._goes_on or self._watchdog.awaits)

    async def _reconnect(self, lost: SessionClosed) -> Event:
        """Connect again; return Reconnected, or ``lost`` when the session is over."""
        handle = self.handle
        first_turn = self._client.turn + 1  # a turn that was open keeps its number
        why: ConnectError | None = None
        retry_after_s = seconds_in_reason(lost.reason) if lost.code == TRY_LATER else None
        while True:
            pause_s = self._policy.next_pause(self._clock(), retry_after_s)
            if pause_s is None:
                break
            await self._sleep(pause_s)
            try:
                client = await self._connect(self._setup_for(handle), first_turn)
                await self._take(client, handle)
            except ConnectError as exc:
                self._policy.failed(self._clock())
                why, retry_after_s = exc, exc.retry_after_s
                if exc.close_code in _REFUSED and handle is not None:
                    handle = None  # the server does not know it any more: the next session is new
                elif exc.retry is Retry.NEVER:
                    break
                continue
            return Reconnected(restored=handle is not None or not self._has_history)
        self._lost = None
        self.gave_up = self._ending(why, retry_after_s)
        self._connected.set()
        return lost

    def _ending(self, why: ConnectError | None, retry_after_s: float | None) -> str:
        """Return the sentences that say why no connection is tried any more."""
        if why is not None and why.retry is Retry.NEVER:
            return f"It cannot be made anew. {why}"
        if retry_after_s is not None and retry_after_s > self._policy.limit_s:
            return f"The server asks to wait for {retry_after_s:,.0f} s, which is too long."
        tried_s = self._policy.tried_for_s(self._clock())
        count = self._policy.attempts
        times = "once" if count == 1 else f"{count} times"
        said = f"Connecting again did not help, {times} in {tried_s:.0f} s."
        return f"{said} {why}" if why is not None else f"{said} Try again later."

    def _setup_for(self, handle: str | None) -> Setup:
        return replace(self._setup, session_resumption=SessionResumptionConfig(handle=handle))

    async def _take(self, client: LiveClient, handle: str | None) -> None:
        """Go on with ``client``, which is first sent what the old connection left unanswered.

        Raises ConnectError where it does not take that.
        """
        messages = self._unanswered.messages()
        pauses = max(0, sum(map(is_image, messages)) - 1)
        try:
            async with asyncio.timeout(RESEND_LIMIT_S + pauses * IMAGE_INTERVAL_S):
                self._meanwhile.clear()  # it is among these
                for message in messages:
                    await client.send(message)
                    if is_image(message) and pauses:
                        pauses -= 1
                        await self._sleep(IMAGE_INTERVAL_S)
                while self._meanwhile:
                    await client.send(self._meanwhile.popleft())
        except TimeoutError:
            await client.drop()
            raise ConnectError("The server took nothing over a new connection.") from None
        self._handle_before, self._handle_is_fresh = handle, False
        self._client, self._lost = client, None
        self._policy.connected(self._clock())
        self._watchdog.reconnected(client.clock())
        if self._unanswered.asks_again:
            for message in messages:
                self._watchdog.sent(message, client.clock())
            if any(map(is_sound, messages)):
                self._watchdog.spoke(client.clock())
        self._connected.set()
