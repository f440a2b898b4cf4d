"""What one principal has asked cannot be told by another from what the prompt cache holds."""

import pytest

from live_cli.engine.backends.llm.chat_template import salt_arguments, template_with_additions
from live_cli.engine.backends.llm.gguf import GgufChatModel
from live_cli.engine.chat_models.lookup import find_chat_model
from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling, ToolDeclaration

OWNER, KEY, TOKEN = "", "key:5f0c", "key:5f0c/token:77ab"
SENTENCES = " ".join(f"Rule {n}: say the word number {n} to every guest." for n in range(4))
MOST_SHARED = 2
"""Tokens: the one that begins each text, where a model has one, and a digit by chance."""


@pytest.fixture
def chat():
    """The bundled model with several slots, as `serve` has them, which has read nothing yet."""
    model = GgufChatModel(find_chat_model().path, parallel=4)
    yield model
    model.close()


def of_system(secret):
    return (ChatMessage("system", f"{secret} {SENTENCES}"), ChatMessage("user", "Hello")), ()


def of_user(secret):
    return (ChatMessage("user", f"{secret} {SENTENCES}"),), ()


def of_tools(secret):
    return (ChatMessage("user", "Hello"),), (ToolDeclaration("f", f"{secret} {SENTENCES}"),)


def cached_tokens(chat, asked, salt):
    """How much of the prompt the model found in its caches, by its own count."""
    messages, tools = asked
    chunks = []
    chat._stream(ChatRequest(messages, Sampling(max_tokens=1), tools, salt), chunks.append)
    [usage] = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    assert usage["prompt_tokens"] > MOST_SHARED + 50
    return usage["prompt_tokens_details"]["cached_tokens"]


@pytest.mark.parametrize("place", [of_system, of_user, of_tools])
@pytest.mark.parametrize(("first", "second"), [(OWNER, KEY), (KEY, OWNER), (KEY, TOKEN)])
def test_another_principal_finds_nothing_of_what_was_asked(chat, place, first, second):
    secret = f"Moonlight {place.__name__} {first} {second}"
    asked = place(secret)
    cached_tokens(chat, asked, first)
    used = cached_tokens(chat, asked, second)
    unused = cached_tokens(chat, place(f"Sunshine {secret}"), second)
    assert used <= max(unused, MOST_SHARED)
    assert cached_tokens(chat, asked, first) > MOST_SHARED + 50  # who asked it has its profit


def test_what_is_read_ahead_is_its_principals_too(chat):
    messages, tools = of_system("Starlight")
    chat.prefill(messages[:1], tools, KEY)
    assert cached_tokens(chat, (messages, tools), TOKEN) <= MOST_SHARED
    assert cached_tokens(chat, (messages, tools), KEY) > MOST_SHARED + 50


@pytest.mark.parametrize("salt", [KEY, TOKEN])
def test_answers_make_sense_behind_a_salt(chat, salt):
    asked = {"What is the capital of France?": "Paris", "How many days are in a week?": "seven"}
    for question, answer in asked.items():
        messages = (
            ChatMessage("system", "Answer in one short sentence."),
            ChatMessage("user", question),
        )
        said: list[str] = []
        chat.generate(
            ChatRequest(messages, Sampling(max_tokens=24, temperature=0.0), salt=salt),
            lambda delta, said=said: said.append(delta.text) or False,
        )
        assert answer.lower() in "".join(said).lower().replace("7", "seven")


def test_a_salt_tells_nothing_and_costs_few_tokens(chat):
    def tokens(salt):
        ask = (ChatMessage("user", "Hello"),)
        request = ChatRequest(ask, Sampling(max_tokens=1), salt=salt)
        return chat.generate(request, lambda _: False).prompt_tokens

    assert salt_arguments(OWNER) == {}
    [text] = salt_arguments(TOKEN).values()
    assert not any(part in text for part in ("key", "token", "5f0c", "77ab"))
    assert tokens(OWNER) < tokens(TOKEN) <= tokens(OWNER) + 16


def test_the_token_that_begins_a_text_stays_the_first():
    own = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %} tools tool_calls"
    template = template_with_additions(own, "")
    assert template.endswith(own)
    assert template.index("bos_token + prompt_salt") < template.index(own)
    assert "bos_token" not in template_with_additions("{{ messages }}", "")
