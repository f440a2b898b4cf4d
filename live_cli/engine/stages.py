"""The four stages of the local engine, as Protocols: whatever fits them can take the place.

All calls block and belong in a worker thread; none may hold the GIL for long. Samples are float32
in [-1, 1], mono, C-contiguous. A stage object may be shared by sessions unless it says otherwise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from live_cli.audio.pcm import Samples

JsonObject = dict[str, Any]


class SpeechDetector(Protocol):
    """Voice activity, frame by frame. One object serves one stream: it has memory."""

    window_samples: int

    def probability(self, frame: Samples) -> float:
        """How likely this frame is speech, 0 to 1. ``frame``: `window_samples` at 16 kHz."""

    def reset(self) -> None:
        """Forget the stream heard so far."""


class Transcriber(Protocol):
    """Speech to text, one segment at a time. Shared by sessions; calls are serialised inside."""

    def transcribe(self, samples: Samples) -> str:
        """The words in ``samples`` (16 kHz), "" for none."""


@dataclass(frozen=True, slots=True)
class Image:
    """One still picture. ``detail``: low, high or auto, as OpenAI-compatible endpoints call it."""

    data: bytes
    mime_type: str
    detail: str = "auto"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A function that the model calls: ``arguments`` is the JSON object it wrote.

    ``id`` is what the model called it, or "" where it did not; a session gives its own.
    """

    id: str
    name: str
    arguments: JsonObject


NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class ToolDeclaration:
    """A function that the model may call; ``parameters`` is a JSON schema of an object."""

    name: str
    description: str = ""
    parameters: JsonObject = field(default_factory=lambda: NO_PARAMETERS)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn as the chat model reads it: role system, user, assistant or tool.

    ``calls``: what the assistant called in it. ``call_id``: the call that a tool message answers.
    ``images`` of a user are for models that can see.
    """

    role: str
    text: str
    images: tuple[Image, ...] = ()
    calls: tuple[ToolUse, ...] = ()
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to generate; None leaves it to the model.

    ``thinking_budget``: None automatic, 0 off, n at most n tokens.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    thinking_budget: int | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What to answer, how, and what may be called for it."""

    messages: tuple[ChatMessage, ...]
    sampling: Sampling = field(default_factory=Sampling)
    tools: tuple[ToolDeclaration, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """A piece of the reply as it is generated; ``thought`` marks reasoning, not speech.

    ``call``: a function call, told once its arguments are whole; ``text`` is empty then. No text
    follows the first call of a reply.
    """

    text: str
    thought: bool = False
    call: ToolUse | None = None


class FinishReason(Enum):
    """How a generation ended: by itself, at its token limit, or in a call that is not valid."""

    WHOLE = "whole"
    CUT = "cut"
    MALFORMED_CALL = "malformed call"


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Token counts of one generation, as the model's own tokenizer counts, and how it ended."""

    prompt_tokens: int = 0
    reply_tokens: int = 0
    thought_tokens: int = 0
    finish_reason: FinishReason = FinishReason.WHOLE


class ChatModel(Protocol):
    """Text to text, streaming. Shared by sessions; calls may come side by side."""

    context_tokens: int
    sees: bool
    """Whether it takes images."""

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        """Generate a reply; ``on_delta`` gets each piece and returns True to stop at once."""

    def prefill(
        self, messages: tuple[ChatMessage, ...], tools: tuple[ToolDeclaration, ...] = ()
    ) -> None:
        """Warm the prefix cache, so that the first answer does not pay for the instruction."""

    def close(self) -> None:
        """Free the model."""


@dataclass(frozen=True, slots=True)
class VoiceTraits:
    """How one of the thirty names sounds here: factors on the synthesizer's own voice."""

    pitch: float = 1.0
    pace: float = 1.0
    timbre: float = 1.0


class Synthesizer(Protocol):
    """Text to speech. Shared by sessions; calls are serialised inside."""

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Chunks of speech at 24 kHz, the first as soon as it is ready."""


@dataclass(frozen=True, slots=True)
class StageNames:
    """Which implementation each stage uses, as `registry.py` names them.

    ``chat`` may carry an argument after a colon: a GGUF path (``gguf:/models/x.gguf``), a pulled
    model's name, or an OpenAI-compatible endpoint (``openai:http://127.0.0.1:11434/v1#qwen3``).
    """

    detector: str = "silero"
    transcriber: str = "moonshine"
    chat: str = "gguf"
    synthesizer: str = "hibari"
    threads: int = field(default=0)
    """Threads of the chat model; 0: one less than the cores, at least one."""
    parallel: int = 1
    """Replies that a chat model in this process generates side by side."""
