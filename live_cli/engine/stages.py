"""The five stages of the local engine, as Protocols that any backend may fit.

All calls block and belong in a worker thread; none may hold the GIL for long. Samples are float32
in [-1, 1], mono, C-contiguous. Sessions share a stage unless its Protocol says otherwise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from live_cli.audio.pcm import Samples


class SpeechDetector(Protocol):
    """Voice activity, window by window. One detector serves one stream, for it has memory."""

    window_samples: int

    def probability(self, window: Samples) -> float:
        """Return how likely ``window``, `window_samples` at 16 kHz, is speech: 0 to 1."""

    def reset(self) -> None:
        """Forget the stream so far."""


class TurnDetector(Protocol):
    """Has somebody who pauses finished? Shared by sessions; serialises its calls."""

    def probability(self, samples: Samples) -> float | None:
        """Return how likely the turn is over after ``samples`` (16 kHz, silence at its end).

        None leaves that to silence.
        """


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and its times, in seconds from the start of the sound."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class DetailedText:
    """The text of a segment; ``words`` with their times, and the language, where they are known.

    ``loops``: words that were repeated over and over have been taken out of it. ``certainty``: how
    likely the language is, 0 to 1; 0 where nothing tells.
    """

    text: str
    words: tuple[SpokenWord, ...] = ()
    language: str | None = None
    loops: bool = False
    certainty: float = 0.0


@dataclass(frozen=True, slots=True)
class Confidence:
    """The sureness of a transcriber of a text: the mean log probability of its ``tokens``.

    ``first_words``: what it may begin with, and the probability of each; empty where it is unknown.
    """

    mean: float
    tokens: int
    first_words: tuple[tuple[str, float], ...] = ()


class Transcriber(Protocol):
    """Speech to text, one segment at a time. Shared by sessions; serialises its calls."""

    times_words: bool
    """True: the transcriber can tell the times of words."""

    def transcribe_in_detail(
        self, samples: Samples, *, words: bool, language: str | None = None
    ) -> DetailedText:
        """As `transcribe`, with what else is known; ``words``: also their times, if they can be.

        ``language``: the code of the one to expect, where there is a choice; None listens for it.
        """

    def transcribe(self, samples: Samples) -> str:
        """The words in ``samples`` (16 kHz), "" for none."""

    def confidence(self, samples: Samples, text: str) -> Confidence | None:
        """Return how sure the transcriber is of ``text``, which it wrote of ``samples``.

        None where that does not matter: it understands other languages than the text's, too.
        """


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a request. ``detail``: low, high or auto, as in OpenAI's API."""

    data: bytes
    mime_type: str
    detail: str = "auto"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A function call of the model: ``arguments`` is the JSON object that the model wrote.

    ``id`` is the model's own, or "" where the model gave none; a session gives ids of its own.
    """

    id: str
    name: str
    arguments: dict[str, Any]


NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class ToolDeclaration:
    """A function that the model may call; ``parameters`` is a JSON schema of an object."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=lambda: NO_PARAMETERS)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of a chat: ``role`` is system, user, assistant or tool.

    ``calls``: the function calls of an assistant's turn. ``call_id``: the call that a tool's turn
    answers. ``images`` of a user are for models that take images.
    """

    role: str
    text: str
    images: tuple[Image, ...] = ()
    calls: tuple[ToolUse, ...] = ()
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """The parameters of a generation; None leaves a value to the model.

    ``thinking_budget``: None automatic, 0 off, otherwise the most tokens to think.
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
    """The messages to answer, the sampling, and the functions that the model may call.

    ``salt``: whose the request is. A prefix cache shows no request of one salt to another, whose
    time would tell what has been asked; vLLM calls this ``cache_salt``.
    """

    messages: tuple[ChatMessage, ...]
    sampling: Sampling = field(default_factory=Sampling)
    tools: tuple[ToolDeclaration, ...] = ()
    salt: str = ""


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """A piece of a reply while it is generated; ``thought`` marks reasoning, which is not spoken.

    ``call``: a function call with all of its arguments; ``text`` is empty then. No text follows the
    first call of a reply.
    """

    text: str
    thought: bool = False
    call: ToolUse | None = None


class FinishReason(Enum):
    """The end of a generation: by itself, at the token limit, or in a call that is not valid."""

    WHOLE = "whole"
    CUT = "cut"
    MALFORMED_CALL = "malformed call"


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Token counts of one generation by the tokenizer of the model, and the finish reason."""

    prompt_tokens: int = 0
    reply_tokens: int = 0
    thought_tokens: int = 0
    finish_reason: FinishReason = FinishReason.WHOLE


IMAGE_TOKENS = 258
"""Tokens of an image where a model does not tell: the Live API's own figure (reference §4.9)."""


class ChatModel(Protocol):
    """Text to text, streamed. Shared by sessions; calls may run side by side."""

    context_tokens: int
    sees: bool
    """Whether the model takes images."""
    image_tokens: int
    """Tokens of one image in a prompt, estimated."""

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        """Generate a reply; ``on_delta`` gets each piece and returns True to stop at once.

        Raises EngineError, and UnsupportedError for images or functions that the model refuses.
        """

    def prefill(
        self,
        messages: tuple[ChatMessage, ...],
        tools: tuple[ToolDeclaration, ...] = (),
        salt: str = "",
    ) -> None:
        """Fill the prefix cache of ``salt``, so that the next reply starts sooner."""

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> int | None:
        """Return the tokens of ``messages`` as a prompt; None where the model does not tell."""

    def close(self) -> None:
        """Free the model."""


@dataclass(frozen=True, slots=True)
class VoiceTraits:
    """The sound of a prebuilt voice: factors on the pitch, pace and timbre of the own voice.

    ``language``: the code of what is to be spoken, without a region; "" leaves it open. ``name``:
    the voice's own, for a synthesizer elsewhere that has voices of its own.
    """

    pitch: float = 1.0
    pace: float = 1.0
    timbre: float = 1.0
    language: str = ""
    name: str = ""


class Synthesizer(Protocol):
    """Text to speech. Shared by sessions; serialises its calls."""

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield speech at 24 kHz in chunks, the first as soon as it is ready.

        An empty chunk says that more is to come: who no longer wants it may stop there.
        """


BY_WORDS, BY_SOUND = "words", "sound"
"""Deciders on a voice over an answer: does it interrupt?"""


@dataclass(frozen=True, slots=True)
class StageNames:
    """The backend of each stage, named as in `backends/table.py`, and how they are used."""

    detector: str = "silero"
    transcriber: str = "moonshine"
    chat: str = "gguf"
    synthesizer: str = "hibari"
    end_of_turn: str = "semantic"
    barge_in: str = BY_WORDS
    denoise: str = "auto"
    device: str = "cpu"
    """What Whisper computes on: cpu, or cuda."""
    threads: int = field(default=0)
    """Threads of a chat model in this process; 0: one less than the cores, at least one."""
    parallel: int = 1
    """Replies that a chat model in this process generates side by side."""
    voices: tuple[str, ...] = ()
    """What the thirty voices are called at a synthesizer elsewhere, as NAME=VOICE."""
