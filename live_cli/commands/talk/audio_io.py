"""The sound of a talk, in and out: microphone and speaker, or files in their place.

The callbacks of the devices run in threads of their own; each is scheduled onto the event loop.
"""

import asyncio
import contextlib
from collections.abc import Callable

from live_cli.audio.echo.canceller import EchoCanceller
from live_cli.audio.echo.half_duplex import HalfDuplex
from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.noise.denoiser import DeepFilterNet, library_and_model
from live_cli.audio.pcm import Samples
from live_cli.audio.playback.playout import Span
from live_cli.commands.talk.conversation import Conversation
from live_cli.devices.capture_denoiser import CaptureDenoiser
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
    """Opens the near and the far end, and connects them to a conversation once there is one.

    ``echo`` is None where echo is not cancelled, as with a file at either end. ``denoise``: when
    noise is taken out of what is sent (auto, on, off).
    """

    def __init__(
        self,
        options: TalkSettings,
        view: View,
        input_path: str | None,
        output_path: str | None,
        on_played: PlayedCallback | None = None,
        *,
        push_to_talk: bool = False,
        denoise: str = "off",
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._view = view
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
        self.echo: EchoBridge | None = None
        if input_path is None and output_path is None:
            self.echo = _echo_bridge(options, gated=not push_to_talk)
        self.playback: Speaker | FileSpeaker = (
            Speaker(options.output_device, on_played=_both(self.echo, on_played))
            if output_path is None
            else FileSpeaker(output_path, self._tell_lost_file, on_played)
        )
        denoiser = self._denoiser(denoise)
        self.microphone: Microphone | FileMicrophone = (
            Microphone(options.input_device, self._on_frame, None, self.echo, denoiser)
            if input_path is None
            else FileMicrophone(input_path, self._on_frame, self._on_end, denoiser)
        )
        ends = (self.microphone, self.playback)
        devices = [end for end in ends if isinstance(end, Microphone | Speaker)]
        self._supervisor = DeviceSupervisor(devices, self._on_device_change)

    def _denoiser(self, mode: str) -> CaptureDenoiser | None:
        """Return what takes noise out of the capture; None for off, and where none is installed."""
        if mode == "off" or library_and_model() is None:
            return None
        return CaptureDenoiser(DeepFilterNet, self._tell_noise_stays, always=mode == "on")

    def _tell_noise_stays(self, reason: str) -> None:
        self._in_loop(lambda: self._view.note(f"Noise is not taken out: {reason}."))

    async def open(self) -> None:
        """Open both ends; an input file is only checked. Raises DeviceError, InputFileError."""
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        if self._input_path not in (None, "-"):
            open_speech(self._input_path).close()  # a bad file is named before a model is asked
        try:
            self.playback.start()
            if isinstance(self.microphone, Microphone):
                self.microphone.start()
        except DeviceError as exc:
            raise DeviceError(f"{exc} {FILE_FORM}") from exc
        self._supervisor.start()

    def connect(self, conversation: Conversation) -> None:
        """Give frames to ``conversation`` from now on; a file is played as one activity."""
        self._conversation = conversation
        if self._lost is not None:
            conversation.stop()
        if isinstance(self.microphone, FileMicrophone):
            conversation.microphone.start_activity()
            self.microphone.start()

    def disconnect(self) -> None:
        """Drop what is captured from now on."""
        self._conversation = None

    def close(self) -> None:
        """Close both ends; what has not been played is not played any more."""
        self._supervisor.stop()
        self.microphone.stop()
        self.playback.stop()

    @property
    def error(self) -> LiveError | None:
        """The error that ended one of the two early; None where both worked to the end."""
        if self._lost is not None:
            return self._lost
        return self.microphone.error if isinstance(self.microphone, FileMicrophone) else None

    def _on_frame(self, pcm16: bytes, level_dbfs: float, ends_at: float) -> None:
        self._in_loop(lambda: self._pass_on(pcm16, level_dbfs, ends_at))

    def _pass_on(self, pcm16: bytes, level_dbfs: float, ends_at: float) -> None:
        if self._conversation is not None:
            self._conversation.microphone.take_frame(pcm16, level_dbfs, ends_at)

    def _on_end(self) -> None:
        self._in_loop(self._end_input)

    def _end_input(self) -> None:
        if isinstance(self.microphone, FileMicrophone) and self.microphone.warning:
            self._view.note(self.microphone.warning)
        if self._conversation is not None:
            self._conversation.end_input()

    def _on_device_change(self, change: DeviceChange) -> None:
        self._in_loop(lambda: self._tell_device_change(change))

    def _tell_device_change(self, change: DeviceChange) -> None:
        captures = change.role == "microphone"
        if captures and self._conversation is not None and change.state in ("lost", "back"):
            self._conversation.microphone.set_lost(change.state == "lost")
        if change.state == "open" and change.role in self._numbered:
            self._view.note(change.message)
        if change.role == "speaker" and change.state == "back":
            self._tell_dropped()
        self._view.device(
            DeviceNews(
                role=change.role,
                state=change.state,
                name=change.name,
                message=change.message,
                away_s=round(change.away_s, 3),
                missed_frames=round(change.away_s * 1000 / FRAME_MS) if captures else 0,
            )
        )

    def _tell_dropped(self) -> None:
        if isinstance(self.playback, Speaker) and self.playback.dropped_ms > self._told_dropped_ms:
            seconds = (self.playback.dropped_ms - self._told_dropped_ms) / 1000
            self._told_dropped_ms = self.playback.dropped_ms
            self._view.note(f"Of the answer {seconds:.1f} s were dropped: they came too long ago.")

    def _tell_lost_file(self, reason: str) -> None:
        self._in_loop(lambda: self._lose_file(reason))

    def _lose_file(self, reason: str) -> None:
        reader_left = isinstance(self.playback, FileSpeaker) and self.playback.pipe_closed
        self._stop(None if reader_left else InputFileError(reason))

    def _stop(self, error: LiveError | None) -> None:
        self._lost = self._lost or error
        if self._conversation is not None:
            self._conversation.stop()

    def _in_loop(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(act)


def _echo_bridge(options: TalkSettings, *, gated: bool) -> EchoBridge | None:
    """Return what keeps the speaker's sound out of the microphone, as the options ask."""
    if options.half_duplex:
        return EchoBridge(HalfDuplex)
    if options.echo_cancel:
        return EchoBridge(lambda: EchoCanceller(gated=gated))
    return None


def _both(echo: EchoBridge | None, on_played: PlayedCallback | None) -> PlayedCallback | None:
    if echo is None or on_played is None:
        return on_played if echo is None else echo.note_played
    bridge, record = echo, on_played

    def tell(block: Samples, at: float, spans: tuple[Span, ...]) -> None:
        bridge.note_played(block, at, spans)
        record(block, at, spans)

    return tell
