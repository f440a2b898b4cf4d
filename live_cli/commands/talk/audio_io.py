"""The two ends of a conversation: microphone and speaker, or files in their place.

Their callbacks come from threads of their own; each is handed to the event loop.
"""

import asyncio
import contextlib
from collections.abc import Callable

from live_cli.audio.echo.canceller import EchoCanceller, EchoStats
from live_cli.audio.echo.half_duplex import HalfDuplex
from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.pcm import Samples
from live_cli.audio.playback.playout import Span
from live_cli.commands.talk.conversation import Conversation
from live_cli.devices.echo_bridge import EchoBridge
from live_cli.devices.file_ends import FileMicrophone, FileSpeaker
from live_cli.devices.microphone import Microphone
from live_cli.devices.playback import PlayedCallback
from live_cli.devices.speaker import Speaker
from live_cli.devices.supervisor import DeviceChange, DeviceSupervisor
from live_cli.errors import DeviceError, InputFileError, LiveError
from live_cli.sample_rates import FRAME_MS
from live_cli.settings.schema import TalkSettings
from live_cli.ui.view import DeviceNews, View

FILE_FORM = "Without sound: live-cli talk --input question.wav --output answer.wav"


class AudioIO:
    """Opens an ear and a mouth, and connects them to a conversation once there is one."""

    def __init__(
        self,
        options: TalkSettings,
        face: View,
        input_path: str | None,
        output_path: str | None,
        on_played: PlayedCallback | None = None,
        *,
        push_to_talk: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._face = face
        self._numbered = {
            role
            for role, device in (
                ("microphone", options.input_device),
                ("speaker", options.output_device),
            )
            if device is not None and device.isdecimal()
        }
        self._conversation: Conversation | None = None
        self._input_path = input_path
        self._told_dropped_ms = 0.0
        self._lost: LiveError | None = None
        self._echo_path: EchoBridge | None = None
        if input_path is None and output_path is None:
            self._echo_path = _echo_path(options, gated=not push_to_talk)
        self.mouth: Speaker | FileSpeaker = (
            Speaker(options.output_device, on_played=_both(self._echo_path, on_played))
            if output_path is None
            else FileSpeaker(output_path, self._tell_lost_file, on_played)
        )
        self.ear: Microphone | FileMicrophone = (
            Microphone(options.input_device, self._on_frame, echo_path=self._echo_path)
            if input_path is None
            else FileMicrophone(input_path, self._on_frame, self._on_end)
        )
        devices = [end for end in (self.ear, self.mouth) if isinstance(end, Microphone | Speaker)]
        self._supervisor = DeviceSupervisor(devices, self._on_device_change)

    async def open(self) -> None:
        """Open what needs no conversation. Raises DeviceError, InputFileError."""
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        if self._input_path not in (None, "-"):
            open_speech(self._input_path).close()  # a bad file is named before a model is asked
        try:
            self.mouth.start()
            if isinstance(self.ear, Microphone):
                self.ear.start()
        except DeviceError as exc:
            raise DeviceError(f"{exc} {FILE_FORM}") from exc
        self._supervisor.start()

    def connect(self, conversation: Conversation) -> None:
        """Let ``conversation`` hear; a file begins to speak now, all of it as one activity."""
        self._conversation = conversation
        if self._lost is not None:
            conversation.stop()
        if isinstance(self.ear, FileMicrophone):
            conversation.start_activity()
            self.ear.start()

    def disconnect(self) -> None:
        self._conversation = None

    def echo(self) -> EchoStats | None:
        """How echo cancellation is doing; None where there is none."""
        return self._echo_path.stats if self._echo_path else None

    def duck(self, low: bool) -> None:
        if isinstance(self.mouth, Speaker):
            self.mouth.duck(low)

    def close(self) -> None:
        self._supervisor.stop()
        self.ear.stop()
        self.mouth.stop()

    @property
    def error(self) -> LiveError | None:
        """Why one of the two could not be used to the end."""
        if self._lost is not None:
            return self._lost
        return self.ear.error if isinstance(self.ear, FileMicrophone) else None

    def _on_frame(self, pcm16: bytes, level_dbfs: float, ends_at: float) -> None:
        self._in_loop(lambda: self._hear(pcm16, level_dbfs, ends_at))

    def _hear(self, pcm16: bytes, level_dbfs: float, ends_at: float) -> None:
        if self._conversation is not None:
            self._conversation.hear(pcm16, level_dbfs, ends_at)

    def _on_end(self) -> None:
        self._in_loop(self._end_input)

    def _end_input(self) -> None:
        if isinstance(self.ear, FileMicrophone) and self.ear.warning:
            self._face.note(self.ear.warning)
        if self._conversation is not None:
            self._conversation.end_input()

    def _on_device_change(self, change: DeviceChange) -> None:
        self._in_loop(lambda: self._tell_device_change(change))

    def _tell_device_change(self, change: DeviceChange) -> None:
        hears = change.role == "microphone"
        if hears and self._conversation is not None and change.state in ("lost", "back"):
            self._conversation.set_deaf(change.state == "lost")
        if change.state == "open" and change.role in self._numbered:
            self._face.note(change.message)
        if change.role == "speaker" and change.state == "back":
            self._tell_dropped()
        self._face.device(
            DeviceNews(
                role=change.role,
                state=change.state,
                name=change.name,
                message=change.message,
                away_s=round(change.away_s, 3),
                missed_frames=round(change.away_s * 1000 / FRAME_MS) if hears else 0,
            )
        )

    def _tell_dropped(self) -> None:
        if isinstance(self.mouth, Speaker) and self.mouth.dropped_ms > self._told_dropped_ms:
            seconds = (self.mouth.dropped_ms - self._told_dropped_ms) / 1000
            self._told_dropped_ms = self.mouth.dropped_ms
            self._face.note(f"Of the answer {seconds:.1f} s were dropped: they came too long ago.")

    def _tell_lost_file(self, reason: str) -> None:
        self._in_loop(lambda: self._lose_file(reason))

    def _lose_file(self, reason: str) -> None:
        nobody_listens = isinstance(self.mouth, FileSpeaker) and self.mouth.pipe_closed
        self._stop(None if nobody_listens else InputFileError(reason))

    def _stop(self, error: LiveError | None) -> None:
        self._lost = self._lost or error
        if self._conversation is not None:
            self._conversation.stop()

    def _in_loop(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(act)


def _echo_path(options: TalkSettings, *, gated: bool) -> EchoBridge | None:
    """Between two devices; a file hears no speaker."""
    if options.half_duplex:
        return EchoBridge(HalfDuplex)
    if options.echo_cancel:
        return EchoBridge(lambda: EchoCanceller(gated=gated))
    return None


def _both(echo_path: EchoBridge | None, on_played: PlayedCallback | None) -> PlayedCallback | None:
    if echo_path is None or on_played is None:
        return on_played if echo_path is None else echo_path.note_played
    path, record = echo_path, on_played

    def tell(block: Samples, at: float, spans: tuple[Span, ...]) -> None:
        path.note_played(block, at, spans)
        record(block, at, spans)

    return tell
