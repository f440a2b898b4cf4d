"""Notices a server that froze: the socket is open, and the answer does not come. Pure.

Theory of operation
===================

The Live API's users complain of nothing more than of this (google-gemini/cookbook #1225: 66 of 603
calls; #1228: after a barge-in). A silent server is no fault by itself, so the watchdog first knows
whether anything is awaited, by the table `TRANSITIONS`: what is sent and what comes, reduced to
facts, moves it between the states of `Awaited`. A pair that the table lacks changes nothing.

*How long.* Silence counts from the last of: what was asked, the user's last speech, the last
payload of the server, the end of the sound that has come and must be played first. After
``said_s`` it is told (`Alarm.STALLED`), once until something comes; after ``reconnect_s`` the
connection is given up (`Alarm.FROZEN`), and what was not answered is sent again over the next one.
A second time in a row takes twice as long, and any later one four times: a server that is only slow
gets its chance.

*What is awaited for certain, and what is presumed.* A question that was typed is to be answered. So
is speech that the server has transcribed, and a turn that has begun is to go on. Speech that only
our own level meter heard may have been a door, or a word to somebody else: one new connection, then
it is forgotten.

*Where silence is in order.* With proactive audio the model may decide not to answer what it hears.
A model that announced that another turn follows may think for long. There only a connection that
is dead is given up: a ping is sent after half of ``reconnect_s``, and its pong has not come when it
is over. The first pong settles it for speech that may stay without an answer; a turn that was
announced is awaited on, and pinged for again and again. (The service's pongs come late under load,
reference §4.14; so no ping decides where nothing is awaited.) While a function call is open, or the
talk key is held, it is for us to go on; a model that speaks on beside a call that it does not wait
for is to end that turn.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from live_cli.protocol import events
from live_cli.protocol.messages import ClientContent, ClientMessage, FunctionResponse, Setup

_LONGEST_PATIENCE: Final = 4
"""How many times ``reconnect_s`` a server gets at most, after several new connections."""


@dataclass(frozen=True, slots=True)
class StallLimits:
    """Seconds of silence until it is told, and until the connection is made anew; 0: never."""

    said_s: float = 8.0
    reconnect_s: float = 20.0


NO_LIMITS: Final = StallLimits(0.0, 0.0)


class Alarm(Enum):
    STALLED = auto()
    """Nothing has come for long: tell the user."""
    PING = auto()
    """Send a ping, and tell the watchdog of its pong."""
    FROZEN = auto()
    """Give the connection up."""


class Awaited(Enum):
    NOTHING = auto()
    HELD = auto()
    """Nothing, since the user holds the talk key."""
    SPEECH = auto()
    """An answer to what may have been speech."""
    ANSWER = auto()
    """An answer to what the server has got for certain."""
    TURN = auto()
    """The rest of a turn that has begun."""
    CALLED = auto()
    """Nothing: the server waits for the result of a function call."""
    SILENCED = auto()
    """Nothing: the user silenced the turn, which may go on unheard."""
    THINKING = auto()
    """The turn that a server announced at the end of the last one."""


class WatchFact(Enum):
    ASKED = "a question was sent, or the result of a call that the model waits for"
    HELD = "activityStart was sent"
    RELEASED = "activityEnd was sent"
    SPOKE = "our level meter heard speech"
    SILENCED = "the model was silenced"
    CONFIRMED = "the server heard speech"
    OUTPUT = "model output"
    CALLED = "a function call"
    SPOKE_BESIDE = "model output while no open call is waited for"
    CALLS_ENDED = "calls cancelled, or results sent that need no answer"
    INTERRUPTED = "interrupted"
    CUT = "turnComplete of an interrupted turn"
    COMPLETE = "turnComplete"
    MORE_FOLLOWS = "turnComplete, and another turn comes by itself"
    RECONNECTED = "a new connection, which got what was not answered"


_A, _F = Awaited, WatchFact

_EVERYWHERE: Final = {
    _F.ASKED: _A.ANSWER,
    _F.HELD: _A.HELD,
    _F.CALLED: _A.CALLED,
    _F.COMPLETE: _A.NOTHING,
    _F.MORE_FOLLOWS: _A.THINKING,
}

TRANSITIONS: Final[dict[Awaited, dict[WatchFact, Awaited]]] = {
    _A.NOTHING: {
        **_EVERYWHERE,
        _F.SPOKE: _A.SPEECH,
        _F.OUTPUT: _A.TURN,
        _F.INTERRUPTED: _A.SPEECH,
    },
    _A.HELD: {_F.RELEASED: _A.SPEECH, _F.ASKED: _A.ANSWER},
    _A.SPEECH: {**_EVERYWHERE, _F.CONFIRMED: _A.ANSWER, _F.OUTPUT: _A.TURN},
    _A.ANSWER: {**_EVERYWHERE, _F.OUTPUT: _A.TURN},
    _A.TURN: {
        **_EVERYWHERE,
        _F.SILENCED: _A.SILENCED,
        _F.INTERRUPTED: _A.SPEECH,
        _F.CUT: _A.NOTHING,
        _F.RECONNECTED: _A.NOTHING,
    },
    _A.CALLED: {
        **_EVERYWHERE,
        _F.SPOKE_BESIDE: _A.TURN,
        _F.CALLS_ENDED: _A.NOTHING,
        _F.INTERRUPTED: _A.SPEECH,
        _F.CUT: _A.NOTHING,
        _F.RECONNECTED: _A.NOTHING,
    },
    _A.SILENCED: {
        **_EVERYWHERE,
        _F.SPOKE: _A.SPEECH,
        _F.CUT: _A.NOTHING,
        _F.RECONNECTED: _A.NOTHING,
    },
    _A.THINKING: {
        **_EVERYWHERE,
        _F.SPOKE: _A.SPEECH,
        _F.OUTPUT: _A.TURN,
        _F.INTERRUPTED: _A.SPEECH,
        _F.CUT: _A.NOTHING,
        _F.RECONNECTED: _A.NOTHING,
    },
}

_WITHIN_A_TURN: Final = (_A.TURN, _A.CALLED)
_AWAITING: Final = (_A.SPEECH, _A.ANSWER, _A.TURN, _A.THINKING)


class Watchdog:
    """Watches one session, over all its connections, from ``now`` on. Times are in seconds.

    ``proactive``: the model may decide not to answer speech.
    """

    def __init__(
        self,
        now: float,
        limits: StallLimits = NO_LIMITS,
        setup: Setup | None = None,
        *,
        proactive: bool = False,
    ) -> None:
        self._limits = limits
        self._proactive = proactive
        self._history_comes = bool(
            setup
            and setup.history_config
            and setup.history_config.initial_history_in_client_content
        )
        self._patient_calls = _non_blocking_functions(setup)
        self._open_calls: set[str] = set()
        self._awaited = Awaited.NOTHING
        self._since = now
        self._plays_until = now
        self._told = self._pinged = False
        self._ponged_at: float | None = None
        self._frozen_in_a_row = 0
        self._asked_for_turn = False
        self.answers = 0
        """How many turns are complete that had been asked for."""

    @property
    def awaited(self) -> Awaited:
        """What is awaited now."""
        return self._awaited

    @property
    def awaits(self) -> bool:
        """Whether anything is awaited of the server."""
        return self._awaited in _AWAITING

    @property
    def is_on_guard(self) -> bool:
        """Whether silence is no answer, and something is still to be done about it, or never is."""
        unlimited = self._limits == NO_LIMITS and self.awaits
        return not self._may_be_silent and (unlimited or bool(self._steps()))

    # --- what happens --------------------------------------------------------------------------

    def sent(self, message: ClientMessage, now: float) -> None:
        """Note what is sent."""
        fact = self._fact_of(message)
        if fact is not None:
            self._advance(fact)
            if fact is not WatchFact.SILENCED:
                self._restart(now)

    def spoke(self, until: float) -> None:
        """Note speech of the user until then, by the level of the microphone."""
        self._advance(WatchFact.SPOKE)
        self._restart(max(self._since, until))

    def silenced(self, now: float) -> None:
        """Note that the user wants to hear no more of the turn, nor waits for its sound."""
        self._advance(WatchFact.SILENCED)
        self._plays_until = now

    def signed(self, now: float) -> None:
        """Note a payload of the server."""
        if now > self._since:
            self._restart(now)

    def ponged(self, now: float) -> None:
        """Note that the last ping was answered."""
        self._ponged_at, self._pinged = now, False

    def received(self, event: events.Event, now: float) -> None:
        """Note what came of the server."""
        self.signed(now)
        match event:
            case events.AudioChunk(data=data, sample_rate=rate):
                self._note_output()
                self._plays_until = max(self._plays_until, now) + len(data) / 2 / rate
            case events.TextChunk() | events.OutputTranscript() | events.Thought():
                self._note_output()
            case events.InputTranscript(text) if text.strip():
                self._advance(WatchFact.CONFIRMED)
            case events.VoiceActivityChanged(active=False):
                self._advance(WatchFact.CONFIRMED)
            case events.Interrupted():
                self._plays_until = now
                self._advance(WatchFact.INTERRUPTED)
            case events.TurnComplete(interrupted=True):
                self._advance(WatchFact.CUT)
            case events.TurnComplete(more_follows=True):
                self._advance(WatchFact.MORE_FOLLOWS)
            case events.TurnComplete():
                self._advance(WatchFact.COMPLETE)
            case events.ToolCallRequested(calls):
                self._open_calls.update(
                    call.id or "" for call in calls if call.name not in self._patient_calls
                )
                self._advance(WatchFact.CALLED)
            case events.ToolCallCancelled(ids):
                self._open_calls.difference_update(ids)
                if not self._open_calls:
                    self._advance(WatchFact.CALLS_ENDED)
            case _:
                pass

    def reconnected(self, now: float) -> None:
        """Note a new connection; what was not answered has been sent again."""
        self._open_calls.clear()
        self._plays_until = now
        self._advance(WatchFact.RECONNECTED)
        self._restart(now)

    # --- what to do ----------------------------------------------------------------------------

    def due(self) -> float | None:
        """Return when to call `tick`; None: not before something happens."""
        steps = [after_s for after_s, _ in self._steps()]
        return self._silent_from + min(steps) if steps else None

    def tick(self, now: float) -> Alarm | None:
        """Return what to do at ``now``; None: nothing. To be called again until it is None."""
        for after_s, alarm in self._steps():
            if now >= self._silent_from + after_s:
                return self._raise(alarm)
        return None

    def silent_s(self, now: float) -> float:
        """Return for how long the server has been silent while something was awaited."""
        return now - self._silent_from if self.awaits else 0.0

    @property
    def _silent_from(self) -> float:
        return max(self._since, self._plays_until, self._ponged_at or 0.0)

    @property
    def _patience_s(self) -> float:
        return self._limits.reconnect_s * min(1 << self._frozen_in_a_row, _LONGEST_PATIENCE)

    @property
    def _may_be_silent(self) -> bool:
        return self._awaited is Awaited.THINKING or (
            self._proactive and self._awaited is Awaited.SPEECH
        )

    def _steps(self) -> list[tuple[float, Alarm]]:
        """Return what is still to be done in this silence: after how many seconds, and what."""
        if not self.awaits:
            return []
        said_s, patience_s = self._limits.said_s, self._patience_s
        if self._may_be_silent:
            settled = self._awaited is Awaited.SPEECH and self._ponged_at is not None
            if not patience_s or settled:
                return []
            return [(patience_s, Alarm.FROZEN) if self._pinged else (patience_s / 2, Alarm.PING)]
        steps = [(said_s, Alarm.STALLED)] if said_s and not self._told else []
        return [*steps, (patience_s, Alarm.FROZEN)] if patience_s else steps

    def _raise(self, alarm: Alarm) -> Alarm | None:
        if alarm is Alarm.STALLED:
            self._told = True
        elif alarm is Alarm.PING:
            self._pinged = True
        elif self._awaited is Awaited.SPEECH and self._frozen_in_a_row:
            self._awaited = Awaited.NOTHING  # it was none, or the server does not want to hear it
            self._frozen_in_a_row = 0
            return None
        else:
            self._frozen_in_a_row += 1
        return alarm

    # --- the table -----------------------------------------------------------------------------

    def _advance(self, fact: WatchFact) -> None:
        before = self._awaited
        self._awaited = TRANSITIONS[before].get(fact, before)
        if fact in (WatchFact.OUTPUT, WatchFact.CALLED, WatchFact.SPOKE_BESIDE):
            self._frozen_in_a_row = 0
            if before not in _WITHIN_A_TURN:
                self._asked_for_turn = before in _AWAITING
        elif fact is WatchFact.COMPLETE:
            self._frozen_in_a_row = 0
            asked = self._asked_for_turn if before in _WITHIN_A_TURN else before in _AWAITING
            self.answers += asked

    def _note_output(self) -> None:
        beside = self._awaited is Awaited.CALLED and not self._open_calls
        self._advance(WatchFact.SPOKE_BESIDE if beside else WatchFact.OUTPUT)

    def _restart(self, now: float) -> None:
        """Count silence from ``now`` on."""
        self._since = now
        self._told = self._pinged = False
        self._ponged_at = None

    def _fact_of(self, message: ClientMessage) -> WatchFact | None:
        if (content := message.client_content) is not None:
            return self._fact_of_content(content)
        if message.tool_response is not None:
            return self._fact_of_results(message.tool_response.function_responses or [])
        given = message.realtime_input
        if given is None:
            return None
        if given.text is not None:
            return WatchFact.ASKED
        if given.activity_start is not None:
            return WatchFact.HELD
        return WatchFact.RELEASED if given.activity_end is not None else None

    def _fact_of_content(self, content: ClientContent) -> WatchFact | None:
        if not content.turn_complete:
            return WatchFact.SILENCED  # whatever else it says, it interrupts the model
        if self._history_comes:
            self._history_comes = False
            return None
        return WatchFact.ASKED

    def _fact_of_results(self, results: list[FunctionResponse]) -> WatchFact | None:
        """Return ASKED where the model waited for the last of the open calls."""
        waited = bool(self._open_calls & {result.id or "" for result in results})
        self._open_calls.difference_update(
            result.id or "" for result in results if not result.will_continue
        )
        if self._open_calls:
            return None
        return WatchFact.ASKED if waited else WatchFact.CALLS_ENDED


def _non_blocking_functions(setup: Setup | None) -> frozenset[str]:
    declared = (
        function
        for tool in (setup.tools if setup else None) or ()
        for function in tool.function_declarations or ()
    )
    return frozenset(
        function.name
        for function in declared
        if function.name and function.behavior == "NON_BLOCKING"
    )
