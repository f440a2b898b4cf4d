"""Scripted stages, deterministic and without models: for tests, and to try the rest alone.

They are used only where a name asks for ``scripted``; no other backend falls back to them.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any, Final

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.stages import (
    IMAGE_TOKENS,
    ChatDelta,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    Confidence,
    DetailedText,
    FinishReason,
    SpokenWord,
    ToolDeclaration,
    ToolUse,
    VoiceTraits,
)
from live_cli.sample_rates import INPUT_SAMPLE_RATE, OUTPUT_SAMPLE_RATE

_LOUD = 0.01  # RMS; -40 dBFS
_SECONDS_A_CHARACTER = 0.06
_TONE_HZ = 180.0


class ScriptedDetector:
    """Takes windows louder than -40 dBFS for speech."""

    window_samples = 512

    def probability(self, window: Samples) -> float:
        return float(np.sqrt(np.mean(window * window)) > _LOUD)

    def reset(self) -> None:
        """Nothing: this detector has no memory."""


class ScriptedTurnDetector:
    """Finds a turn as likely over as the next of ``probabilities`` says, over and over."""

    def __init__(self, probabilities: Sequence[str] = ("1.0",)) -> None:
        self._probabilities = cycle([float(each) for each in probabilities])

    def probability(self, samples: Samples) -> float | None:
        return next(self._probabilities)


class ScriptedTranscriber:
    """Transcribes any speech to the next of ``texts``, over and over, or by a function."""

    times_words = True

    def __init__(self, texts: Sequence[str] | Callable[[Samples], str] = ("Hello.",)) -> None:
        if callable(texts):
            self._text_of = texts
        else:
            texts_in_turn = cycle(texts)
            self._text_of = lambda _: next(texts_in_turn)

    def transcribe(self, samples: Samples) -> str:
        return self._text_of(samples)

    def confidence(self, samples: Samples, text: str) -> Confidence | None:
        """Return None: it hears what it was told to."""
        return None

    def transcribe_in_detail(
        self, samples: Samples, *, words: bool, language: str | None = None
    ) -> DetailedText:
        """Return the text with its words spread evenly."""
        text = self._text_of(samples)
        each_s = len(samples) / INPUT_SAMPLE_RATE / max(1, len(text.split()))
        timed = (
            SpokenWord(word, place * each_s, (place + 1) * each_s)
            for place, word in enumerate(text.split() if words else ())
        )
        return DetailedText(text, tuple(timed), language or "en")


_KEPT_REQUESTS: Final = 100
"""Of a chat model, for tests to look at; each holds a whole history."""


class ScriptedChatModel:
    """Answers with the next of ``replies`` (over and over), word by word; with none, an echo.

    A reply may end in function calls: ``On my way. call:turn_on {"brightness": 1} call:lock``.
    ``requests``: the last hundred that it got.
    """

    context_tokens = 4096
    sees = False
    image_tokens = IMAGE_TOKENS

    def __init__(self, replies: Sequence[str] = ()) -> None:
        self._replies = cycle(replies) if replies else None
        self.requests: list[ChatRequest] = []

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        self.requests.append(request)
        del self.requests[:-_KEPT_REQUESTS]
        text, calls = self._reply_to(request)
        words = _pieces(text) if text or calls == [] else []
        prompt_tokens = sum(len(message.text.split()) for message in request.messages)
        for count, word in enumerate(words, start=1):
            if on_delta(ChatDelta(word)):
                return ChatUsage(prompt_tokens, count)
            if count == request.sampling.max_tokens and count < len(words):
                return ChatUsage(prompt_tokens, count, finish_reason=FinishReason.CUT)
        for call in calls or ():
            on_delta(ChatDelta("", call=call))
        count = len(words) + len(calls or ())
        finish_reason = FinishReason.MALFORMED_CALL if calls is None else FinishReason.WHOLE
        return ChatUsage(prompt_tokens, count, finish_reason=finish_reason)

    def prefill(
        self,
        messages: tuple[ChatMessage, ...],
        tools: tuple[ToolDeclaration, ...] = (),
        salt: str = "",
    ) -> None:
        """Nothing: there is no cache to fill."""

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> int:
        """A word is a token."""
        return sum(len(message.text.split()) for message in messages)

    def close(self) -> None:
        """Nothing: there is no model to free."""

    def _reply_to(self, request: ChatRequest) -> tuple[str, list[ToolUse] | None]:
        if self._replies is None:
            return f"You said: {request.messages[-1].text}", []
        return _read(next(self._replies))


_CALL = re.compile(r"\s*(?<!\S)call:([A-Za-z_][\w.-]*)\s*")


def _read(reply: str) -> tuple[str, list[ToolUse] | None]:
    """The text and the function calls of a scripted reply; None for calls with invalid JSON."""
    found = _CALL.search(reply)
    text = reply[: found.start()] if found else reply
    calls: list[ToolUse] = []
    while found:
        end = found.end()
        arguments: dict[str, Any] = {}
        if reply[end : end + 1] == "{":
            try:
                arguments, end = json.JSONDecoder().raw_decode(reply, end)
            except ValueError:
                return text, None
        calls.append(ToolUse("", found[1], arguments))
        found = _CALL.match(reply, end)
    return text, calls


def _pieces(text: str) -> list[str]:
    """``text`` cut before each space; the pieces joined are the text again."""
    words = text.split(" ")
    return [word if index == 0 else f" {word}" for index, word in enumerate(words)]


class ScriptedSynthesizer:
    """A tone of 60 ms a character, rising and falling as syllables do; silent at spaces."""

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        spoken = [character.isalnum() for character in text]
        if not any(spoken):
            return
        size = round(OUTPUT_SAMPLE_RATE * _SECONDS_A_CHARACTER / voice.pace)
        time = np.arange(size * len(spoken)) / OUTPUT_SAMPLE_RATE
        envelope = np.repeat(np.asarray(spoken, np.float32), size)
        swell = np.abs(np.sin(np.pi * 4 * time))
        tone = 0.3 * envelope * swell * np.sin(2 * np.pi * _TONE_HZ * voice.pitch * time)
        yield tone.astype(np.float32)
