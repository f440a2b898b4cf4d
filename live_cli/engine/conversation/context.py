"""What a session is given to work with: its stages, and what all sessions share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from live_cli.engine.conversation.handles import Handles
from live_cli.engine.conversation.model_turn import Clock
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.stages import ChatModel, Synthesizer
from live_cli.engine.workers import Workers
from live_cli.protocol.messages import ServerMessage

Emit = Callable[[ServerMessage], Awaitable[None]]
"""Sends one message to the client."""


@dataclass(frozen=True, slots=True)
class SessionStages:
    """What a session works with. ``hearing`` loads with the first sound."""

    chat: ChatModel
    mouth: Synthesizer | None
    hearing: Callable[[], Awaitable[SpeechInput]]


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What sessions share besides the stages."""

    workers: Workers
    time: Clock
    handles: Handles = field(default_factory=Handles)
