"""What the engine gives a session: its stages, the worker threads, the clock and the handles."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from live_cli.engine.conversation.handles import Handles
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
    one that the session is in, as it was chosen or is heard.
    """

    chat: ChatModel
    synthesizer: Synthesizer | None
    load_speech_input: Callable[[], Awaitable[SpeechInput]]
    language: LanguageChoice = field(default_factory=LanguageChoice)


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What all sessions of one engine share besides the stages."""

    workers: Workers
    clock: Clock
    handles: Handles = field(default_factory=Handles)
