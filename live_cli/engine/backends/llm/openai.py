"""A chat model behind any OpenAI-compatible endpoint: Ollama, vLLM, llama-server, a cloud.

Named ``openai:http://127.0.0.1:11434/v1#model``. The key comes from ``OPENAI_API_KEY``, where
it is set, and is sent in the Authorization header alone.

Text goes out as it is: which control words an endpoint's template has is not known here, so that
keeping them text is the endpoint's affair. So is its cache: a request's salt is left out, for some
servers refuse a field that they do not know (vLLM's is ``cache_salt``).
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from live_cli.engine.backends.endpoint_addresses import EndpointAddress
from live_cli.engine.backends.http_exchange import HttpHead
from live_cli.engine.backends.llm import completions
from live_cli.engine.backends.stage_endpoint import (
    EndpointRefusedError,
    EndpointRequest,
    RequestFor,
    StageEndpoint,
)
from live_cli.engine.stages import (
    IMAGE_TOKENS,
    ChatDelta,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    ToolDeclaration,
)
from live_cli.errors import EngineError, UnsupportedError

CONTEXT_TOKENS = 8192
"""The context window that is assumed: endpoints do not tell theirs."""
_STAGE = "chat model"
_SILENCE_LIMIT_S = 120.0
_MOST_BYTES = 64 * 1024 * 1024
_LINE_BYTES = 4 * 1024 * 1024
_REFUSED = 400
_NOT_TAKEN = (400, 415, 422)
_OF_SIGHT = re.compile(r"image|vision|multi-?modal|mmproj", re.IGNORECASE)
"""Words of an error that refuses images; llama-server sends it as HTTP 500."""
_ALL_EXTRAS = 2


class OpenAIChatModel:
    """A model behind one or several endpoints; calls run side by side.

    ``spec``: base URL, ``#``, model name; several with commas between them.
    """

    context_tokens = CONTEXT_TOKENS
    sees = True  # whether the model takes images, only a request tells
    image_tokens = IMAGE_TOKENS

    def __init__(self, spec: str, *, timeout_s: float = _SILENCE_LIMIT_S) -> None:
        self._endpoint = StageEndpoint(_STAGE, spec, silence_s=timeout_s, most_bytes=_MOST_BYTES)
        self._begins_thinking: dict[bool, bool] = {}
        self._extras: dict[EndpointAddress, int] = {}
        """How many of the optional fields below an address takes, where not all."""

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        """Stream one reply. A stop is noticed within 0.1 s and closes the connection."""
        return completions.generate(self._stream, request, on_delta, self._begins_thinking)

    def prefill(
        self,
        messages: tuple[ChatMessage, ...],
        tools: tuple[ToolDeclaration, ...] = (),
        salt: str = "",
    ) -> None:
        """Nothing: the cache of an endpoint is its own affair, and tokens may cost money."""

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> None:
        """None: endpoints tell neither their tokenizer nor their context."""

    def close(self) -> None:
        """Nothing: no connection stays open between replies."""

    def _stream(self, request: ChatRequest, on_chunk: completions.OnChunk) -> None:
        body = completions.body_of(request)
        optional = "chat_template_kwargs" in body
        known = dict(self._extras)

        def request_for(address: EndpointAddress) -> EndpointRequest:
            extras = self._extras.get(address, _ALL_EXTRAS)
            sent = (_worded(body, extras) if optional else body) | {"model": address.name}
            return EndpointRequest(
                "/chat/completions", json.dumps(sent).encode(), accept="text/event-stream"
            )

        while True:
            try:
                self._read(request_for, on_chunk)
                return
            except EndpointRefusedError as exc:
                extras = self._extras.get(exc.address, _ALL_EXTRAS)
                if exc.status == _REFUSED and optional and extras:
                    self._extras[exc.address] = extras - 1
                    continue
                raise self._explained(exc, request, known) from exc

    def _read(self, request_for: RequestFor, on_chunk: completions.OnChunk) -> None:
        with closing(self._endpoint.fetch(request_for)) as arrivals:
            for chunk in _chunks(arrivals):
                if on_chunk(chunk):
                    return

    def _explained(
        self, exc: EndpointRefusedError, request: ChatRequest, known: dict[EndpointAddress, int]
    ) -> EngineError | UnsupportedError:
        """Return the error that a refusal means; where it was about what a request has, the
        optional fields that were left out before are back to ``known``."""
        with_images = any(message.images for message in request.messages)
        name, code, said = exc.address.name, exc.status, exc.said
        if with_images and (code in _NOT_TAKEN or _OF_SIGHT.search(said)):
            self._extras = known
            return UnsupportedError(
                f"{name} refused a request with images (HTTP {code}): does it see? It said: {said}"
            )
        if request.tools and code in _NOT_TAKEN:
            self._extras = known
            return UnsupportedError(
                f"{name} refused a request with functions (HTTP {code}): "
                f"does it call them? It said: {said}"
            )
        return exc


def _worded(body: dict[str, Any], extras: int) -> dict[str, Any]:
    """``body`` with as many ways to ask for no thoughts as an endpoint takes."""
    if extras == _ALL_EXTRAS:
        return body | {"reasoning_effort": "none"}  # Ollama's word for it
    if extras == 1:
        return body
    return {name: value for name, value in body.items() if name != "chat_template_kwargs"}


def _lines(arrivals: Iterator[HttpHead | bytes]) -> Iterator[bytes]:
    """Yield the lines of a body, and b"" while nothing comes. Raises EngineError for endless ones.

    A line that the end cuts off is one, too.
    """
    held = b""
    for arrived in arrivals:
        if isinstance(arrived, HttpHead):
            continue
        if not arrived:
            yield b""
            continue
        *whole, held = (held + arrived).split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(held) > _LINE_BYTES:
            raise EngineError("the endpoint's stream has no lines: is this its /v1 address?")
    if held:
        yield held


def _chunks(arrivals: Iterator[HttpHead | bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects of a server-sent event stream, until ``[DONE]``."""
    for line in _lines(arrivals):
        if not line:
            yield completions.STILL_WAITING
            continue
        field, _, value = line.decode("utf-8", errors="replace").strip().partition(":")
        value = value.strip()
        if field != "data" or not value:
            continue
        if value == "[DONE]":
            return
        try:
            chunk = json.loads(value)
        except ValueError as exc:
            raise EngineError(
                "the endpoint's stream is not JSON: is this its /v1 address?"
            ) from exc
        if isinstance(chunk, dict):
            yield chunk
