"""Sessions of the families: contents, full contexts and what a turn's end tells."""

import msgspec
import pytest

from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.conversation.history.entries import USER
from live_cli.engine.conversation.history.history import ContextWindow, History
from live_cli.engine.conversation.history.tokens import AUDIO_TOKENS_A_SECOND
from live_cli.engine.setup.config import session_config_of
from live_cli.engine.stages import ChatMessage
from live_cli.errors import UnsupportedError
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.events import ContentReceived, TextReceived
from live_cli.protocol.messages import (
    Content,
    ContextWindowCompressionConfig,
    GenerationConfig,
    HistoryConfig,
    Part,
    Setup,
    SlidingWindow,
    ThinkingConfig,
)
from tests.harness.scripted_session import ScriptedRegistry, text_setup

V3_1 = "models/gemini-3.1-flash-live-preview"
V3_8 = "models/gemini-3.8-live"
THINKING = "models/gemini-3.8-live-extended-thinking"
CASCADE = "models/gemini-live-2.5-flash-preview"
INVALID = "Request contains an invalid argument."


def content(text, role="user"):
    return Content(role=role, parts=[Part(text=text)])


async def test_3_1_takes_contents_as_initial_history_alone(connect):
    harness = await connect(Setup(model=V3_1))
    with pytest.raises(UnsupportedError, match=INVALID) as refused:
        await harness.session.handle(ContentReceived([content("Hello")], True))
    assert refused.value.close_code == 1007

    chat = ScriptedChatModel(["Berlin."])
    first = HistoryConfig(initial_history_in_client_content=True)
    harness = await connect(Setup(model=V3_1, history_config=first), ScriptedRegistry(chat))
    await harness.session.handle(
        ContentReceived([content("I am Ann."), content("Hi", "model")], True)
    )
    assert not harness.session.busy
    with pytest.raises(UnsupportedError, match=INVALID):
        await harness.session.handle(ContentReceived([content("And now?")], True))
    await harness.session.handle(TextReceived("Who am I?"))
    await harness.shows("generationComplete")
    assert [m.text for m in chat.requests[0].messages[-3:]] == ["I am Ann.", "Hi", "Who am I?"]


@pytest.mark.parametrize("model", [V3_1, V3_8])
async def test_the_newer_want_a_role(connect, model):
    first = HistoryConfig(initial_history_in_client_content=True)
    harness = await connect(Setup(model=model, history_config=first))
    with pytest.raises(UnsupportedError, match="valid role"):
        await harness.session.handle(ContentReceived([content("Hello", None)], True))


async def test_the_older_take_no_role_for_the_users(connect):
    harness = await connect(msgspec.structs.replace(text_setup(), model=CASCADE))
    await harness.session.handle(ContentReceived([content("Hello", None)], True))
    await harness.shows("turnComplete+usage")


@pytest.mark.parametrize(("model", "interrupted"), [(V3_8, False), ("models/local", True)])
async def test_what_is_only_added_interrupts_the_older_alone(connect, model, interrupted):
    harness = await connect(Setup(model=model))
    await harness.ask("Tell me a story")
    await harness.shows("generationComplete")  # and it plays
    await harness.ask("By the way, it rains.", complete=False)
    assert ("interrupted" in harness.words()) == interrupted
    await harness.ask("Go on")
    assert "interrupted" in harness.words()


async def test_extended_thinking_tells_that_it_is_idle(connect):
    thinking = GenerationConfig(thinking_config=ThinkingConfig(thinking_level="low"))
    for model, config, status in ((THINKING, thinking, "IDLE"), (V3_8, None, None)):
        harness = await connect(Setup(model=model, generation_config=config))
        await harness.ask("Hello")
        await harness.shows("generationComplete")
        harness.time.advance(60)
        await harness.shows("turnComplete+usage")
        [end] = [m.server_content for m in harness.messages if m.usage_metadata]
        assert end.interaction_status == status


def filled(seconds, **window):
    history = History("", ContextWindow(10**9, **window))
    for _ in range(10):
        history.add(USER, "word", seconds / 10)
        history.add("model", "word")
    return history


def test_a_context_is_full_beyond_its_models_limit():
    seconds = 32_768 // AUDIO_TOKENS_A_SECOND
    assert not filled(seconds - 10, limit_tokens=32_768).is_full
    assert filled(seconds + 10, limit_tokens=32_768).is_full
    assert not filled(seconds + 10).is_full
    compressed = filled(seconds + 10, limit_tokens=32_768, trigger_tokens=26_214)
    compressed.trim()
    assert not compressed.is_full
    assert compressed.billed().total <= 26_214 // 2


class Wide(ScriptedChatModel):
    context_tokens = 10**6


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_full_context_ends_the_session_unless_it_is_compressed(connect, compressed):
    asked = ContextWindowCompressionConfig(sliding_window=SlidingWindow()) if compressed else None
    setup = text_setup(context_window_compression=asked)
    chat = Wide(["One.", "Two."])
    harness = await connect(msgspec.structs.replace(setup, model=CASCADE), ScriptedRegistry(chat))
    for _ in range(2):
        await harness.ask("word " * 20_000, complete=False)
        await harness.session.handle(ContentReceived([content("Yes.", "model")], False))
    await harness.ask("And now?")
    if compressed:
        await harness.shows("turnComplete+usage")
        assert len(chat.requests[0].messages) < 5
    else:
        failure = await harness.session.failed()
        assert (failure.close_code, failure.reason) == (1007, INVALID)


@pytest.mark.parametrize(
    ("model", "trigger"), [(V3_8, 104_857), (CASCADE, 26_214), ("models/local", None)]
)
def test_the_trigger_is_four_fifths_of_the_context(model, trigger):
    asked = ContextWindowCompressionConfig(sliding_window=SlidingWindow())
    assert (
        session_config_of(Setup(model=model, context_window_compression=asked)).trigger_tokens
        == trigger
    )
    assert session_config_of(Setup(model=model)).trigger_tokens is None


@pytest.mark.parametrize(
    ("trigger", "target", "accepted"),
    [(4_999, None, False), (5_000, 0, True), (128_000, 128_000, True), (128_001, 1, False),
     (9_000, 128_001, False), (None, None, True)],
)  # fmt: skip
def test_ranges_hold_on_vertex_alone(trigger, target, accepted):
    window = SlidingWindow(target_tokens=target)
    asked = ContextWindowCompressionConfig(trigger_tokens=trigger, sliding_window=window)
    setup = Setup(model=V3_8, context_window_compression=asked)
    assert session_config_of(setup).target_tokens == target
    if accepted:
        assert session_config_of(setup, Dialect("v1beta1", vertex=True)).target_tokens == target
    else:
        with pytest.raises(UnsupportedError, match="must lie between"):
            session_config_of(setup, Dialect("v1beta1", vertex=True))


async def test_a_content_of_the_system_replaces_the_instruction_on_vertex_alone(connect):
    turns = [content("Speak as a pirate.", "system")]
    chat = ScriptedChatModel(["Arr."])
    dialect = Dialect("v1beta1", vertex=True)
    harness = await connect(text_setup(), ScriptedRegistry(chat), dialect=dialect)
    await harness.session.handle(ContentReceived(turns, False))
    await harness.ask("Hello")
    await harness.shows("turnComplete+usage")
    assert chat.requests[0].messages[0] == ChatMessage("system", "Speak as a pirate.")
    gemini = await connect(text_setup())
    with pytest.raises(UnsupportedError, match="valid role"):
        await gemini.session.handle(ContentReceived(turns, False))
