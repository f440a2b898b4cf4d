"""The two ends of a conversation: microphone and speaker, or files in their place.

Their callbacks come from threads of their own; each is handed to the event loop.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable

from live_cli.audio.files import open_speech
from live_cli.commands.conversation import Conversation
from live_cli.devices.file_ends import FileMicrophone, FileSpeaker
from live_cli.devices.microphone import Microphone
from live_cli.devices.playback import PlayedCallback
from live_cli.devices.speaker import Speaker
from live_cli.errors import DeviceError, InputFileError, LiveError
from live_cli.settings import TalkOptions
from live_cli.ui.face import Face

FILE_FORM = "Without sound: live-cli talk --input question.wav --output answer.wav"


class Ends:
    """Opens an ear and a mouth, and connects them to a conversation once there is one."""

    def __init__(
        self,
        options: TalkOptions,
        face: Face,
        input_path: str | None,
        output_path: str | None,
        on_played: PlayedCallback | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._face = face
        self._conversation: Conversation | None = None
        self._input_path = input_path
        self._lost: LiveError | None = None
        self.mouth: Speaker | FileSpeaker = (
            Speaker(options.output_device, self._tell_lost_device, on_played)
            if output_path is None
            else FileSpeaker(output_path, self._tell_lost_file, on_played)
        )
        self.ear: Microphone | FileMicrophone = (
            Microphone(options.input_device, self._on_frame, self._tell_lost_device)
            if input_path is None
            else FileMicrophone(input_path, self._on_frame, self._on_end)
        )

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

    def close(self) -> None:
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

    def _tell_lost_device(self, reason: str) -> None:
        self._in_loop(lambda: self._lose_device(reason))

    def _lose_device(self, reason: str) -> None:
        if _has_keyboard():
            self._face.error(f"{reason} Leave with q and start again; t types a line meanwhile.")
        else:
            self._stop(DeviceError(f"{reason} Check it, and start again."))

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


def _has_keyboard() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
