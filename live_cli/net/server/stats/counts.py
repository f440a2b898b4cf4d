"""What a server counts, and what a connection sees of its turns. Pure."""

from typing import Protocol

from live_cli.protocol.events import (
    ActivityEnded,
    AudioStreamEnded,
    ContentReceived,
    Event,
    TextReceived,
)
from live_cli.protocol.messages import ServerMessage


class ServerCounts(Protocol):
    """Where connections tell what happens."""

    def refuse(self, kind: str) -> None:
        """A connection was not let in; ``kind``: a word for why."""

    def open(self) -> None:
        """A session began."""

    def close(self, code: int) -> None:
        """A session ended with this close code."""

    def receive(self, size: int) -> None:
        """A message of ``size`` bytes came."""

    def send(self, size: int) -> None:
        """A message of ``size`` bytes went."""

    def interrupt(self) -> None:
        """The user cut a turn off."""

    def complete(self) -> None:
        """A turn is over."""

    def answer(self, seconds: float) -> None:
        """So long it took from the end of the input to the first of the answer."""


class NoCounts:
    """Counts nothing: for a server that nobody watches."""

    def refuse(self, kind: str) -> None:
        pass

    def open(self) -> None:
        pass

    def close(self, code: int) -> None:
        pass

    def receive(self, size: int) -> None:
        pass

    def send(self, size: int) -> None:
        pass

    def interrupt(self) -> None:
        pass

    def complete(self) -> None:
        pass

    def answer(self, seconds: float) -> None:
        pass


class AnswerTimer:
    """Times the answers of one connection, as they pass by. ``now`` in seconds.

    The end of the input is what ends it on the wire: typed text, turnComplete, activityEnd or
    audioStreamEnd. Under automatic activity detection it is when the session, on hearing one more
    piece of sound, begins a turn of its own: the silence before that is not in it.
    """

    def __init__(self, meter: ServerCounts) -> None:
        self._meter = meter
        self._ended_at: float | None = None
        self._cut_off = False  # the turn before: its turnComplete is yet to come

    def hear(self, event: Event, now: float) -> None:
        match event:
            case TextReceived() | ActivityEnded() | AudioStreamEnded():
                self._ended_at = now
            case ContentReceived(_, turn_complete) if turn_complete:
                self._ended_at = now

    def begin(self, now: float) -> None:
        """The session took what was spoken for a turn."""
        self._ended_at = now

    def say(self, message: ServerMessage, now: float) -> None:
        content = message.server_content
        if content is None:
            return
        if content.model_turn is not None and self._ended_at is not None:
            self._meter.answer(now - self._ended_at)
            self._ended_at = None
        if content.interrupted:
            self._meter.interrupt()
            self._cut_off = True
        if content.turn_complete:
            self._meter.complete()
            if not self._cut_off:
                self._ended_at = None  # the model chose silence
            self._cut_off = False
