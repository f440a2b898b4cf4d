"""A running conversation: microphone to server, server to speaker and view, keys to both.

Everything happens on the event loop; the callbacks of device threads are scheduled onto it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from live_cli.commands.resume import tell_reconnected
from live_cli.commands.talk.ducking import Ducking
from live_cli.commands.talk.microphone_input import MicrophoneInput, SentCallback
from live_cli.commands.talk.outbox import Outbox
from live_cli.commands.talk.playback_api import PlaybackDevice
from live_cli.commands.unspoken import UnspokenAnswers
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.prices import Prices
from live_cli.protocol import compose, events
from live_cli.protocol.input_gate import InputGate
from live_cli.protocol.messages import ClientMessage
from live_cli.ui.session_stats import SessionStats
from live_cli.ui.view import Summary, TurnPlayback, View

if TYPE_CHECKING:
    from live_cli.commands.talk.image_sender import ImageSender
    from live_cli.devices.echo_bridge import EchoBridge
    from live_cli.tools.consent import ConsentAnswer
    from live_cli.tools.runner import ToolRunner

TICK_S = 0.05
QUIET_S = 3.0
"""After the end of a file: the talk is over once nothing was said or played for so long."""
REPLY_LIMIT_S = 60.0
"""After the end of a file: so long the answer to a question may take to begin, or to go on."""
READING_S = 0.3
"""Nobody reads a question, and finds the key that answers it, in less."""
FIRST_WORDS_S = 1.0
"""From the first sound of an answer that the model began with: so long nothing interrupts it."""

_CONNECTION_EVENTS = (
    events.SessionOpened,
    events.GoingAway,
    events.ResumptionUpdated,
    events.Stalled,
    events.Reconnecting,
    events.Reconnected,
)
"""Events of the connection: no sign that the user or the model speaks."""


class Conversation:
    """One conversation: `run` returns at its end, or raises the error that broke it off."""

    def __init__(
        self,
        client: ResumingClient,
        view: View,
        playback: PlaybackDevice,
        gate: InputGate,
        on_sent: SentCallback | None = None,
        outbox: Outbox | None = None,
        *,
        content_interrupts: bool = False,
        echo: "EchoBridge | None" = None,
        tools: "Callable[[Callable[[ClientMessage], None]], ToolRunner] | None" = None,
        prices: Prices | None = None,
        latin_voice: bool = False,
        hears_only_user: bool = False,
        images: "ImageSender | None" = None,
    ) -> None:
        """``content_interrupts``: any `clientContent` interrupts the model. ``echo``: how echo
        cancellation is doing, where there is any; the model is then ducked by `playback`.
        ``tools``: makes what answers the model's calls, of what takes its messages.
        ``latin_voice``: the model's voice speaks Latin letters alone.
        ``hears_only_user``: no echo can be in the microphone's sound, as in that of a file.
        ``outbox``: what is to be sent, where others put messages into it too.
        ``images``: what sends images into it."""
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._view = view
        self._playback = playback
        self._content_interrupts = content_interrupts
        self._echo = echo
        self._unspoken = UnspokenAnswers(latin_only=latin_voice)
        self._ducking = Ducking()
        self._ducked = False
        self._outbox = Outbox() if outbox is None else outbox
        self._images = images
        self._begins = False
        self._runner = tools(lambda message: self._outbox.put([message])) if tools else None
        self._stats = SessionStats(self._loop.time(), prices, plays=True)
        self.microphone = MicrophoneInput(
            gate, self._outbox, client, playback, view, self._stats.waits, self._loop.time, on_sent,
            images.note_speech if images is not None else lambda: None,
            hears_only_user=hears_only_user,
        )  # fmt: skip
        self._model_turn = 0
        self._over = asyncio.Event()
        self._input_ended_at: float | None = None
        self._last_activity_at = self._loop.time()
        self._awaits_reply = False
        self._turn_open = False
        self.closed: events.SessionClosed | None = None
        """The end of the connection, where the server or the network ended it."""
        self.unanswered_s: float | None = None
        """For how long the server was silent at the end of the input; None: it answered."""
        self._stalled = False

    async def run(self) -> None:
        """Talk until `stop`, the end of the input, or the end of the connection."""
        parts: tuple[Coroutine[Any, Any, None], ...] = (
            self._send(),
            self._receive(),
            self._watch(),
        )
        tasks = [asyncio.create_task(part) for part in (*parts, self._until_over())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, message: ClientMessage) -> None:
        """Let the model begin, with a message that asks for its first words.

        The noise of the room does not interrupt them within their first second.
        """
        self._begins = True
        self._outbox.put([message])

    def stop(self) -> None:
        """End the conversation now."""
        self._over.set()

    def summary(self, dropped_by_device: int, missed_frames: int) -> Summary:
        """Return the figures of the conversation.

        ``dropped_by_device``: microphone blocks lost before they reached the event loop;
        ``missed_frames``: frames of the time without a microphone.
        """
        played = self._playback.snapshot()
        self._note_sounds()
        echo = self._echo.stats if self._echo else None
        return replace(
            self._stats.summary(self._loop.time()),
            dropped_frames=self._outbox.dropped_frames + dropped_by_device,
            missed_frames=missed_frames,
            erle_db=round(echo.erle_db, 1) if echo and echo.erle_db is not None else None,
            echo_converged=echo.converged if echo else None,
            underruns=played.underruns,
            dry_ms=round(played.dry_ms, 1),
            start_delay_ms=round(played.mean_start_delay_ms, 1) if played.turns_started else None,
        )

    def end_input(self) -> None:
        """End the input for good: the open question is answered, then the talk ends."""
        self.microphone.end()
        self._input_ended_at = self._last_activity_at = self._loop.time()

    # --- the connection ----------------------------------------------------------------------

    async def _send(self) -> None:
        while True:
            await self._client.send(await self._outbox.take())

    async def _receive(self) -> None:
        async for event in self._client:
            self._handle(event)

    def _handle(self, event: events.Event) -> None:
        if not isinstance(event, _CONNECTION_EVENTS):
            self._last_activity_at = self._loop.time()
            self._stalled = False
        match event:
            case events.AudioChunk(turn, data, sample_rate):
                if self._begins:
                    self._begins = False
                    self.microphone.silence_until(self._loop.time() + FIRST_WORDS_S)
                self._turn_open, self._awaits_reply, self._model_turn = True, False, turn
                self._playback.play(turn, data, sample_rate)
            case events.TextChunk(turn):
                self._turn_open, self._awaits_reply, self._model_turn = True, False, turn
            case events.InputTranscript():
                self._awaits_reply = True
            case events.Interrupted(turn):
                self._playback.interrupt(turn)
                self._ducking.interrupted()
                self._tell_interrupted(event)
                return
            case events.GenerationComplete(turn):
                self._playback.end_turn(turn)
            case events.TurnComplete(turn):
                self._turn_open = self._awaits_reply = False
                self._playback.end_turn(turn)
                self._note_sounds()
                self._view.status(playback=self._turn_playback(turn))
            case events.Stalled():
                self._stalled = True
            case events.Reconnecting(lost):
                self._outbox.drop_results()
                self._outbox.hold_image(True)
                self._go_on_without(lost)
            case events.Reconnected(restored):
                self._last_activity_at = self._loop.time()
                tell_reconnected(self._view, restored)
                self._outbox.hold_image(False)
                if self._images is not None:
                    self._images.forget()
            case events.SessionClosed():
                self.closed = event
            case _:
                pass
        if changes := self._stats.event(event, self._loop.time()):
            self._view.status(**changes)
        self._view.event(event)
        if missed := self._unspoken.event(event):
            self._view.note(missed)
        if self._runner is not None:
            self._runner.handle(event)

    def _go_on_without(self, lost: events.SessionClosed) -> None:
        """Play what has come of the answer, since its rest is lost with the connection."""
        if self._turn_open:
            self._playback.end_turn(self._client.connection.turn)
        self._turn_open = self._stalled = False
        self._awaits_reply = lost.turn_lost  # whose question the client sends again
        self._view.status(connection="reconnecting")
        if lost.turn_lost:
            self._view.note("The rest of the answer is lost: the question is asked again.")

    def _turn_playback(self, turn: int) -> TurnPlayback | None:
        played = self._playback.snapshot()
        outcome = played.outcomes.get(turn)
        if outcome is None or played.turn != turn:
            return None
        return TurnPlayback(
            played.heard_ms, outcome.start_delay_ms, outcome.underruns, outcome.dry_ms
        )

    async def _until_over(self) -> None:
        await self._over.wait()

    async def _watch(self) -> None:
        """Show the levels until a talk from a file is over."""
        while not self._is_done():
            played = self._playback.snapshot()
            self._view.levels(
                self.microphone.level_dbfs, played.level_dbfs, played.playing, played.heard_ms
            )
            self._view.status(dropped_frames=self._outbox.dropped_frames)
            if not played.idle or (self._runner is not None and self._runner.is_busy):
                self._last_activity_at = self._loop.time()
            self._note_sounds()
            self.microphone.end_lost_speech()
            self._note_echo()
            await asyncio.sleep(TICK_S)
        if self._stalled or self._is_unanswered:
            self.unanswered_s = self._quiet_s

    def _note_sounds(self) -> None:
        """Show how long the user waited for a turn, once it is heard."""
        if changes := self._stats.sounded(self._playback.snapshot().sounded_at):
            self._view.status(**changes)

    def _note_echo(self) -> None:
        """Show how echo cancellation is doing; duck the model while the user speaks over it."""
        if self._echo is None:
            return
        echo = self._echo.stats
        speaks = echo.near_speech and self.microphone.is_sent
        if speaks and self._playback.snapshot().playing:
            self._stats.waits.spoken_over()
        self._ducking.note(speaks, self._loop.time())
        if self._ducking.low != self._ducked:
            self._ducked = self._ducking.low
            self._playback.duck(self._ducked)
        self._view.status(erle_db=echo.erle_db, echo_converged=echo.converged)

    def _is_done(self) -> bool:
        if self._input_ended_at is None or not self._client.is_connected:
            return False
        waits = self._awaits_reply or self._is_unanswered or self._stalled
        return self._quiet_s > (REPLY_LIMIT_S if waits else QUIET_S)

    @property
    def _quiet_s(self) -> float:
        return self._loop.time() - self._last_activity_at

    @property
    def _is_unanswered(self) -> bool:
        return self._turn_open or self._client.awaits_answer

    # --- what keys do: see `keymap` ----------------------------------------------------------

    @property
    def asks(self) -> bool:
        """Return whether the user is asked if a tool may run."""
        return self._runner is not None and self._runner.asking is not None

    def answer(self, answer: "ConsentAnswer") -> None:
        """Answer the question whether a tool may run."""
        if self._runner is not None:
            self._runner.answer(answer, reading_s=READING_S)

    def interrupt_model(self) -> None:
        """Silence the model and ask for nothing.

        A `clientContent` is the one message that can interrupt and asks for nothing. A model that
        takes none in mid-session (3.1), or stops only for one that asks for an answer (3.8), is
        silenced here alone, and goes on generating unheard.
        """
        if not self._turn_open and self._playback.snapshot().idle:
            return
        self._playback.interrupt(self._model_turn)
        self._client.note_silenced()
        if self._turn_open and self._content_interrupts:
            self._outbox.put([compose.interruption()])
        self._tell_interrupted(events.Interrupted(self._model_turn))

    def _tell_interrupted(self, event: events.Interrupted) -> None:
        """Show and count an interruption, once a turn: a key may have come before the server."""
        if not self._stats.turns.is_late(event.turn):
            self._stats.event(event, self._loop.time())
            self._view.event(event)

    def send_line(self, text: str) -> None:
        """Send a line that was typed."""
        self._outbox.put([compose.text(text)])
        self._stats.waits.asked(self._loop.time())
        self._view.sent(text)
