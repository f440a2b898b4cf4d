"""One Live API session as a pure state machine, for either side.

`states.py` holds the theory and the transition table. The session is told bytes or messages, and
``now`` in seconds on any steady clock. It never asks the time, and keeps no output back: every
call returns all events that came of it.
"""

from collections.abc import Iterable
from enum import Enum, auto

from live_cli.errors import LocalProtocolError
from live_cli.protocol.events import (
    Event,
    GenerationComplete,
    Interrupted,
    SessionClosed,
    SessionOpened,
    SetupReceived,
    SetupTimedOut,
    ToolCallRequested,
    TurnComplete,
    UsageReported,
)
from live_cli.protocol.input_events import (
    EXPLICIT_ACTIVITY,
    has_manual_activity,
    input_events,
)
from live_cli.protocol.messages import (
    ClientMessage,
    RealtimeInput,
    ServerContent,
    ServerMessage,
    Setup,
)
from live_cli.protocol.output_events import (
    grounding_events,
    in_response_names,
    input_transcripts,
    notices,
    output_transcripts,
    part_events,
    resumable_handle,
)
from live_cli.protocol.states import (
    NO_CONTENT,
    SENDABLE,
    Fact,
    SessionProgress,
    State,
    advance,
    facts_of,
    is_notice,
)
from live_cli.protocol.wire import decode_client, decode_server, encode, parse_duration


class Role(Enum):
    CLIENT = auto()
    SERVER = auto()


# What every message needs: Python 3.11 calls Python code to find a member, 0.2 µs each.
_CLOSED, _CLIENT, _OUTPUT = State.CLOSED, Role.CLIENT, Fact.OUTPUT
_INPUT_ALONE = (Fact.INPUT,)


