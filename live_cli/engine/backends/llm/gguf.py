"""Any GGUF chat model, in this process, through xllamacpp (llama.cpp's server as a library).

The library listens for HTTP in any case. On POSIX it does so on a Unix socket in a folder of ours,
which is removed at once, so that nobody can connect; on Windows on loopback, with a random key.
Replies begin one after another (`beginnings.py`) and go on in slots, token by token in turns, so
that a long one does not make the others wait; what finds no slot free queues. A slot keeps what it
has read of a chat (`slots.py` chooses), which requests of different salts do not share. Control
words in a request are text. A small model is loaded from a copy that is quicker (`quick_copy.py`).

A model with a projector (llama.cpp's mmproj, a GGUF file of its own) sees: the projector makes
tokens of an image, which stand where the image does, and llama.cpp keeps them in the same caches.
"""

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from live_cli.engine.backends.llm import completions
from live_cli.engine.backends.llm.beginnings import Beginnings
from live_cli.engine.backends.llm.chat_template import salt_arguments, template_with_additions
from live_cli.engine.backends.llm.control_words import ControlWords, control_words_of
from live_cli.engine.backends.llm.decoded_images import (
    CANNOT_DECODE,
    blank_image,
    check_decodable,
)
from live_cli.engine.backends.llm.gguf_metadata import check_projector, read_metadata
from live_cli.engine.backends.llm.quick_copy import quick_copy_of
from live_cli.engine.backends.llm.slots import READ_AHEAD, Slots
from live_cli.engine.backends.llm.unused_windows import unused_windows_given_back
from live_cli.engine.stages import (
    IMAGE_TOKENS,
    ChatDelta,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    ToolDeclaration,
)
from live_cli.errors import EngineError, UnsupportedError

CONTEXT_TOKENS = 4096
"""The context window of a loaded model; on Linux its cache takes memory for what is used of it."""
_BATCH_TOKENS = 128  # a stop is noticed once a batch: 0.5 s on a slow model, at no cost in speed
_IMAGE_BATCH_TOKENS = 512
"""With a projector: in some models all tokens of an image look at each other, in one batch only."""
_IMAGE_SHARE = 4  # of the context, for one image of a model that takes any size
_NO_IMAGE = "Failed to load image"  # llama.cpp's words
_LONGEST_FOLDER_BYTES = 70
_SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1}
"""Where a setup says nothing: small models ramble and repeat themselves at llama.cpp's own 0.8
(0.2 and 0.9 are what SmolLM2's model card asks for)."""


_CALLING = _SAMPLING | {"repeat_penalty": 1.0}
"""With tools: a call repeats the names of the request, and JSON repeats itself."""


def default_threads() -> int:
    """One less than the cores: with one busy elsewhere, all cores would fall to a quarter."""
    return max(1, (os.cpu_count() or 1) - 1)


