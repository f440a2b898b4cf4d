"""`live-cli talk`: a full-duplex voice conversation."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from live_cli.commands.connecting import Server, notes, running_server
from live_cli.commands.resuming import resumable, resumed
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.errors import SettingsError
from live_cli.named_files import refuse_overwriting
from live_cli.opening import Opening, plan_opening
from live_cli.settings import Settings
from live_cli.ui.face import Face
from live_cli.ui.faces import choose_face
from live_cli.ui.keys import Keyboard

if TYPE_CHECKING:
    from live_cli.commands.ends import Ends

NORMAL_CLOSE = 1000


def run(
    settings: Settings,
    *,
    input_path: str | None,
    output_path: str | None,
    resume: str | None,
    json: bool,
) -> None:
    """Talk until the person leaves, or until the input file is answered. Raises LiveError."""
    if json and output_path == "-":
        raise SettingsError("--json and --output - both want stdout: give --output a file.")
    refuse_overwriting(output_path, [input_path] if input_path else [])
    opening = resumed(plan_opening(settings, "talk"), resume)
    # Ctrl-C is the normal end, also before the conversation has begun
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_talk(settings, opening, input_path, output_path, json))


async def _talk(
    settings: Settings,
    opening: Opening,
    input_path: str | None,
    output_path: str | None,
    json: bool,
) -> None:
    with ExitStack() as stack:
        # before the face, which keeps the stderr that it finds
        stack.enter_context(native_stderr_silenced())
        face = stack.enter_context(_face(settings, json, sound_on_stdout=output_path == "-"))
        face.status(
            connection="connecting",
            label=_label(opening, settings),
            push_to_talk=settings.vad.push_to_talk,
        )
        for text in notes(opening, settings.engine.chat):
            face.note(text)
        async with running_server(opening) as server:
            # imported and opened while the server loads its models
            from live_cli.commands.ends import Ends

            ends = Ends(settings.talk, face, input_path, output_path)
            stack.callback(ends.close)
            await ends.open()
            await _converse(server, opening, settings, face, ends)


async def _converse(
    server: Server, opening: Opening, settings: Settings, face: Face, ends: "Ends"
) -> None:
    from live_cli.commands.conversation import Conversation
    from live_cli.protocol.input_gate import InputGate

    gate = InputGate(manual=settings.vad.push_to_talk)
    async with resumable(server, opening) as client:
        conversation = Conversation(client, face, ends.mouth, gate)
        with _stopping_on_interrupt(conversation.stop), Keyboard(conversation.press):
            ends.connect(conversation)
            try:
                await conversation.run()
            finally:
                ends.disconnect()
    face.close(conversation.summary(ends.ear.dropped))
    closed = conversation.closed
    if closed is not None and closed.code != NORMAL_CLOSE:
        raise await server.lost(closed)
    if ends.error is not None:
        raise ends.error


def _face(settings: Settings, json: bool, *, sound_on_stdout: bool) -> Face:
    return choose_face(
        json=json,
        stdout_is_tty=sys.stdout.isatty() and not sound_on_stdout,
        stdout=sys.stderr if sound_on_stdout else None,
        usage=settings.usage,
        show_thoughts=settings.session.show_thoughts,
    )


def _label(opening: Opening, settings: Settings) -> str:
    names = (opening.label, opening.model.id, settings.session.voice)
    return " · ".join(name for name in names if name)


@contextlib.contextmanager
def _stopping_on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C ends the conversation, and the summary follows; on Windows it ends the process."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, stop)
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
