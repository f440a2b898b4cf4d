"""The microphone's way up in a conversation: frames and keys in, messages into the outbox.

Everything happens on the event loop; the device's callback is scheduled onto it.
"""

from collections.abc import Callable

from live_cli.audio.levels import SILENCE_DBFS, SpeechRuns
from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.commands.talk.outbox import Outbox
from live_cli.commands.talk.playback_api import PlaybackDevice
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.protocol.input_gate import PAUSE_MS, InputGate
from live_cli.protocol.messages import ClientMessage
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from live_cli.ui.view import View
from live_cli.ui.waiting_times import WaitingTimes

SPEECH_S = 0.3
"""Speech-like energy that lasts so long is taken for speech, to which an answer is awaited: knocks
and keys are shorter."""

SentCallback = Callable[[bytes, float], None]
"""Gets the sound that goes to the server, PCM16 mono at 16 kHz, and when its last sample was
captured, on ``time.monotonic``. Called on the event loop: it may put the sound into a queue and no
more."""


class MicrophoneInput:
    """Decides what of the microphone is sent: by mute, by the key of push to talk, by `InputGate`.

    ``waits`` is told where the user's speech ends, ``on_speech`` when some begins that is sent.
    ``hears_only_user``: no echo can be in the sound, as in that of a file. ``clock``: the event
    loop's time in seconds.
    """

    def __init__(
        self,
        gate: InputGate,
        outbox: Outbox,
        client: ResumingClient,
        playback: PlaybackDevice,
        view: View,
        waits: WaitingTimes,
        clock: Callable[[], float],
        on_sent: SentCallback | None = None,
        on_speech: Callable[[], None] = lambda: None,
        *,
        hears_only_user: bool = False,
    ) -> None:
        self._gate = gate
        self._outbox = outbox
        self._client = client
        self._playback = playback
        self._view = view
        self._waits = waits
        self._clock = clock
        self._on_sent = on_sent
        self._on_speech = on_speech
        self._run_began: float | None = None
        self._hears_only_user = hears_only_user
        self._speech = SpeechRuns(INPUT_SAMPLE_RATE)
        self._captured_until = 0.0
        self._heard_from = 0.0
        self._held_since = 0.0
        self._lost_at: float | None = None
        self.level_dbfs = SILENCE_DBFS

    @property
    def push_to_talk(self) -> bool:
        """Return whether a key opens the microphone, and no voice activity detection."""
        return self._gate.manual

    @property
    def held(self) -> bool:
        """Push to talk: whether the microphone is open now."""
        return self._gate.held

    @property
    def is_sent(self) -> bool:
        """Return whether what the microphone hears now is sent."""
        return not self._gate.muted and (self._gate.held or not self._gate.manual)

    def take_frame(self, pcm16: bytes, level_dbfs: float, ends_at: float) -> None:
        """Take a frame, the last sample of which was captured ``ends_at``."""
        self.level_dbfs = level_dbfs
        self._captured_until = ends_at
        if self._clock() < self._heard_from:
            pcm16 = bytes(len(pcm16))
        self._put(self._gate.frame(pcm16))
        if not self._gate.muted:
            self._note_speech(float_from_pcm16(pcm16))

    def silence_until(self, time: float) -> None:
        """Send silence in place of what the microphone hears until then."""
        self._heard_from = time

    def toggle_mute(self) -> None:
        """Mute the microphone, or unmute it."""
        self._put(self._gate.set_muted(not self._gate.muted))
        self._view.status(muted=self._gate.muted, held=self._gate.held)

    def start_activity(self) -> None:
        """With push to talk: open the microphone, by a key or at the start of a file."""
        self._held_since = self._clock()
        self._put(self._gate.press())
        if self._gate.manual:
            self._on_speech()
        self._view.status(held=self._gate.held)

    def end_activity(self) -> None:
        """With push to talk: close the microphone."""
        self._note_released()
        self._put(self._gate.release())
        self._view.status(held=self._gate.held)

    def end(self) -> None:
        """End the sound for good, as at the end of a file."""
        self._note_released()
        self._put(self._gate.end())

    def set_lost(self, lost: bool) -> None:
        """Note that the device has been lost, or is back."""
        self._lost_at = self._clock() if lost else None
        if lost:
            self.level_dbfs = SILENCE_DBFS

    def end_lost_speech(self) -> None:
        """End the stream once the device is away for long, so that the server answers."""
        if self._lost_at is not None and self._clock() - self._lost_at >= PAUSE_MS / 1000:
            self._outbox.put(self._gate.pause())

    def _put(self, messages: list[ClientMessage]) -> None:
        self._outbox.put(messages)
        if self._on_sent is None:
            return
        for message in messages:
            if message.realtime_input is not None and message.realtime_input.audio is not None:
                self._on_sent(message.realtime_input.audio.data, self._captured_until)

    def _note_speech(self, samples: Samples) -> None:
        before = self._speech.burst
        self._speech.push(samples, self._captured_until - samples.size / INPUT_SAMPLE_RATE)
        run, burst = self._speech.last, self._speech.burst
        if run is None or burst is None or burst == before:
            return
        if self._gate.held or not self._gate.manual:
            over_answer = self._hears_only_user and self._playback.snapshot().playing
            self._waits.spoke(*burst, over_answer=over_answer)
        if self._gate.manual:
            return
        began, ended = run
        if ended - began < SPEECH_S:
            return
        if began != self._run_began:
            self._run_began = began
            self._on_speech()
        # what is heard while the model plays may be its echo
        if self._playback.snapshot().idle:
            self._client.note_speech(ended)

    def _note_released(self) -> None:
        """With push to talk: a key that is released asks, where nothing was said while it was held.

        What was said has been noted; its end is where waiting begins, and not the key.
        """
        burst = self._speech.burst
        if self._gate.held and (burst is None or burst[1] < self._held_since):
            self._waits.asked(self._clock())
