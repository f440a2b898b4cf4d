"""What a client has sent and has no answer to yet, which a new connection gets again. Pure.

A transcript of sound that is sent again comes again, and would be shown twice: the words of it that
were told before are left out, up to the first that differs.
"""

import re
from collections import deque
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from live_cli.protocol import compose
from live_cli.protocol.events import InputTranscript
from live_cli.protocol.messages import ClientMessage

KEPT_MESSAGES: Final = 1500
"""How many sent messages wait for an answer at most: 30 s of sound."""
KEPT_WITH_SPEECH: Final = 6000
"""The same from where somebody began to speak: two minutes, more than anybody says in one go."""
_BEFORE_SPEECH: Final = 250
"""The messages that are kept from before speech was noticed: 5 s of sound."""
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
"""A word without its punctuation; of Chinese and Japanese, which have no spaces, a character."""


class UnansweredInput:
    """The messages that wait for an answer, the last `KEPT_MESSAGES`, or since somebody spoke more.

    ``keeps_images``: those of realtime input are what is asked about, each of them, and not a
    camera's, of which the newest tells all. ``asks_again``: what an answer that breaks off had
    answered waits for an answer again.
    """

    def __init__(self, *, keeps_images: bool, asks_again: bool) -> None:
        self._keeps_images = keeps_images
        self._may_ask_again = asks_again
        self.asks_again = False
        """Whether a question waits whose answer broke off."""
        self._waiting: deque[ClientMessage] = deque()
        self._speaks = False
        self._being_answered: list[ClientMessage] = []
        self._told: list[str] = []
        self._told_of_answered: list[str] = []
        self._told_again: deque[str] = deque()
        """The words of what is sent again, as far as they were told before."""

    def sent(self, message: ClientMessage) -> None:
        """Note a message that is to be answered; of a camera's images the newest is kept."""
        if is_image(message) and not self._keeps_images:
            self._waiting = deque(each for each in self._waiting if not is_image(each))
        self._waiting.append(message)
        if message.realtime_input is not None and message.realtime_input.activity_start is not None:
            self._speaks = True
        while len(self._waiting) > (KEPT_WITH_SPEECH if self._speaks else KEPT_MESSAGES):
            self._waiting.popleft()

    def spoke(self) -> None:
        """Note that the user speaks in what was sent last; the silence before is forgotten."""
        if self._speaks:
            return
        self._speaks = True
        sent = [*self._waiting]
        early, late = sent[:-_BEFORE_SPEECH], sent[-_BEFORE_SPEECH:]
        self._waiting = deque([*(each for each in early if not is_sound(each)), *late])

    def answer_begins(self) -> None:
        """Note that the model begins to answer all that was sent."""
        self._being_answered = [*self._waiting]
        self._told_of_answered = self._told
        self._forget_waiting()

    def answer_ends(self, *, all_heard: bool) -> None:
        """Note the end of a turn; ``all_heard``: of one that told nothing, about what was sent."""
        self._being_answered, self._told_of_answered = [], []
        if all_heard:
            self._forget_waiting()

    def lose_connection(self, *, turn_lost: bool) -> None:
        """Note that the connection is lost, and the answer under way with it or not."""
        told = [*self._told, *self._told_again]
        if turn_lost and self._may_ask_again:
            self.asks_again = True
            self._waiting.extendleft(reversed(self._being_answered))
            self._speaks = True
            told = self._told_of_answered + told
        self._being_answered, self._told_of_answered = [], []
        self._told, self._told_again = [], deque(told)

    def messages(self) -> list[ClientMessage]:
        """Return what a new connection is to get, as it can be understood there."""
        return _with_activity_start(self._waiting)

    def new_in(self, said: InputTranscript) -> InputTranscript | None:
        """Return what of a transcript was not told before the connection was lost; None: nothing.

        A preview is left out as long as words are to come again.
        """
        if said.interim:
            return None if self._told_again else said
        words = [*_WORD.finditer(said.text)]
        self._told += [word[0].casefold() for word in words]
        known = 0
        while known < len(words) and self._told_again:
            if words[known][0].casefold() != self._told_again.popleft():
                self._told_again.clear()
                break
            known += 1
        if not known:
            return said
        text = said.text[words[known - 1].end() :] if known < len(words) else ""
        return replace(said, text=text) if text or said.finished else None

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._speaks = self.asks_again = False
        self._told, self._told_again = [], deque()


def is_image(message: ClientMessage) -> bool:
    """Return whether a message is an image of realtime input."""
    return message.realtime_input is not None and message.realtime_input.video is not None


def is_sound(message: ClientMessage) -> bool:
    """Return whether a message is sound of realtime input."""
    return message.realtime_input is not None and message.realtime_input.audio is not None


def _with_activity_start(messages: Iterable[ClientMessage]) -> list[ClientMessage]:
    """Return ``messages``, after a start for an activity of which they hold the end alone."""
    inputs = (message.realtime_input for message in messages if message.realtime_input is not None)
    for given in inputs:
        if given.activity_start is not None:
            break
        if given.activity_end is not None:
            return [compose.activity_start(), *messages]
    return [*messages]
