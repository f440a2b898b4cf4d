"""The gate between microphone and server: mute, push to talk, and pre-roll.

Pure: time is counted in frames. Each call returns the messages to send now, in order.

Automatic voice activity detection: every frame goes out. Muted, none does, and after a second of
it one ``audioStreamEnd`` tells the server to flush what it holds (the guide asks for this when a
stream pauses for more than a second); the next frame reopens the stream by itself.

Manual (push to talk): frames go out between ``activityStart`` and ``activityEnd`` only. The
server adds no look-back there, so the last 300 ms before the key are sent first: people start to
speak as they press.
"""

from collections import deque

from live_cli.protocol import compose
from live_cli.protocol.messages import ClientMessage
from live_cli.sample_rates import FRAME_MS

PREROLL_MS = 300
PAUSE_MS = 1000


class InputGate:
    """Makes messages of 20 ms frames of PCM16 at 16 kHz mono; ``manual``: push to talk."""

    def __init__(self, *, manual: bool) -> None:
        self.manual = manual
        self.muted = False
        self.held = False
        self._preroll: deque[bytes] = deque(maxlen=PREROLL_MS // FRAME_MS)
        self._muted_frames = 0
        self._stream_open = False

    def frame(self, pcm16: bytes) -> list[ClientMessage]:
        """Take one frame from the microphone."""
        if self.muted:
            return self._muted_frame()
        if self.manual and not self.held:
            self._preroll.append(pcm16)
            return []
        self._stream_open = True
        return [compose.audio(pcm16)]

    def _muted_frame(self) -> list[ClientMessage]:
        self._muted_frames += 1
        if self._muted_frames * FRAME_MS == PAUSE_MS:
            return self._end_stream()
        return []

    def _end_stream(self) -> list[ClientMessage]:
        if self.manual or not self._stream_open:
            return []
        self._stream_open = False
        return [compose.audio_stream_end()]

    def set_muted(self, muted: bool) -> list[ClientMessage]:
        """Mute or unmute; muting ends an activity that a key holds open."""
        messages = self.release() if muted else []
        self.muted = muted
        self._muted_frames = 0
        self._preroll.clear()
        return messages

    def press(self) -> list[ClientMessage]:
        """Start an activity with its pre-roll: the talk key went down."""
        if not self.manual or self.held or self.muted:
            return []
        self.held = True
        preroll = b"".join(self._preroll)
        self._preroll.clear()
        start = compose.activity_start()
        return [start, compose.audio(preroll)] if preroll else [start]

    def release(self) -> list[ClientMessage]:
        """End the activity, so that the model answers: the talk key came up."""
        if not self.held:
            return []
        self.held = False
        return [compose.activity_end()]

    def pause(self) -> list[ClientMessage]:
        """End the stream while no frames come; the next frame reopens it by itself."""
        return self._end_stream()

    def end(self) -> list[ClientMessage]:
        """End the input for good, as at the end of a file."""
        return self.release() or self._end_stream()
