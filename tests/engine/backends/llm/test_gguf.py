"""The bundled model in its slots: what is read again, and what it is kept in."""

import json
from types import SimpleNamespace

import pytest
import xllamacpp

from live_cli.engine.backends.llm import gguf
from live_cli.engine.chat_models.lookup import find_chat_model
from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling

SYSTEM = ChatMessage("system", "You are kind, you answer in one short sentence, and never rhyme.")


@pytest.fixture
def model():
    model = gguf.GgufChatModel(find_chat_model().path, parallel=2)
    yield model
    model.close()


def read(model, *texts):
    """The numbers of tokens of a chat (user and assistant in turns) that were read, and known."""
    roles = ("user", "assistant") * len(texts)
    said = [ChatMessage(role, text) for role, text in zip(roles, texts, strict=False)]
    timings = []

    def on_chunk(chunk):
        if "timings" in chunk:
            timings.append(chunk["timings"])
        return False

    model._stream(ChatRequest((SYSTEM, *said), Sampling(max_tokens=2)), on_chunk)
    return timings[-1]["prompt_n"], timings[-1]["cache_n"]


def test_a_chat_that_goes_on_is_not_read_again_whatever_others_ask(model):
    questions = ("How many legs has a dog?", "How many legs has a hen?")
    for question in questions:
        read(model, question)
    for question in questions:
        tokens, known = read(model, question, "Some.", "Why?")
        assert known > tokens, "all but what is new is known"


def test_a_model_whose_heads_are_no_whole_blocks_is_kept_in_16_bits():
    """Blocks of 256, which no head of the bundled model fills, in the place of those of 32."""
    types = xllamacpp.ggml_type
    library = SimpleNamespace(
        Server=xllamacpp.Server,
        ggml_type=SimpleNamespace(
            GGML_TYPE_Q8_0=types.GGML_TYPE_Q4_K, GGML_TYPE_F16=types.GGML_TYPE_F16
        ),
    )
    params = gguf._params(xllamacpp, find_chat_model().path, 1)
    params.n_parallel, params.n_ctx = 1, 1024
    server = gguf._loaded_compactly(library, params)
    body = {"messages": [{"role": "user", "content": "Hello."}], "max_tokens": 1}
    answers = []
    server.handle_chat_completions(json.dumps(body), answers.append)  # before it is let go
    assert answers
    assert params.cache_type_k == params.cache_type_v == types.GGML_TYPE_F16
