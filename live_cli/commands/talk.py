"""`live-cli talk`: a full-duplex voice conversation."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from live_cli.audio.files import open_speech
from live_cli.commands.connecting import Server, running_server
from live_cli.commands.conversation import Conversation, Mouth
from live_cli.devices.file_ends import FileMicrophone, FileSpeaker
from live_cli.devices.microphone import Microphone
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.devices.speaker import Speaker
from live_cli.errors import DeviceError, LiveError, SettingsError
from live_cli.opening import Opening, plan_opening
from live_cli.protocol.input_gate import InputGate
from live_cli.settings import Settings
from live_cli.ui.face import Face
from live_cli.ui.json_lines import JsonFace
from live_cli.ui.keys import Keyboard
from live_cli.ui.plain import PlainFace
from live_cli.ui.talk_view import TalkView

FILE_FORM = "Without sound: live-cli talk --input question.wav --output answer.wav"
NORMAL_CLOSE = 1000


def run(settings: Settings, *, input_path: str | None, output_path: str | None, json: bool) -> None:
    """Talk until the person leaves, or until the input file is answered. Raises LiveError."""
    if json and output_path == "-":
        raise SettingsError("--json and --output - both want stdout: give --output a file.")
    if input_path not in (None, "-"):
        open_speech(input_path).close()  # a bad file is named before anything is started
    opening = plan_opening(settings, "talk")
    talk = _Talk(settings, opening, input_path, output_path)
    # Ctrl-C is the normal end, also before the conversation has begun
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(talk.run(json))


def choose_face(settings: Settings, *, json: bool, sound_on_stdout: bool) -> Face:
    """The view on a terminal, lines on a pipe, JSON when asked for."""
    if json:
        return JsonFace()
    thoughts = settings.session.show_thoughts
    if sys.stdout.isatty() and not sound_on_stdout:
        return TalkView(usage=settings.usage, show_thoughts=thoughts)
    stdout = sys.stderr if sound_on_stdout else sys.stdout
    return PlainFace(stdout=stdout, usage=settings.usage, show_thoughts=thoughts)


class _Talk:
    """Wires the ends of one conversation together, and takes them apart again."""

    def __init__(
        self,
        settings: Settings,
        opening: Opening,
        input_path: str | None,
        output_path: str | None,
    ) -> None:
        self._settings = settings
        self._opening = opening
        self._input_path = input_path
        self._output_path = output_path
        self._conversation: Conversation | None = None
        self._input_error: LiveError | None = None

    async def run(self, json: bool) -> None:
        with ExitStack() as stack:
            # before the face, which keeps the stderr it finds
            stack.enter_context(native_stderr_silenced())
            face = choose_face(self._settings, json=json, sound_on_stdout=self._output_path == "-")
            stack.enter_context(face)
            face.status(
                connection="connecting",
                label=self._label(),
                push_to_talk=self._settings.vad.push_to_talk,
            )
            for warning in self._opening.warnings:
                face.note(warning)
            async with running_server(self._opening) as server:
                # opened while the server loads its models
                mouth, ear = self._ends(face)
                stack.callback(mouth.stop)
                stack.callback(ear.stop)
                await asyncio.to_thread(_open_devices, mouth, ear)
                await self._talk(server, face, mouth, ear)

    async def _talk(
        self,
        server: Server,
        face: Face,
        mouth: Mouth,
        ear: Microphone | FileMicrophone,
    ) -> None:
        gate = InputGate(manual=self._settings.vad.push_to_talk)
        async with await server.connect(self._opening.setup) as client:
            conversation = Conversation(client, face, mouth, gate)
            self._conversation = conversation
            try:
                with _stopping_on_signals(conversation.stop), Keyboard(conversation.press):
                    if isinstance(ear, FileMicrophone):
                        if gate.manual:
                            conversation.press(" ")
                        ear.start()
                    await conversation.run()
            finally:
                self._conversation = None
        face.close(conversation.summary())
        closed = conversation.closed
        if closed is not None and closed.code != NORMAL_CLOSE:
            raise await server.lost(closed)
        if self._input_error is not None:
            raise self._input_error

    def _label(self) -> str:
        voice = self._settings.session.voice
        names = (self._opening.label, self._opening.model.id, voice)
        return " · ".join(name for name in names if name)

    # --- the ends; their callbacks come from threads of their own ------------------------------

    def _ends(self, face: Face) -> tuple[Speaker | FileSpeaker, Microphone | FileMicrophone]:
        """Speaker and microphone, or the files in their place; nothing is opened yet."""
        loop = asyncio.get_running_loop()

        def in_loop(act: Callable[[], None]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(act)

        def on_frame(pcm16: bytes, level_dbfs: float) -> None:
            in_loop(lambda: self._hear(pcm16, level_dbfs))

        def on_lost(reason: str) -> None:
            in_loop(lambda: face.error(reason))

        def on_end() -> None:
            in_loop(lambda: self._end_input(ear, face))

        mouth = (
            Speaker(self._settings.talk.output_device, on_lost)
            if self._output_path is None
            else FileSpeaker(self._output_path, on_lost)
        )
        ear = (
            Microphone(self._settings.talk.input_device, on_frame, on_lost)
            if self._input_path is None
            else FileMicrophone(self._input_path, on_frame, on_end)
        )
        return mouth, ear

    def _hear(self, pcm16: bytes, level_dbfs: float) -> None:
        if self._conversation is not None:
            self._conversation.hear(pcm16, level_dbfs)

    def _end_input(self, ear: Microphone | FileMicrophone, face: Face) -> None:
        if isinstance(ear, FileMicrophone):
            self._input_error = ear.error
            if ear.warning:
                face.note(ear.warning)
        if self._conversation is not None:
            self._conversation.end_input()


def _open_devices(mouth: Speaker | FileSpeaker, ear: Microphone | FileMicrophone) -> None:
    """Open what can be opened before the session; a file speaks only once somebody listens."""
    try:
        mouth.start()
        if isinstance(ear, Microphone):
            ear.start()
    except DeviceError as exc:
        raise DeviceError(f"{exc} {FILE_FORM}") from exc


@contextlib.contextmanager
def _stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C ends the conversation, and the summary follows; on Windows it ends the process."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, stop)
    except NotImplementedError:  # Windows: asyncio.run turns Ctrl-C into KeyboardInterrupt
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
