"""Chat completions as JSON, shared by the backends that speak them. Pure.

A request becomes a JSON body; the chunks of a stream become deltas, with reasoning told apart,
whether it comes as ``reasoning_content`` (or ``reasoning``) or between ``<think>`` tags.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from live_cli.engine.backends.llm.call_pieces import CallPieces
from live_cli.engine.stages import (
    ChatDelta,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    FinishReason,
    Image,
    ToolDeclaration,
)
from live_cli.errors import EngineError, UnsupportedError

_OPEN, _CLOSE = "<think>", "</think>"
_TAG = re.compile(f"({_OPEN}|{_CLOSE})")
_SAMPLING = (
    "max_tokens", "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty",
)  # fmt: skip


def body_of(request: ChatRequest) -> dict[str, Any]:
    """The streaming request as a JSON object, with only the fields that are set."""
    body: dict[str, Any] = {
        "messages": [_message_of(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    for name in _SAMPLING:
        value = getattr(request.sampling, name)
        if value is not None:
            body[name] = value
    if request.tools:
        body["tools"] = [_tool_of(tool) for tool in request.tools]
    if request.sampling.thinking_budget == 0:
        body["chat_template_kwargs"] = {"enable_thinking": False}
    return body


def _message_of(message: ChatMessage) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "content": _content_of(message)}
    if message.calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in message.calls
        ]
    if message.call_id is not None:
        body["tool_call_id"] = message.call_id
    return body


def _tool_of(tool: ToolDeclaration) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": tool.parameters}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _content_of(message: ChatMessage) -> str | list[dict[str, Any]] | None:
    """The content of a message: images, then text; text alone stays a string."""
    if message.calls and not message.text:
        return None
    return with_images(message.text, message.images) if message.images else message.text


def with_images(text: str, images: Iterable[Image]) -> list[dict[str, Any]]:
    """The content of a message that has images: they come first."""
    said = [{"type": "text", "text": text}] if text else []
    return [*map(_image_part, images), *said]


def _image_part(image: Image) -> dict[str, Any]:
    url = f"data:{image.mime_type};base64,{b64encode(image.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url, "detail": image.detail}}


class ThinkTags:
    """Splits text at ``<think>`` and ``</think>``, also when a tag comes in pieces.

    ``thinking``: the prompt ends with the opening tag, as the templates of some models have it.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._thinking = thinking
        self._held = ""
        self.closed = False
        """Whether a closing tag has come, with or without an opening one before."""
        self.opened = False

    def push(self, text: str) -> list[ChatDelta]:
        """The deltas in ``text``; the start of a possible tag is held back."""
        deltas: list[ChatDelta] = []
        said, *rest = _TAG.split(self._held + text)
        for tag, following in zip(rest[::2], rest[1::2], strict=True):
            deltas.append(ChatDelta(said, thought=self._thinking))
            self._thinking = tag == _OPEN
            self.opened |= tag == _OPEN
            self.closed |= tag == _CLOSE
            said = following if self._thinking else following.lstrip("\n")
        kept = max(_tag_start(said, _OPEN), _tag_start(said, _CLOSE))
        sure, self._held = said[: len(said) - kept], said[len(said) - kept :]
        deltas.append(ChatDelta(sure, thought=self._thinking))
        return [delta for delta in deltas if delta.text]

    def flush(self) -> list[ChatDelta]:
        """The text that was held back, at the end of the stream."""
        held, self._held = self._held, ""
        return [ChatDelta(held, thought=self._thinking)] if held else []


