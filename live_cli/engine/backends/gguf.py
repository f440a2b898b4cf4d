"""Any GGUF chat model, in this process, through xllamacpp (llama.cpp's server as a library).

The library opens an HTTP door on loopback whether it is wanted or not: it gets a random key and
no page. Replies are generated in slots, token by token in turns, so that a long one does not make
the others wait; what finds no slot free queues. A slot keeps its conversation's prefix warm.
"""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from live_cli.engine.backends import completions
from live_cli.engine.stages import ChatDelta, ChatMessage, ChatRequest, ChatUsage, Sampling
from live_cli.errors import EngineError

CONTEXT_TOKENS = 4096
"""The window a model is loaded with; its cache is paid in memory for all of it."""
_BATCH_TOKENS = 128  # a stop is noticed once a batch: 0.5 s on a slow model, at no cost in speed
_CACHE_MIB = 64  # prefixes of other conversations, so that two sessions do not evict each other
_SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1}
"""Where a setup says nothing: small models ramble and repeat themselves at llama.cpp's own 0.8
(0.2 and 0.9 are what SmolLM2's model card asks for)."""


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
        params = _params(xllamacpp, path, threads or default_threads())
        params.n_parallel, params.n_ctx = parallel, parallel * context_tokens
        try:
            self._server: Any = xllamacpp.Server(params)
        except Exception as exc:  # the library raises RuntimeError and others out of C++
            raise EngineError(f"{path.name} does not load as a GGUF chat model ({exc})") from exc

    def generate(self, request: ChatRequest, on_delta: Callable[[ChatDelta], bool]) -> ChatUsage:
        """Stream one reply; ``on_delta`` also gets empty deltas while the prompt is read."""
        return completions.generate(self._stream, request, on_delta)

    def prefill(self, messages: tuple[ChatMessage, ...]) -> None:
        """Read ``messages`` into the prefix cache; the one token this must generate is dropped."""
        ask = messages if messages[-1].role == "user" else (*messages, ChatMessage("user", "."))
        self.generate(ChatRequest(ask, Sampling(max_tokens=1)), lambda _: False)

    def close(self) -> None:
        """Free the model, once the replies under way have ended."""
        self._server = None

    def _stream(self, request: ChatRequest, on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        server = self._server
        if server is None:
            raise EngineError("the chat model is closed")
        body = (
            _SAMPLING
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
