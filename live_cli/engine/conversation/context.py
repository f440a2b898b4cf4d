"""What the engine gives a session: its stages and handles, the worker threads and the clock."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from live_cli.engine.conversation.handles import SessionHandles
from live_cli.engine.conversation.history.entries import Snapshot
from live_cli.engine.conversation.model_turn import Clock
from live_cli.engine.speech_in.language_choice import LanguageChoice
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.stages import ChatModel, Synthesizer
from live_cli.engine.workers import Workers
from live_cli.protocol.messages import ServerMessage

EmitMessage = Callable[[ServerMessage], Awaitable[None]]
"""Sends one message to the session's client."""


@dataclass(frozen=True, slots=True)
class SessionStages:
    """The stages of one conversation session; ``synthesizer`` is None where it answers in text.

    ``load_speech_input`` returns a segmenter of the session's own with the shared transcriber; it
    is called when the first audio arrives, so that a typed session loads neither. ``language``: the
    one that the session is in, as it was chosen or is heard. ``handles``: what resumes the session
    later. ``resumed``: the history that it goes on from.
    """

    chat: ChatModel
    synthesizer: Synthesizer | None
    load_speech_input: Callable[[], Awaitable[SpeechInput]]
    handles: SessionHandles
    resumed: Snapshot | None = None
    language: LanguageChoice = field(default_factory=LanguageChoice)


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What all sessions of one engine share besides the stages."""

    workers: Workers
    clock: Clock
