"""A chat model behind any OpenAI-compatible endpoint: Ollama, vLLM, llama-server, a cloud.

Named ``openai:http://127.0.0.1:11434/v1#model``. The key comes from ``OPENAI_API_KEY``, where
it is set, and is sent in the Authorization header alone.

Text goes out as it is: which control words an endpoint's template has is not known here, so that
keeping them text is the endpoint's affair. So is its cache: a request's salt is left out, for some
servers refuse a field that they do not know (vLLM's is ``cache_salt``).
"""

import http.client
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from live_cli.engine.backends.llm import completions
from live_cli.engine.stages import (
    IMAGE_TOKENS,
    ChatDelta,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    ToolDeclaration,
)
from live_cli.errors import EngineError, UnsupportedError
from live_cli.proxies import http_opener, proxy_of_http

CONTEXT_TOKENS = 8192
"""The context window that is assumed: endpoints do not tell theirs."""
_SILENCE_LIMIT_S = 120.0
_REFUSED = 400
_NOT_TAKEN = (400, 415, 422)
_OF_SIGHT = re.compile(r"image|vision|multi-?modal|mmproj", re.IGNORECASE)
"""Words of an error that refuses images; llama-server sends it as HTTP 500."""


class OpenAIChatModel:
    """A model behind an endpoint; calls run side by side. ``spec``: base URL, ``#``, model name."""

    context_tokens = CONTEXT_TOKENS
    sees = True  # whether the model takes images, only a request tells
    image_tokens = IMAGE_TOKENS

    def __init__(self, spec: str, *, timeout_s: float = _SILENCE_LIMIT_S) -> None:
        base, _, model = spec.partition("#")
        if "@" in base or "?" in base:  # before anything is said that would show it
            raise EngineError("put the endpoint's key into OPENAI_API_KEY, not into its address")
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or not model:
            raise EngineError(
                f"{spec!r} is not an endpoint: write openai:http://127.0.0.1:11434/v1#model"
            )
        self._url = base.rstrip("/") + "/chat/completions"
        self._host = parts.netloc
        self._model = model
        self._timeout_s = timeout_s
        self._opener = http_opener()
        self._begins_thinking: dict[bool, bool] = {}
        self._extras = 2  # how many of the optional fields below this endpoint takes

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        """Stream one reply. A stop is noticed with the next chunk and closes the connection."""
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

    def _stream(self, request: ChatRequest, on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        with_images = any(message.images for message in request.messages)
        body = completions.body_of(request) | {"model": self._model}
        with self._open(body, with_images) as answer:
            try:
                for chunk in _chunks(answer):
                    if on_chunk(chunk):
                        return
            except (OSError, http.client.HTTPException) as exc:
                raise EngineError(f"{self._host} broke off its answer ({exc}): try again") from exc

    def _open(self, body: dict[str, Any], with_images: bool) -> http.client.HTTPResponse:
        """Send ``body``; fields that not every endpoint knows are left out where refused.

        ``with_images``: the request has images. Raises EngineError, UnsupportedError.
        """
        optional = "chat_template_kwargs" in body
        known = self._extras
        while True:
            try:
                return self._post(self._worded(body) if optional else body)
            except urllib.error.HTTPError as exc:
                with exc:
                    said = _error_text(exc)
                if exc.code == _REFUSED and optional and self._extras:
                    self._extras -= 1
                    continue
                if with_images and (exc.code in _NOT_TAKEN or _OF_SIGHT.search(said)):
                    self._extras = known  # it was not they that were refused
                    raise UnsupportedError(
                        f"{self._model} refused a request with images (HTTP {exc.code}): "
                        f"does it see? It said: {said}"
                    ) from exc
                if "tools" in body and exc.code in _NOT_TAKEN:
                    self._extras = known
                    raise UnsupportedError(
                        f"{self._model} refused a request with functions (HTTP {exc.code}): "
                        f"does it call them? It said: {said}"
                    ) from exc
                raise EngineError(self._explained(exc.code, said)) from exc
            except (OSError, http.client.HTTPException) as exc:
                why = getattr(exc, "reason", exc)
                proxy = proxy_of_http(self._url)
                way = f" through the proxy {proxy}" if proxy else ""
                raise EngineError(
                    f"cannot reach the chat model at {self._host}{way} ({why}): is it running?"
                ) from exc

    def _worded(self, body: dict[str, Any]) -> dict[str, Any]:
        """``body`` with as many ways to ask for no thoughts as this endpoint takes."""
        if self._extras == 2:
            return body | {"reasoning_effort": "none"}  # Ollama's word for it
        if self._extras == 1:
            return body
        return {name: value for name, value in body.items() if name != "chat_template_kwargs"}

    def _post(self, body: dict[str, Any]) -> http.client.HTTPResponse:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        key = os.environ.get("OPENAI_API_KEY")
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._url, json.dumps(body).encode(), headers, method="POST"
        )
        answer = self._opener.open(request, timeout=self._timeout_s)
        assert isinstance(answer, http.client.HTTPResponse)  # noqa: S101 - http and https only
        return answer

    def _explained(self, code: int, said: str) -> str:
        if code in (401, 403):
            return f"{self._host} refused the key (HTTP {code}): set OPENAI_API_KEY"
        if code == 404:
            return f"{self._host} has no model {self._model!r} there (HTTP 404: {said})"
        return f"{self._host} answered HTTP {code}: {said}"


def _chunks(lines: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """The JSON objects of a server-sent event stream, until ``[DONE]``."""
    for raw in lines:
        field, _, value = raw.decode("utf-8", errors="replace").strip().partition(":")
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


def _error_text(exc: urllib.error.HTTPError) -> str:
    """The error message of the endpoint, as one line of at most 200 characters."""
    try:
        text = exc.read(2000).decode(errors="replace")
        error = json.loads(text)["error"]
        text = error["message"] if isinstance(error, dict) else str(error)
    except (OSError, ValueError, KeyError, TypeError):
        text = exc.reason if isinstance(exc.reason, str) else ""
    return " ".join(text.split())[:200]