class GgufChatModel:
    """A loaded GGUF file, which sees with a ``projector``. ``threads`` 0: one less than the cores.

    ``parallel``: how many replies are generated side by side, each with a window of its own.
    """

    def __init__(
        self,
        path: Path,
        projector: Path | None = None,
        *,
        threads: int = 0,
        parallel: int = 1,
        context_tokens: int = CONTEXT_TOKENS,
    ) -> None:
        for file in filter(None, (path, projector)):
            if not file.is_file():
                raise EngineError(f"no chat model at {file}: see `live-cli models`")
        try:
            import xllamacpp
        except ImportError as exc:
            raise EngineError(
                "the chat model runtime is not installed: pip install 'live-cli[local]'"
            ) from exc
        self.context_tokens = context_tokens
        self._beginnings, self._slots = Beginnings(), Slots(parallel)
        self.sees = projector is not None
        params = _params(xllamacpp, path, threads or default_threads())
        params.n_parallel, params.n_ctx = parallel, parallel * context_tokens
        try:
            metadata = read_metadata(path)
            template = template_with_additions(metadata.template, metadata.tool_template)
            params.chat_template = template
            params.model.path = str(quick_copy_of(path))
            self._server: Any = (
                _loaded_compactly(xllamacpp, params)
                if projector is None
                else _seeing_server(xllamacpp, params, path.name, projector)
            )
        except EngineError:
            raise
        except Exception as exc:  # the library raises RuntimeError and others out of C++
            raise EngineError(f"{path.name} does not load as a GGUF chat model ({exc})") from exc
        self._control_words = ControlWords(control_words_of(metadata, template))
        self.image_tokens = self._tokens_of_image() if self.sees else IMAGE_TOKENS

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
        self.generate(ChatRequest(ask, READ_AHEAD, tools, salt), lambda _: False)

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> int | None:
        """Return what llama.cpp counts before it reads a prompt: the tokens, or its refusal."""
        counted: list[int] = []

        def on_chunk(chunk: dict[str, Any]) -> bool:
            counted.extend(completions.prompt_tokens_of(chunk))
            return bool(counted)

        self._stream(ChatRequest(messages, READ_AHEAD), on_chunk)
        return counted[0] if counted else None

    def _tokens_of_image(self) -> int:
        """Return how many tokens an image takes; llama.cpp counts them before it looks at it."""
        blank, text = ChatMessage("user", ".", (blank_image(),)), ChatMessage("user", ".")
        with_image, without = self.count_tokens((blank,)), self.count_tokens((text,))
        return max(1, with_image - without) if with_image and without else IMAGE_TOKENS

    def close(self) -> None:
        """Free the model, once the replies under way have ended."""
        self._server = None

    def _stream(self, request: ChatRequest, on_chunk: completions.OnChunk) -> None:
        check_decodable(request.messages)
        body = self._body_of(request)
        beginning = self._beginnings.wait(
            lambda: on_chunk(completions.STILL_WAITING),
            reads_ahead=request.sampling == READ_AHEAD,
        )
        if beginning is None:
            return
        with beginning, self._slots.taken(request) as slot:
            chosen = {} if slot is None else {"id_slot": slot}
            self._complete(body | chosen, beginning.watched(on_chunk))

    def _complete(self, body: dict[str, Any], on_chunk: completions.OnChunk) -> None:
        server = self._server
        if server is None:
            raise EngineError("the chat model is closed")
        failure: list[Exception] = []

        def on_json(text: str) -> bool:
            try:
                if text.startswith('{"error"') and _NO_IMAGE in text:
                    raise UnsupportedError(CANNOT_DECODE)
                return on_chunk(json.loads(text))
            except Exception as exc:  # noqa: BLE001 - carried over the C++ frames below us
                failure.append(exc)
                return True

        try:
            server.handle_chat_completions(json.dumps(body), on_json)
        except (RuntimeError, ValueError) as exc:
            if _NO_IMAGE in str(exc):
                raise UnsupportedError(CANNOT_DECODE) from exc
            raise EngineError(f"the chat model refused: {exc}") from exc
        if failure:
            raise failure[0]

    def _body_of(self, request: ChatRequest) -> dict[str, Any]:
        """Return the request as JSON, all that comes from outside in it without control words."""
        words = self._control_words
        texts = (replace(message, images=()) for message in request.messages)
        messages = tuple(map(words.broken_in_calls, texts))
        body = completions.body_of(replace(request, messages=messages))
        for name in ("messages", "tools"):
            if name in body:
                body[name] = words.broken_in_json(body[name])
        for message, made in zip(request.messages, body["messages"], strict=True):
            if message.images:  # after the words are broken: in base64 stand none
                made["content"] = completions.with_images(made["content"], message.images)
        salted = body.get("chat_template_kwargs", {}) | salt_arguments(request.salt)
        body |= {"return_progress": True, "cache_prompt": True, "chat_template_kwargs": salted}
        return (_CALLING if request.tools else _SAMPLING) | body


def _seeing_server(library: Any, params: Any, name: str, projector: Path) -> Any:
    """Load the model of ``params``, which is called ``name``, with its projector.

    Raises EngineError where the two fail. llama.cpp says no more than that they do. To try the
    model alone is no way to learn more: a server that is let go as soon as it is made may wait for
    its own thread for ever.
    """
    try:
        check_projector(projector)
    except ValueError as exc:
        raise EngineError(f"{name} cannot see by {projector.name}: {exc}") from exc
    params.mmproj.path = str(projector)
    params.n_batch = params.n_ubatch = _IMAGE_BATCH_TOKENS
    params.image_max_tokens = params.n_ctx // params.n_parallel // _IMAGE_SHARE
    try:
        return _loaded_compactly(library, params)
    except RuntimeError as exc:
        raise EngineError(
            f"{name} does not load with {projector.name}: take the projector that was made for it"
        ) from exc


def _loaded_compactly(library: Any, params: Any) -> Any:
    """Load with what is read kept in 8 bits a number: half the memory, and answers come no later.

    A model whose heads do not fit into blocks of 32 keeps it in 16.
    """
    params.cache_type_k = params.cache_type_v = library.ggml_type.GGML_TYPE_Q8_0
    try:
        return _loaded(library, params)
    except RuntimeError:
        params.cache_type_k = params.cache_type_v = library.ggml_type.GGML_TYPE_F16
        return _loaded(library, params)


def _loaded(library: Any, params: Any) -> Any:
    with _listening_to_nobody(params), unused_windows_given_back():
        return library.Server(params)


@contextmanager
def _listening_to_nobody(params: Any) -> Iterator[None]:
    """Have the server that is made of ``params`` inside this context take no connection after it.

    A Unix socket lives in a folder that only this user may enter, and leaves with the folder. Its
    path has to fit into 104 bytes (macOS; Linux 108), whatever the folder for temporary files.
    """
    if os.name != "posix":
        yield
        return
    usual = tempfile.gettempdir()
    place = usual if len(os.fsencode(usual)) <= _LONGEST_FOLDER_BYTES else "/tmp"  # noqa: S108
    with tempfile.TemporaryDirectory(prefix="live-cli-", dir=place) as folder:
        params.hostnames = [f"{folder}/llama.sock"]  # llama.cpp tells it by the .sock
        yield


def _params(library: Any, path: Path, threads: int) -> Any:
    params = library.CommonParams()
    params.model.path = str(path)
    params.kv_unified = False
    params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = 0  # of chats beside the slots, for who lets llama.cpp choose these
    params.fit_params = False
    params.verbosity = -1
    params.port = 0
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = False
    params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.cors_origins, params.cors_credentials = "", False
    params.n_threads_http = 1
    return params
