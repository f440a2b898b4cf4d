"""The running conversation of `text`: questions, each with its pictures, and their answers.

It outlives its connections: where one breaks within an answer, the question is asked again over the
next. A reply that may come twice in that way streams to a terminal alone, where its first half can
be marked; a pipe and a sound file get it once it is whole.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from live_cli.commands.connect import RunningServer
from live_cli.commands.resume import may_resume, tell_reconnected
from live_cli.commands.text.chat_calls import ChatCalls
from live_cli.commands.text.input_size import InputSize
from live_cli.commands.text.questions import Question
from live_cli.commands.text.unseen import UnseenPictures
from live_cli.commands.unspoken import UnspokenAnswers
from live_cli.errors import EngineError, InputFileError, LiveError, SessionError
from live_cli.net.client.resuming_client import IMAGE_INTERVAL_S, ResumingClient
from live_cli.plan.plan import SessionPlan
from live_cli.plan.typed_input import question_messages
from live_cli.prices import Prices
from live_cli.protocol import compose
from live_cli.protocol.events import (
    AudioChunk,
    Event,
    OutputTranscript,
    Reconnected,
    Reconnecting,
    SessionClosed,
    TextChunk,
    TurnComplete,
)
from live_cli.protocol.messages import Content
from live_cli.streams import is_terminal
from live_cli.ui.session_stats import SessionStats
from live_cli.ui.view import ImageStatus, Summary, View

if TYPE_CHECKING:
    from live_cli.commands.text.answer_sound import AnswerSound

_LOOK_EVERY_S = 0.1
"""How soon it is noticed that a call is over which nothing follows."""
_MOST_NAMED = 10
"""Lines of a batch that one sentence names."""


class Chat:
    """Questions and answers over one session, which begins with ``history``.

    ``writer`` takes the sound of the answers.
    """

    def __init__(
        self,
        server: RunningServer,
        client: ResumingClient,
        view: View,
        plan: SessionPlan,
        writer: "AnswerSound | None",
        history: list[Content],
        prices: Prices | None,
        calls: ChatCalls,
    ) -> None:
        self._server = server
        self._client = client
        self._view = view
        self._size = InputSize(server.address, plan)
        self._not_sent: list[int] = []
        self._plan = plan
        self._writer = writer
        self._unspoken = UnspokenAnswers(latin_only=server.is_ours and plan.latin_voice)
        self._unseen = UnseenPictures()
        self._is_watched = is_terminal(sys.stderr)
        self._holds_sound = may_resume(plan)
        self._sound: list[bytes] = []
        self._history = history
        self._calls = calls
        self._clock = asyncio.get_running_loop().time
        self._next_image_at = self._clock()
        self._stats = SessionStats(self._clock(), prices)
        self._receiving: asyncio.Future[Event] | None = None
        self._asks_again = False
        """Whether the answer under way broke off, so that its question is to be asked again."""
        self._lost_while_idle: Reconnecting | SessionClosed | None = None

    async def send_history(self) -> None:
        """Send earlier turns, to be answered only with the first question."""
        if self._history:
            # a model that takes turns only as initial history is told where that ends
            ends = self._plan.model.client_content == "initial"
            await self._client.send(compose.turns(self._history, turn_complete=ends))

    async def begin(self, first: str | None) -> None:
        """Let the model begin, where there is something to say to it first."""
        if first is not None:
            await self._ask(Question(first), show=False)

    async def answer_all(self, asked: AsyncIterator[Question]) -> None:
        """Show the answer to each question. Raises SessionError at the first that gets none.

        One that the model cannot take is not sent: that is said, and raises InputFileError at the
        end of a pipe, or where there is no other.
        """
        while (question := await self._next_question(asked)) is not None:
            if not await self._can_be_sent(question):
                continue
            try:
                await self._ask(question)
            except LiveError as exc:
                if question.line is None:
                    raise
                raise SessionError(
                    f"Line {question.line} of the input is the first without a whole answer: {exc}"
                ) from exc
        if self._not_sent:
            lines = ", ".join(map(str, self._not_sent[:_MOST_NAMED]))
            more = ", …" if len(self._not_sent) > _MOST_NAMED else ""
            raise InputFileError(
                f"Lines of the input that were too long to be sent: {lines}{more}. All others were."
            )

    async def _can_be_sent(self, question: Question) -> bool:
        """Return whether the model takes ``question``; it is said where it does not.

        Raises InputFileError where there is no other question.
        """
        try:
            await self._size.refuse_too_long(question.text)
        except InputFileError as exc:
            if question.is_only:
                raise
            if question.line is None:
                self._view.error(str(exc))
            else:
                self._not_sent.append(question.line)
                self._view.error(f"Line {question.line} was not sent. {exc}")
            return False
        return True

    async def _next_question(self, asked: AsyncIterator[Question]) -> Question | None:
        """Wait for the next question; what the server sends meanwhile is shown.

        A connection that ends meanwhile is made anew when there is something to say again.
        """
        reading = asyncio.ensure_future(anext(asked, None))
        try:
            while not reading.done():
                if self._lost_while_idle is not None or not self._client.is_connected:
                    return await reading
                receiving = self._receive()
                await asyncio.wait((reading, receiving), return_when=asyncio.FIRST_COMPLETED)
                if receiving.done():
                    event = await self._next_event()
                    if isinstance(event, Reconnecting | SessionClosed):
                        self._lost_while_idle = event
                    else:
                        self._show(event)
            return reading.result()
        finally:
            reading.cancel()

    async def _ask(self, question: Question, *, show: bool = True) -> None:
        """Send a message and show the whole answer. Raises SessionError where there is none."""
        self._stats.waits.asked(self._clock())
        if self._lost_while_idle is not None:
            lost, self._lost_while_idle = self._lost_while_idle, None
            await self._handle(lost)
        while not self._client.is_connected:
            await self._handle(await self._next_event())
        if show:
            self._tell_sent(question)
        await self._send(question)
        begun = self._asks_again = False
        while True:
            event = await self._next_event()
            await self._handle(event)
            match event:
                case AudioChunk() | TextChunk() | OutputTranscript():
                    begun = True
                case TurnComplete(more_follows=False):
                    if not await self._another_turn_comes():
                        return
                case Reconnecting(lost) if begun and not lost.turn_lost:
                    return  # all of the answer has come, only its end has not
                case Reconnecting():
                    # a question of which nothing is answered is sent again by the client
                    self._asks_again, begun = begun, False
                case Reconnected(restored) if self._asks_again:
                    if not restored:
                        await self.send_history()
                    await self._send(question)
                    self._asks_again = False
                case _:
                    pass

    async def _another_turn_comes(self) -> bool:
        """Wait for what follows a turn, where a call is open or its result is still to be told."""
        while (limit_s := self._calls.turn_limit_s()) != 0:
            wait_s = _LOOK_EVERY_S if limit_s is None else limit_s
            if (await asyncio.wait((self._receive(),), timeout=wait_s))[0]:
                return True
            if limit_s is not None:
                break
        return False

    def _tell_sent(self, question: Question) -> None:
        self._view.sent(question.text)
        self._unseen.shown(len(question.pictures))
        for picture in question.pictures:
            self._view.images(ImageStatus("file", picture.name, "off", image=picture.sent))
            if self._is_watched:
                self._view.note(f"Picture sent: {picture.told}")

    async def _send(self, question: Question) -> None:
        model, pictures = self._plan.model, [each.encoded for each in question.pictures]
        for message in question_messages(model, question.text, pictures):
            if message.realtime_input is not None and message.realtime_input.video is not None:
                await asyncio.sleep(self._next_image_at - self._clock())
                self._next_image_at = self._clock() + IMAGE_INTERVAL_S
            await self._client.send(message)

    # --- receiving ---

    def _receive(self) -> "asyncio.Future[Event]":
        """Return the reception of the next event, which goes on while something else is awaited."""
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(anext(self._client))
        return self._receiving

    async def _next_event(self) -> Event:
        receiving = self._receive()
        await asyncio.wait((receiving,))
        self._receiving = None
        return receiving.result()

    async def stop_receiving(self) -> None:
        """Let somebody else receive from now on."""
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait((self._receiving,))

    async def _handle(self, event: Event) -> None:
        """Show an event, and do what it asks for. Raises SessionError at the session's end."""
        self._show(event)
        match event:
            case TurnComplete():
                self._write_sound()
            case Reconnecting(lost):
                self._view.status(connection="reconnecting")
                if lost.turn_lost:
                    self._sound.clear()
                self._write_sound()
            case Reconnected(restored):
                tell_reconnected(self._view, restored)
            case SessionClosed():
                raise await self._server.lost(event, self._client.gave_up)
            case _:
                pass

    def _show(self, event: Event) -> None:
        if changes := self._stats.event(event, self._clock()):
            self._view.status(**changes)
        self._view.event(event)
        if not (isinstance(event, Reconnected) and self._asks_again):
            self._calls.handle(event)  # else the question may bring the calls again
        if self._writer is not None and (missed := self._unspoken.event(event)):
            self._view.note(missed)
        if unseen := self._unseen.event(event):
            self._view.note(unseen)
        if isinstance(event, AudioChunk) and self._writer is not None:
            self._sound.append(event.data)
            if not self._holds_sound:
                self._write_sound()

    def _write_sound(self) -> None:
        if self._writer is not None:
            for data in self._sound:
                self._writer.write_pcm16(data)
        self._sound.clear()

    def refuse_silence(self) -> None:
        """Raise EngineError where answers were to be kept as sound, and none was spoken."""
        if self._writer is not None and self._writer.is_empty and self._unspoken.missed:
            raise EngineError(f"There was no sound to write into {self._writer.name}.")

    def summary(self) -> Summary:
        return self._stats.summary(self._clock())
