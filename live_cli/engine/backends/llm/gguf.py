"""Any GGUF chat model, in this process, through xllamacpp (llama.cpp's server as a library).

The library listens for HTTP on loopback in any case: that server gets a random key and no page.
Replies are generated in slots, token by token in turns, so that a long one does not make
the others wait; what finds no slot free queues. A slot keeps the prefix of its chat in a cache.
"""

import http.client
import json
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from live_cli.engine.backends.llm import completions
from live_cli.engine.backends.llm.tools_first import TOOLS_FIRST
from live_cli.engine.stages import (
    ChatDelta,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    Sampling,
    ToolDeclaration,
)
from live_cli.errors import EngineError

CONTEXT_TOKENS = 4096
"""The context window of a loaded model; its cache takes memory for all of it."""
_BATCH_TOKENS = 128  # a stop is noticed once a batch: 0.5 s on a slow model, at no cost in speed
_CACHE_MIB = 64  # prefixes of other chats, so that two sessions do not evict each other
_SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1}
"""Where a setup says nothing: small models ramble and repeat themselves at llama.cpp's own 0.8
(0.2 and 0.9 are what SmolLM2's model card asks for)."""


_CALLING = _SAMPLING | {"repeat_penalty": 1.0}
"""With tools: a call repeats the names of the request, and JSON repeats itself."""


def default_threads() -> int:
    """One less than the cores: with one busy elsewhere, all cores would fall to a quarter."""
    return max(1, (os.cpu_count() or 1) - 1)


class GgufChatModel:
    """A loaded GGUF file. ``threads`` 0: one less than the cores.

    ``parallel``: how many replies are generated side by side, each with a window of its own.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 0,
        parallel: int = 1,
        context_tokens: int = CONTEXT_TOKENS,
    ) -> None:
        if not path.is_file():
            raise EngineError(f"no chat model at {path}: see `live-cli models`")
        try:
            import xllamacpp
        except ImportError as exc:
            raise EngineError(
                "the chat model runtime is not installed: pip install 'live-cli[local]'"
            ) from exc
        self.context_tokens = context_tokens
        self.sees = False
        self._library = xllamacpp
        self._name = path.name
        self._params = _params(xllamacpp, path, threads or default_threads())
        self._params.n_parallel, self._params.n_ctx = parallel, parallel * context_tokens
        self._loading = threading.Lock()
        self._takes_tools = False
        self._server: Any = self._loaded()

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        """Stream one reply; ``on_delta`` also gets empty deltas while the prompt is read."""
        return completions.generate(self._stream, request, on_delta)

    def prefill(
        self,
        messages: tuple[ChatMessage, ...],
        tools: tuple[ToolDeclaration, ...] = (),
        salt: str = "",
    ) -> None:
        """Read ``messages`` into the prefix cache; the one token that comes with it is dropped."""
        asks = bool(messages) and messages[-1].role == "user"
        ask = messages if asks else (*messages, ChatMessage("user", "."))
        self.generate(ChatRequest(ask, Sampling(max_tokens=1), tools, salt), lambda _: False)

    def close(self) -> None:
        """Free the model, once the replies under way have ended."""
        with self._loading:
            self._server = None

    def _stream(self, request: ChatRequest, on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        if request.tools:
            self._add_tools_to_template()
        server = self._server
        if server is None:
            raise EngineError("the chat model is closed")
        body = (
            (_CALLING if request.tools else _SAMPLING)
            | completions.body_of(request)
            | {"return_progress": True, "cache_prompt": True}
        )
        failure: list[Exception] = []

        def on_json(text: str) -> bool:
            try:
                return on_chunk(json.loads(text))
            except Exception as exc:  # noqa: BLE001 - carried over the C++ frames below us
                failure.append(exc)
                return True

        try:
            server.handle_chat_completions(json.dumps(body), on_json)
        except (RuntimeError, ValueError) as exc:
            raise EngineError(f"the chat model refused: {exc}") from exc
        if failure:
            raise failure[0]

    def _add_tools_to_template(self) -> None:
        """Load the model again, once, with tools in its chat template where they are missing."""
        with self._loading:
            server = self._server
            if self._takes_tools or server is None:
                return
            properties = _properties(server.listening_address, self._params.api_keys[0])
            if not properties["chat_template_caps"]["supports_tool_calls"]:
                self._params.chat_template = TOOLS_FIRST + properties["chat_template"]
                self._server = self._loaded()  # replies under way end on the old one
            self._takes_tools = True

    def _loaded(self) -> Any:
        try:
            return self._library.Server(self._params)
        except Exception as exc:  # the library raises RuntimeError and others out of C++
            raise EngineError(f"{self._name} does not load as a GGUF chat model ({exc})") from exc


def _properties(address: str, key: str) -> dict[str, Any]:
    """Ask the library's HTTP server for the model's chat template and its capabilities."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/props", headers={"Authorization": f"Bearer {key}"})
        properties: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise EngineError(f"cannot learn the chat model's template ({exc})") from exc
    finally:
        connection.close()
    return properties


def _params(library: Any, path: Path, threads: int) -> Any:
    params = library.CommonParams()
    params.model.path = str(path)
    params.kv_unified = False
    params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = _CACHE_MIB
    params.fit_params = False
    params.verbosity = -1
    params.port = 0
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = False
    params.endpoint_slots = False
    return params
