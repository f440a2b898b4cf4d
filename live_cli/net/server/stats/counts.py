"""The interface for what a server counts, and the timer of a connection's answers. Pure."""

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
    """Counts what happens on a server's connections, one call for each."""

    def refuse(self, kind: str) -> None:
        """A connection or a request was refused; ``kind``: the label of `CloseReason`."""

    def open(self) -> None:
        """A connection was admitted."""

    def close(self, code: int) -> None:
        """An admitted connection ended with this close code."""

    def receive(self, size: int) -> None:
        """A payload of ``size`` bytes was received."""

    def send(self, size: int) -> None:
        """A payload of ``size`` bytes was sent."""

    def interrupt(self) -> None:
        """The user interrupted a turn."""

    def complete(self) -> None:
        """A turn was completed."""

    def answer(self, seconds: float) -> None:
        """An answer began ``seconds`` after the end of the user's input."""


class NoCounts:
    """Counts nothing: for servers without metrics."""

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
    """Times the answers of one connection from its events and messages. ``now`` in seconds.

    The end of the user's input is what ends it on the wire: typed text, turnComplete, activityEnd
    or audioStreamEnd. Under automatic activity detection the wire does not show it: the time begins
    when the engine begins a turn on receiving audio, after the silence that it waits for.
    """

    def __init__(self, counts: ServerCounts) -> None:
        self._counts = counts
        self._ended_at: float | None = None
        self._interrupted = False  # the turn before: its turnComplete is yet to come

    def note_event(self, event: Event, now: float) -> None:
        """Note an event of the client, which may be the end of the user's input."""
        match event:
            case TextReceived() | ActivityEnded() | AudioStreamEnded():
                self._ended_at = now
            case ContentReceived(_, turn_complete) if turn_complete:
                self._ended_at = now

    def note_turn(self, now: float) -> None:
        """Note that the engine has begun a turn on spoken input."""
        self._ended_at = now

    def note_message(self, message: ServerMessage, now: float) -> None:
        """Note a message to the client: the first with content is the start of the answer."""
        content = message.server_content
        if content is None:
            return
        if content.model_turn is not None and self._ended_at is not None:
            self._counts.answer(now - self._ended_at)
            self._ended_at = None
        if content.interrupted:
            self._counts.interrupt()
            self._interrupted = True
        if content.turn_complete:
            self._counts.complete()
            if not self._interrupted:
                self._ended_at = None  # the model chose silence
            self._interrupted = False
