"""A running conversation: microphone to server, server to speaker and face, keys to both.

All of it happens on the event loop; the devices' threads only hand things in.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from live_cli.audio.levels import SILENCE_DBFS, SpeechEndMeter
from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.commands.resume import tell_reconnected
from live_cli.commands.talk.ducking import Ducking
from live_cli.commands.talk.outbox import Outbox
from live_cli.commands.talk.playback_api import EchoSource, PlaybackDevice
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.protocol import compose, events
from live_cli.protocol.input_gate import PAUSE_MS, InputGate
from live_cli.protocol.messages import ClientMessage
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from live_cli.ui.session_stats import SessionStats
from live_cli.ui.view import Summary, TurnPlayback, View

TICK_S = 0.05
QUIET_S = 3.0
"""After the end of a file: so long without anything said or played, and the talk is over."""
REPLY_LIMIT_S = 60.0
"""After the end of a file: so long the answer to what was heard may take to begin."""

SentCallback = Callable[[bytes, float], None]
"""Gets the sound that goes to the server, PCM16 mono at 16 kHz, and when its last sample was
heard, on ``time.monotonic``. Called on the event loop: it may put it into a queue and no more."""


_OF_THE_LINE = (
    events.SessionOpened,
    events.GoingAway,
    events.ResumptionUpdated,
    events.Reconnecting,
    events.Reconnected,
)
"""What says nothing of the conversation."""


class Conversation:
    """One conversation. `run` ends when it is over, or raises why it broke."""

    def __init__(
        self,
        client: ResumingClient,
        face: View,
        mouth: PlaybackDevice,
        gate: InputGate,
        on_sent: SentCallback | None = None,
        *,
        content_interrupts: bool = False,
        echo: EchoSource | None = None,
    ) -> None:
        """``content_interrupts``: any `clientContent` interrupts the model."""
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._face = face
        self._mouth = mouth
        self._gate = gate
        self._on_sent = on_sent
        self._content_interrupts = content_interrupts
        self._echo = echo
        self._duck = Ducking()
        self._ducked = False
        self._outbox = Outbox()
        self._tally = SessionStats(self._loop.time())
        self._speech = SpeechEndMeter(INPUT_SAMPLE_RATE)
        self._model_turn = 0
        self._over = asyncio.Event()
        self._microphone_dbfs = SILENCE_DBFS
        self._heard_until = 0.0
        self._input_ended_at: float | None = None
        self._last_sign_at = self._loop.time()
        self._awaits_reply = False
        self._turn_open = False
        self._deaf_since: float | None = None
        self.closed: events.SessionClosed | None = None
        """How the connection ended, when it was not we who ended it."""

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

    def stop(self) -> None:
        """End the conversation now."""
        self._over.set()

    def summary(self, dropped_by_device: int, missed_frames: int) -> Summary:
        """What it came to; ``dropped_by_device``: microphone blocks that never reached us;
        ``missed_frames``: those of a time without a microphone."""
        played = self._mouth.snapshot()
        echo = self._echo.echo() if self._echo else None
        return replace(
            self._tally.summary(self._loop.time()),
            dropped_frames=self._outbox.dropped_frames + dropped_by_device,
            missed_frames=missed_frames,
            erle_db=round(echo.erle_db, 1) if echo and echo.erle_db is not None else None,
            echo_converged=echo.converged if echo else None,
            underruns=played.underruns,
            dry_ms=round(played.dry_ms, 1),
            start_delay_ms=round(played.mean_start_delay_ms, 1) if played.turns_started else None,
        )

    # --- the microphone ----------------------------------------------------------------------

    def hear(self, pcm16: bytes, level_dbfs: float, ends_at: float) -> None:
        """20 ms from the microphone, the last sample of which was heard ``ends_at``."""
        self._microphone_dbfs = level_dbfs
        self._heard_until = ends_at
        self._put(self._gate.frame(pcm16))
        if not self._gate.muted:
            self._note_speech(float_from_pcm16(pcm16))

    def _note_speech(self, samples: Samples) -> None:
        before = self._speech.last_speech_end
        self._speech.push(samples)
        ended = self._speech.last_speech_end
        if ended is not None and ended != before and not self._gate.manual:
            behind_s = (self._speech.samples_heard - ended) / INPUT_SAMPLE_RATE
            self._tally.input_ended(self._loop.time() - behind_s)

    def start_activity(self) -> None:
        """With push to talk: speech begins now, without a key."""
        self._put(self._gate.press())
        self._face.status(held=self._gate.held)

    def set_deaf(self, deaf: bool) -> None:
        """There is no microphone, or there is one again."""
        self._deaf_since = self._loop.time() if deaf else None
        if deaf:
            self._microphone_dbfs = SILENCE_DBFS

    def end_input(self) -> None:
        """The input is over for good: what is open is answered, then the talk ends."""
        if self._gate.held:
            self._tally.input_ended(self._loop.time())
        self._put(self._gate.end())
        self._input_ended_at = self._last_sign_at = self._loop.time()

    # --- the line ----------------------------------------------------------------------------

    def _put(self, messages: list[ClientMessage]) -> None:
        self._outbox.put(messages)
        if self._on_sent is None:
            return
        for message in messages:
            if message.realtime_input is not None and message.realtime_input.audio is not None:
                self._on_sent(message.realtime_input.audio.data, self._heard_until)

    async def _send(self) -> None:
        while True:
            await self._client.send(await self._outbox.take())

    async def _receive(self) -> None:
        async for event in self._client:
            self._handle(event)

    def _handle(self, event: events.Event) -> None:
        if not isinstance(event, _OF_THE_LINE):
            self._last_sign_at = self._loop.time()
        match event:
            case events.AudioChunk(turn, data, sample_rate):
                self._turn_open, self._awaits_reply, self._model_turn = True, False, turn
                self._mouth.play(turn, data, sample_rate)
            case events.TextChunk(turn):
                self._turn_open, self._awaits_reply, self._model_turn = True, False, turn
            case events.InputTranscript():
                self._awaits_reply = True
            case events.Interrupted(turn):
                self._mouth.interrupt(turn)
                self._duck.interrupted()
                self._tell_interrupted(event)
                return
            case events.GenerationComplete(turn):
                self._mouth.end_turn(turn)
            case events.TurnComplete(turn):
                self._turn_open = self._awaits_reply = False
                self._mouth.end_turn(turn)
                self._face.status(playback=self._playback_of(turn))
            case events.Reconnecting(lost):
                self._go_on_without(lost)
            case events.Reconnected(restored):
                tell_reconnected(self._face, restored)
            case events.SessionClosed():
                self.closed = event
            case _:
                pass
        if changes := self._tally.event(event, self._loop.time()):
            self._face.status(**changes)
        self._face.event(event)

    def _go_on_without(self, lost: events.SessionClosed) -> None:
        """What was said of an answer is played; its rest does not come."""
        if self._turn_open:
            self._mouth.end_turn(self._client.connection.turn)
        self._turn_open = self._awaits_reply = False
        self._face.status(connection="reconnecting")
        if lost.turn_lost:
            self._face.note("The rest of the answer is lost.")

    def _playback_of(self, turn: int) -> TurnPlayback | None:
        played = self._mouth.snapshot()
        fate = played.fates.get(turn)
        if fate is None or played.turn != turn:
            return None
        return TurnPlayback(played.heard_ms, fate.start_delay_ms, fate.underruns, fate.dry_ms)

    async def _until_over(self) -> None:
        await self._over.wait()

    async def _watch(self) -> None:
        """Show the levels, and notice the end of a talk from a file."""
        while not self._is_done():
            heard = self._mouth.snapshot()
            self._face.levels(
                self._microphone_dbfs, heard.level_dbfs, heard.playing, heard.heard_ms
            )
            self._face.status(dropped_frames=self._outbox.dropped_frames)
            if not heard.idle:
                self._last_sign_at = self._loop.time()
            self._note_deafness()
            self._note_echo()
            await asyncio.sleep(TICK_S)

    def _note_echo(self) -> None:
        """Turn the model down while the server makes up its mind about who speaks over it."""
        echo = self._echo.echo() if self._echo else None
        if self._echo is None or echo is None:
            return
        gate = self._gate
        sent = not gate.muted and (gate.held or not gate.manual)
        self._duck.note(echo.near_speech and sent, self._loop.time())
        if self._duck.low != self._ducked:
            self._ducked = self._duck.low
            self._echo.duck(self._ducked)
        self._face.status(erle_db=echo.erle_db, echo_converged=echo.converged)

    def _note_deafness(self) -> None:
        """What the server still holds of a sentence is answered: its end will not come."""
        since = self._deaf_since
        if since is not None and self._loop.time() - since >= PAUSE_MS / 1000:
            self._outbox.put(self._gate.pause())

    def _is_done(self) -> bool:
        if self._input_ended_at is None or self._turn_open:
            return False
        quiet_s = self._loop.time() - self._last_sign_at
        return quiet_s > (REPLY_LIMIT_S if self._awaits_reply else QUIET_S)

    # --- what keys do: see `talk_keys` -------------------------------------------------------

    @property
    def push_to_talk(self) -> bool:
        return self._gate.manual

    @property
    def held(self) -> bool:
        """The key gives us the floor."""
        return self._gate.held

    def toggle_mute(self) -> None:
        self._put(self._gate.set_muted(not self._gate.muted))
        self._face.status(muted=self._gate.muted, held=self._gate.held)

    def end_activity(self) -> None:
        """With push to talk: speech has ended."""
        self._put(self._gate.release())
        self._tally.input_ended(self._loop.time())
        self._face.status(held=self._gate.held)

    def interrupt_model(self) -> None:
        """Silence the model, without a word of ours.

        An empty `clientContent` is the one message that can interrupt and asks for nothing. A model
        that takes none in mid-session (3.1), or stops only for one that asks for an answer (3.8),
        is silenced here alone, and goes on generating unheard.
        """
        if not self._turn_open and self._mouth.snapshot().idle:
            return
        self._mouth.interrupt(self._model_turn)
        if self._turn_open and self._content_interrupts:
            self._outbox.put([compose.interruption()])
        self._tell_interrupted(events.Interrupted(self._model_turn))

    def _tell_interrupted(self, event: events.Interrupted) -> None:
        """Once for each turn, whoever was first."""
        if not self._tally.turns.is_late(event.turn):
            self._tally.event(event, self._loop.time())
            self._face.event(event)

    def send_line(self, text: str) -> None:
        """A line that was typed."""
        self._outbox.put([compose.text(text)])
        self._tally.input_ended(self._loop.time())
        self._face.sent(text)
