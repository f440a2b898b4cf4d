"""The chat model is loaded once, whatever its sessions ask for."""

import json

import pytest

from live_cli.engine.backends.llm.chat_template import template_with_additions
from live_cli.engine.backends.llm.completions import body_of
from live_cli.engine.backends.llm.gguf import GgufChatModel
from live_cli.engine.backends.llm.quick_copy import quick_copy_of
from live_cli.engine.backends.llm.tools_first import TOOLS_FIRST
from live_cli.engine.chat_models.lookup import find_chat_model
from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling, ToolDeclaration, ToolUse

TOOLS = (ToolDeclaration("lock", "Locks the door."),)
ASK = ChatMessage("user", "Lock the door.")


def test_sessions_with_and_without_tools_share_one_load(real, monkeypatch):
    import xllamacpp

    loads = []
    load = xllamacpp.Server
    monkeypatch.setattr(xllamacpp, "Server", lambda params: loads.append(params) or load(params))
    model = GgufChatModel(find_chat_model().path)
    for tools in ((), TOOLS, (), TOOLS):
        model.prefill((ASK,), tools)
        model.generate(ChatRequest((ASK,), Sampling(max_tokens=2), tools), lambda _: False)
    model.close()
    assert len(loads) == 1


def server_with(template):
    """The library's own server, with a template in place of the file's."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(quick_copy_of(find_chat_model().path))
    params.n_ctx, params.n_parallel, params.port, params.verbosity = 1024, 1, 0, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.ui, params.api_keys, params.warmup = False, ["random"], False
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0  # as ours
    params.chat_template = template
    return xllamacpp.Server(params)


def test_without_tools_a_prompt_is_that_of_the_files_own_template(chat):
    bare = server_with("")
    conversations = [
        (ASK,),
        (ChatMessage("system", " Be brief.\n"), ASK, ChatMessage("assistant", "Done."), ASK),
    ]
    for messages in conversations:
        request = ChatRequest(messages, Sampling(max_tokens=8, temperature=0.0))
        chunks, ours = [], []
        bare.handle_chat_completions(
            json.dumps({"repeat_penalty": 1.1, "top_p": 0.9} | body_of(request)),
            lambda text, chunks=chunks: chunks.append(json.loads(text)) or False,
        )
        usage = chat.generate(request, lambda delta, ours=ours: ours.append(delta.text) or False)
        deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
        assert "".join(delta.get("content") or "" for delta in deltas) == "".join(ours)
        assert chunks[-1]["usage"]["prompt_tokens"] == usage.prompt_tokens


OWN = "{% for tool in tools %}{{ tool }}{% endfor %}{{ messages[0].tool_calls }}"


@pytest.mark.parametrize(
    ("own", "for_tools", "adds"),
    [
        ("{{ messages }}", "", True),
        ("{{ messages[0].tool_calls }} and toolset", "", True),  # writes calls, tells no tools
        (OWN, "", False),
        ("{{ messages }}", OWN, False),
        ("", "", True),
    ],
)
def test_tools_are_added_where_a_template_has_none(own, for_tools, adds):
    template = template_with_additions(own, for_tools)
    assert (TOOLS_FIRST in template) is adds
    assert own in template
    assert for_tools in template


def test_a_file_without_a_template_gets_that_of_the_library(real):
    chunks: list[dict] = []
    call = ToolUse("1", "lock", {})
    messages = (
        ChatMessage("system", "Be brief."),
        ASK,
        ChatMessage("assistant", "", calls=(call,)),
        ChatMessage("tool", "locked", call_id="1"),
    )
    body = body_of(ChatRequest(messages, Sampling(max_tokens=1), TOOLS))
    server_with(template_with_additions("", "")).handle_chat_completions(
        json.dumps(body), lambda text: chunks.append(json.loads(text)) or False
    )
    assert not any("error" in chunk for chunk in chunks)
    assert chunks[-1]["usage"]["prompt_tokens"] > 60