def _tag_start(text: str, tag: str) -> int:
    """Return the number of characters at the end of ``text`` that may begin ``tag``."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)


class ReplyReader:
    """Reads the chunks of one reply.

    ``thinking_budget``: the most tokens of thought, None for no limit. ``thinking``: the prompt
    ends with the tag that opens the thoughts.
    """

    def __init__(self, thinking_budget: int | None, *, thinking: bool = False) -> None:
        self._budget = thinking_budget or None  # 0 asks for no thoughts, it does not limit them
        self._prompt_opens_thoughts = thinking
        self._tags = ThinkTags(thinking=thinking)
        self._untagged: list[str] = []  # taken for thoughts until a tag closes them
        self._calls = CallPieces()
        self._finish_reason = FinishReason.WHOLE
        self._replies = self._thoughts = 0
        self._counted: ChatUsage | None = None

    @property
    def over_budget(self) -> bool:
        """Return whether the thoughts exceed the budget before any reply has begun."""
        return self._budget is not None and not self._replies and self._thoughts > self._budget

    @property
    def begins_thinking(self) -> bool:
        """Return whether a closing tag came without an opening one, which then ends the prompt."""
        return self._tags.closed and not self._tags.opened

    @property
    def usage(self) -> ChatUsage:
        """The model's own token count; the number of deltas where none came before a stop."""
        counted = self._counted or ChatUsage(0, self._replies, self._thoughts)
        return replace(counted, finish_reason=self._finish_reason)

    def read(self, chunk: dict[str, Any]) -> list[ChatDelta]:
        """The deltas in one chunk. Raises EngineError when the chunk is an error.

        A prompt that is longer than the model's context is an UnsupportedError (1007).
        """
        if "error" in chunk:
            error = chunk["error"]
            said = error.get("message") if isinstance(error, dict) else error
            if (counted := prompt_tokens_of(chunk)) and isinstance(error, dict):
                raise UnsupportedError(_too_long(counted[0], error.get("n_ctx")))
            raise EngineError(f"the chat model refused: {said}")
        if chunk.get("usage"):
            self._count(chunk["usage"])
        deltas: list[ChatDelta] = []
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            if choice.get("finish_reason") == "length":
                self._finish_reason = FinishReason.CUT
            for piece in delta.get("tool_calls") or ():
                self._calls.push(piece)
                self._replies += 1
            thought = delta.get("reasoning_content") or delta.get("reasoning")
            if thought:
                deltas.append(ChatDelta(thought, thought=True))
            if delta.get("content"):
                deltas += self._tags.push(delta["content"])
                if self._prompt_opens_thoughts and not self._tags.closed:
                    self._untagged.append(delta["content"])
        return self._counted_deltas(deltas)

    def flush(self) -> list[ChatDelta]:
        """The deltas known only at the end of the stream: held back text, then the calls.

        Where one call is not valid none is returned, and `usage` gives the finish reason.
        """
        deltas = self._counted_deltas(self._tags.flush())
        if self._untagged and not self._tags.closed and self._finish_reason is FinishReason.WHOLE:
            deltas += self._counted_deltas([ChatDelta("".join(self._untagged))])  # it was the reply
        calls = self._calls.whole()
        if calls is None:
            self._finish_reason = FinishReason.MALFORMED_CALL
        return deltas + [ChatDelta("", call=call) for call in calls or ()]

    def _counted_deltas(self, deltas: list[ChatDelta]) -> list[ChatDelta]:
        for delta in deltas:
            if delta.thought:
                self._thoughts += 1  # one delta is one token in every runtime we know
            elif delta.text.strip():
                self._replies += 1
        return deltas

    def _count(self, usage: dict[str, Any]) -> None:
        details = usage.get("completion_tokens_details") or {}
        thoughts = int(details.get("reasoning_tokens") or self._thoughts)
        completion = int(usage.get("completion_tokens") or 0)
        self._counted = ChatUsage(
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            reply_tokens=max(0, completion - thoughts),
            thought_tokens=thoughts,
        )


def prompt_tokens_of(chunk: dict[str, Any]) -> list[int]:
    """Return how many tokens a prompt has, where ``chunk`` tells; else nothing.

    llama.cpp tells it when it begins to read a prompt, and when it refuses one as too long.
    """
    progress, error = chunk.get("prompt_progress"), chunk.get("error")
    tokens = progress.get("total") if isinstance(progress, dict) else None
    if isinstance(error, dict) and error.get("type") == "exceed_context_size_error":
        tokens = error.get("n_prompt_tokens")
    return [tokens] if isinstance(tokens, int) else []


def _too_long(tokens: int, context: object) -> str:
    takes = f", this model takes {context:,}" if isinstance(context, int) else ""
    return f"The conversation has {tokens:,} tokens{takes}: say less at once, or start anew."


STILL_WAITING: dict[str, Any] = {"prompt_progress": None}
"""A chunk that says nothing, but gives whoever reads a chance to stop."""

OnChunk = Callable[[dict[str, Any]], bool]
"""Takes a chunk of a reply; True stops it."""

Stream = Callable[[ChatRequest, OnChunk], None]
"""Sends a request and hands over its chunks until the callback returns True."""


def generate(
    stream: Stream,
    request: ChatRequest,
    on_delta: Callable[[ChatDelta], bool],
    begins_thinking: dict[bool, bool] | None = None,
) -> ChatUsage:
    """Generate one reply; a model that thinks beyond its budget is asked again, not to think.

    ``begins_thinking`` is kept by the model and learned here: whether the prompt ends with the tag
    that opens the thoughts, for requests that ask to think (True) and that do not (False).
    """
    learned = {} if begins_thinking is None else begins_thinking
    thinks = request.sampling.thinking_budget != 0
    reader = ReplyReader(request.sampling.thinking_budget, thinking=learned.get(thinks, False))
    stopped = False

    def on_chunk(chunk: dict[str, Any]) -> bool:
        nonlocal stopped
        for delta in reader.read(chunk):
            stopped = stopped or on_delta(delta)
        if "prompt_progress" in chunk:  # nothing said yet: still a chance to stop
            stopped = stopped or on_delta(ChatDelta(""))
        return stopped or reader.over_budget

    stream(request, on_chunk)
    if reader.over_budget and not stopped:
        spent = reader.usage.thought_tokens
        unthinking = replace(request, sampling=replace(request.sampling, thinking_budget=0))
        again = generate(stream, unthinking, on_delta, learned)
        return replace(again, thought_tokens=again.thought_tokens + spent)
    if stopped:
        return reader.usage
    for delta in reader.flush():
        stopped = stopped or on_delta(delta)
    learned[thinks] = reader.begins_thinking
    return reader.usage