class Session:
    """One end of one session. Turns are counted from ``first_turn``.

    ``setup_limit_s``: seconds that a client waits for setupComplete.
    """

    def __init__(self, role: Role, *, setup_limit_s: float = 10.0, first_turn: int = 1) -> None:
        self._role = role
        self._setup_limit_s = setup_limit_s
        self._setup_due: float | None = None
        self._setup: Setup | None = None
        self._manual_activity = False
        self._progress = SessionProgress(State.CONNECTING, first_turn)
        self._handle: str | None = None
        self._leaving_at: float | None = None

    @property
    def state(self) -> State:
        return self._progress.state

    @property
    def setup_limit_s(self) -> float:
        return self._setup_limit_s

    @property
    def turn(self) -> int:
        """The number of the open model turn, or of the next one, from 1."""
        return self._progress.turn

    @property
    def turn_is_unfinished(self) -> bool:
        """Return whether the model speaks and has not yet generated all of its turn."""
        return self.state is State.GENERATING and not self._progress.all_generated

    @property
    def handle(self) -> str | None:
        """The handle that resumes this session: the last one the server called resumable."""
        return self._handle

    @property
    def leaving_at(self) -> float | None:
        """When the server will close the connection, by its goAway, on the owner's clock."""
        return self._leaving_at

    # --- what the owner does ---

    def send(self, message: ClientMessage | ServerMessage, now: float) -> bytes:
        """Return the payload to write. Raises LocalProtocolError when this may not be sent now."""
        if isinstance(message, ClientMessage) is not (self._role is _CLIENT):
            raise LocalProtocolError(f"A {self._role.name.lower()} does not send this message.")
        payload = encode(message)
        if isinstance(message, ClientMessage):
            self._send_input(message, now)
        else:
            self._send_output(message, now)
        return payload

    def receive(self, payload: bytes | str, now: float) -> list[Event]:
        """Return the events of a payload, none after the end. Raises RemoteProtocolError."""
        if self._progress.state is _CLOSED:
            return []
        if self._role is _CLIENT:
            return self._receive_output(decode_server(payload), now)
        return self._receive_input(decode_client(payload), now)

    def lose(self, code: int, reason: str, now: float) -> list[Event]:
        """Return the event of a connection's end with this close code; none the second time."""
        if self.state is State.CLOSED:
            return []
        turn_lost = self.turn_is_unfinished
        self._advance(Fact.LOST, now)
        self._setup_due = None
        return [SessionClosed(code, reason, turn_lost)]

    def timer(self) -> float | None:
        """Return when to call `tick`, on the owner's clock; None: not at all."""
        return self._setup_due

    def tick(self, now: float) -> list[Event]:
        """Return the event of a setup that timed out, once the time is up."""
        if self._setup_due is None or now < self._setup_due:
            return []
        self._setup_due = None
        self._advance(Fact.LOST, now)
        return [SetupTimedOut(self._setup_limit_s)]

    # --- the client's side ---

    def _send_input(self, message: ClientMessage, now: float) -> None:
        if message.setup is None:
            if message.realtime_input is not None:
                _refuse_wrong_activity(message.realtime_input, self._manual_activity)
            self._commit(_INPUT_ALONE, now)
            return
        self._commit([Fact.SETUP], now)
        self.adopt(message.setup)
        self._setup_due = now + self._setup_limit_s

    def _receive_output(self, message: ServerMessage, now: float) -> list[Event]:
        events: list[Event] = []
        if (confirmed := message.setup_complete) is not None:
            self._advance(Fact.SETUP_COMPLETE, now)
            self._setup_due = None
            events.append(SessionOpened(confirmed.session_id))
        if message.usage_metadata is not None:
            # before the turn's end, so that whoever stops there has it
            events.append(UsageReported(in_response_names(message.usage_metadata)))
        if (content := message.server_content) is not None:
            status = content.interaction_status or message.interaction_status
            events += self._receive_content(content, status, now)
        if (call := message.tool_call) is not None:
            events += self._open_turn(now)
            events.append(ToolCallRequested(call.function_calls or []))
        if is_notice(message):
            self._advance(Fact.NOTICE, now)
            events += notices(message)
            self._remember(message, now)
        return events

    def _receive_content(
        self, content: ServerContent, interaction_status: str | None, now: float
    ) -> list[Event]:
        events = input_transcripts(content)
        if content.output_transcription is not None or content.model_turn is not None:
            events += self._open_turn(now)
            if content.output_transcription is not None:
                events += output_transcripts(content.output_transcription, self.turn)
            if content.model_turn is not None:
                events += part_events(content.model_turn, self.turn)
        if content.grounding_metadata is not None or content.url_context_metadata is not None:
            events += grounding_events(content, self._last_answer)
        if content.generation_complete:
            self._advance(Fact.GENERATION_COMPLETE, now)
            events.append(GenerationComplete(self.turn))
        if content.interrupted:
            events += self._receive_interruption(now)
        if content.turn_complete:
            more_follows = interaction_status not in (None, "IDLE")
            events.append(self._end_turn(content.turn_complete_reason, more_follows, now))
        return events

    @property
    def _last_answer(self) -> int:
        """The turn that is open, else the last one: sources may come late, and open none."""
        open_turn = self.state in (State.GENERATING, State.INTERRUPTED)
        return self.turn if open_turn else max(self.turn - 1, 1)

    def _open_turn(self, now: float) -> list[Event]:
        """Take model output: open a turn, go on with one, or end a forgotten one first."""
        ended: list[Event] = []
        if self._progress.misses_turn_complete(now):
            ended.append(self._end_turn(None, False, now))
        self._advance(_OUTPUT, now)
        return ended

    def _receive_interruption(self, now: float) -> list[Event]:
        before = self.state
        self._advance(Fact.INTERRUPTION, now)
        if before is State.INTERRUPTED:
            return []
        return [Interrupted(self.turn if before is State.GENERATING else self.turn - 1)]

    def _end_turn(self, reason: str | None, more_follows: bool, now: float) -> Event:
        interrupted = self._progress.ends_interrupted(now)
        ended = TurnComplete(self.turn, interrupted, reason, more_follows)
        self._advance(Fact.TURN_COMPLETE, now)
        return ended

    def _remember(self, message: ServerMessage, now: float) -> None:
        if message.session_resumption_update is not None:
            self._handle = resumable_handle(message.session_resumption_update) or self._handle
        if message.go_away is not None:
            self._leaving_at = now + (parse_duration(message.go_away.time_left) or 0.0)

    # --- the server's side ---

    def _receive_input(self, message: ClientMessage, now: float) -> list[Event]:
        if message.setup is not None:
            self._advance(Fact.SETUP, now)
            self.adopt(message.setup)
            return [SetupReceived(message.setup)]
        self._advance(Fact.INPUT, now)
        return input_events(message, manual_activity=self._manual_activity)

    def _send_output(self, message: ServerMessage, now: float) -> None:
        if self._setup is not None:
            _refuse_unasked(message, self._setup)
        self._commit(facts_of(message), now)

    # --- both sides ---

    def adopt(self, setup: Setup) -> None:
        """Go by ``setup``: the client's own, or what an ephemeral token makes of it."""
        self._setup = setup
        self._manual_activity = has_manual_activity(setup)

    def _commit(self, facts: Iterable[Fact], now: float) -> None:
        """Advance by what this side sends: all of it is legal, or nothing changes."""
        progress = self._progress
        for fact in facts:
            if fact not in SENDABLE[progress.state]:
                name = progress.state.name
                raise LocalProtocolError(f"{fact.value} may not be sent while {name}.")
            progress = advance(progress, fact, now)
        self._progress = progress

    def _advance(self, fact: Fact, now: float) -> None:
        self._progress = advance(self._progress, fact, now)


def _refuse_wrong_activity(given: RealtimeInput, manual: bool) -> None:
    bounds = given.activity_start is not None or given.activity_end is not None
    if bounds and not manual:
        raise LocalProtocolError(EXPLICIT_ACTIVITY)
    if given.audio_stream_end and manual:
        raise LocalProtocolError("audioStreamEnd is for automatic activity detection only.")


def _refuse_unasked(message: ServerMessage, setup: Setup) -> None:
    # inputTranscription is not among these: transcription models send it without being asked
    content = message.server_content or NO_CONTENT
    asked = (
        (content.output_transcription, setup.output_audio_transcription, "outputTranscription"),
        (message.session_resumption_update, setup.session_resumption, "sessionResumptionUpdate"),
    )
    for sent, asked_for, name in asked:
        if sent is not None and asked_for is None:
            raise LocalProtocolError(f"{name} may not be sent: the setup did not ask for it.")
