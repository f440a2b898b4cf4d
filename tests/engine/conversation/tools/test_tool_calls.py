"""Turns in which the model calls functions, on scripted stages and fake time."""

import asyncio
import threading

import msgspec
import pytest

from live_cli.engine.backends.scripted import ScriptedChatModel, ScriptedTranscriber
from live_cli.engine.engine import LiveEngine
from live_cli.errors import UnsupportedError
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.events import (
    ActivityEnded,
    ActivityStarted,
    AudioStreamEnded,
    ContentReceived,
    ContextUpdated,
    TextReceived,
    ToolResponseReceived,
)
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    Content,
    FunctionCall,
    FunctionDeclaration,
    FunctionResponse,
    GenerationConfig,
    Part,
    RealtimeInputConfig,
    SessionResumptionConfig,
    Setup,
    Tool,
)
from tests.harness.scripted_session import ScriptedRegistry, text_setup, utterance

VERTEX = Dialect("v1beta1", vertex=True)
HALF_CASCADE = "models/gemini-live-2.5-flash-preview"
LIGHTS = 'call:turn_on_the_lights {"brightness": 1}'
RUNNING = "running"


def tools(*names, behavior=None):
    return [
        Tool(function_declarations=[FunctionDeclaration(name=name, behavior=behavior)])
        for name in names or ("turn_on_the_lights", "lock")
    ]


def spoken_setup(**fields):
    transcripts = {"output_audio_transcription": AudioTranscriptionConfig()}
    return Setup(**({"model": "models/local", "tools": tools()} | transcripts | fields))


def written_setup(model="models/local", **fields):
    setup = text_setup(**({"tools": tools()} | fields))
    return msgspec.structs.replace(setup, model=model)


def scripted(*replies):
    return ScriptedChatModel(replies)


def last_prompt(chat):
    """Return what the chat model read last, without the instruction; calls as their names."""
    return [
        (message.role, [call.name for call in message.calls] or message.text)
        for message in chat.requests[-1].messages
        if message.role != "system"
    ]


async def finish(harness, turns=1):
    """Let the client play until that many turns are complete."""
    for count in range(1, turns + 1):
        await harness.until(
            lambda harness, count=count: (
                harness.words().count("turnComplete+usage") >= count
                or any(not woken.done() for _, woken in harness.time.sleepers)
            )
        )
        harness.time.advance(60)
        await harness.shows("turnComplete+usage", count)


# --- blocking ----------------------------------------------------------------------------------


@pytest.mark.parametrize("setup", [written_setup(), spoken_setup()], ids=["text", "audio"])
async def test_the_model_goes_on_from_the_result_in_the_same_turn(connect, setup):
    chat = scripted(LIGHTS, "The lights are on.")
    harness = await connect(setup, ScriptedRegistry(chat))
    await harness.ask("Turn on the lights.")
    await harness.shows("toolCall")
    [call] = harness.calls()
    assert (call.name, call.args) == ("turn_on_the_lights", {"brightness": 1})
    assert call.id.removeprefix("function-call-").isdecimal()
    assert harness.words() == ["toolCall"]  # nothing more before the response
    await harness.answer(0, "done")
    await finish(harness)
    assert last_prompt(chat) == [
        ("user", "Turn on the lights."),
        ("assistant", ["turn_on_the_lights"]),
        ("tool", "done"),
    ]
    [use] = chat.requests[-1].messages[-2].calls
    assert (use.id, chat.requests[-1].messages[-1].call_id) == (call.id, call.id)
    said = harness.said() or "".join(harness.texts())
    assert said == "The lights are on."
    assert harness.words()[-2:] == ["generationComplete", "turnComplete+usage"]
    assert harness.words().count("turnComplete+usage") == 1


async def test_declarations_reach_the_model(connect):
    chat = scripted("Yes.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Hello.")
    await finish(harness)
    assert [tool.name for tool in chat.requests[0].tools] == ["turn_on_the_lights", "lock"]


async def test_what_is_said_before_a_call_is_sent_before_it(connect):
    chat = scripted(f"One moment. {LIGHTS}", "Done.", "So.")
    harness = await connect(spoken_setup(), ScriptedRegistry(chat))
    await harness.ask("Turn on the lights.")
    await harness.shows("toolCall")
    assert harness.words() == ["said", "toolCall"]
    await harness.answer(0)
    await finish(harness)
    assert harness.said() == "One moment.Done."
    message = chat.requests[-1].messages[-2]
    assert (message.text, len(message.calls)) == ("One moment.", 1)
    await harness.ask("And now?")
    await harness.shows("generationComplete", 2)
    assert last_prompt(chat)[-2:] == [("assistant", "Done."), ("user", "And now?")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_several_calls_are_answered_one_by_one_in_any_order(connect, order):
    chat = scripted(f"{LIGHTS} call:lock", "Both done.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    assert [call.name for call in harness.calls()] == ["turn_on_the_lights", "lock"]
    await harness.answer(order[0], f"result {order[0]}")
    assert len(chat.requests) == 1
    await harness.answer(order[1], f"result {order[1]}")
    await finish(harness)
    assert last_prompt(chat)[-2:] == [("tool", "result 0"), ("tool", "result 1")]


async def test_several_calls_are_answered_in_one_message(connect):
    chat = scripted(f"{LIGHTS} call:lock", "Both done.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    responses = [
        FunctionResponse(id=call.id, name=call.name, response={"error": "no"})
        for call in reversed(harness.calls())
    ]
    await harness.session.handle(ToolResponseReceived(responses))
    await finish(harness)
    assert last_prompt(chat)[-2:] == [("tool", '{"error": "no"}')] * 2


async def test_vertex_answers_by_name_alone(connect):
    chat = scripted(LIGHTS, "Done.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    response = FunctionResponse(name="turn_on_the_lights", response={"output": "ok"})
    await harness.session.handle(ToolResponseReceived([response]))
    await finish(harness)


async def test_a_blocking_call_waits_for_its_final_response(connect):
    chat = scripted(LIGHTS, "Done.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    await harness.answer(0, "half", will_continue=True)
    assert len(chat.requests) == 1
    await harness.answer(0, "whole")
    await finish(harness)
    assert last_prompt(chat)[-1] == ("tool", "half\nwhole")


async def test_a_result_may_lead_to_another_call(connect):
    chat = scripted(LIGHTS, "call:lock", "All done.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    for number in (0, 1):
        await harness.shows("toolCall", number + 1)
        await harness.answer(number)
    await finish(harness)
    assert [role for role, _ in last_prompt(chat)] == [
        "user", "assistant", "tool", "assistant", "tool",
    ]  # fmt: skip


async def test_a_turn_does_not_call_for_ever(connect):
    chat = scripted(LIGHTS)
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    for number in range(16):
        await harness.shows("toolCall", number + 1)
        await harness.answer(number)
    await finish(harness)
    assert len(harness.calls()) == 16
    assert chat.requests[-1].tools == ()


async def test_on_vertex_half_cascade_a_turn_ends_with_the_call_and_the_response_begins_another(
    connect,
):
    chat = scripted(f"One moment. {LIGHTS}", "Done.")
    setup = spoken_setup(model=HALF_CASCADE)
    harness = await connect(setup, ScriptedRegistry(chat), dialect=VERTEX)
    await harness.ask("Go.")
    await finish(harness)
    begins = ["said", "said"]  # an empty transcript precedes the first of a turn
    one_turn = [*begins, "toolCall", "generationComplete", "turnComplete+usage"]
    assert harness.words() == one_turn
    assert len(chat.requests) == 1
    await harness.answer(0, "ok")
    await finish(harness, 2)
    assert harness.words() == [*one_turn, *begins, "generationComplete", "turnComplete+usage"]
    assert last_prompt(chat)[-2:] == [("assistant", ["turn_on_the_lights"]), ("tool", "ok")]


# --- cancellation ------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["speech", "text", "content"])
async def test_new_input_cancels_what_the_model_waits_for(connect, by):
    chat = scripted(f"One moment. {LIGHTS}", "Something else.")
    registry = ScriptedRegistry(chat, ScriptedTranscriber(["Never mind."]))
    harness = await connect(spoken_setup(), registry)
    await harness.ask("Go.")
    await harness.shows("toolCall")
    harness.time.advance(60)  # what was said is heard
    if by == "speech":
        await harness.say(utterance())
    elif by == "text":
        await harness.session.handle(TextReceived("Never mind."))
    else:
        await harness.ask("Never mind.")
    await harness.shows("generationComplete")
    cut = ["said", "toolCall", "interrupted", "toolCallCancellation", "turnComplete+usage"]
    assert harness.words()[:5] == cut
    assert harness.cancelled() == [harness.calls()[0].id]
    assert last_prompt(chat) == [
        ("user", "Go."),
        ("assistant", "One moment."),
        ("user", "Never mind."),
    ]
    await harness.answer(0, "late")  # is ignored
    await finish(harness, 2)
    assert len(chat.requests) == 2


async def test_what_was_answered_before_the_cancellation_stays_in_the_history(connect):
    chat = scripted(f"{LIGHTS} call:lock", "Fine.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    await harness.answer(0, "lit")
    await harness.ask("Leave the door.")
    await finish(harness, 2)
    assert harness.cancelled() == [harness.calls()[1].id]
    assert last_prompt(chat)[1:] == [
        ("assistant", ["turn_on_the_lights"]),
        ("tool", "lit"),
        ("assistant", "…"),
        ("user", "Leave the door."),
    ]


async def test_on_vertex_the_call_of_a_turn_that_has_ended_is_cancelled_alone(connect):
    chat = scripted(LIGHTS, "Something else.")
    harness = await connect(
        written_setup(model=HALF_CASCADE), ScriptedRegistry(chat), dialect=VERTEX
    )
    await harness.ask("Go.")
    await finish(harness)
    await harness.ask("Never mind.")
    await finish(harness, 2)
    assert harness.words()[3:5] == ["toolCallCancellation", "text"]
    assert last_prompt(chat) == [("user", "Go.\nNever mind.")]


async def test_a_call_that_is_not_waited_for_survives_an_interruption(connect):
    chat = scripted(f"{LIGHTS}", "It is on its way to you now.", "Yes?", "The lights are on.")
    setup = spoken_setup(tools=tools(behavior="NON_BLOCKING"))
    harness = await connect(setup, ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("generationComplete")
    await harness.ask("Wait.")
    await harness.shows("generationComplete", 2)
    assert harness.cancelled() == []
    await harness.answer(0)
    await finish(harness, 3)
    assert harness.said().endswith("The lights are on.")


# --- not blocking ------------------------------------------------------------------------------


def later(*replies):
    return ScriptedRegistry(chat := scripted(LIGHTS, "I am at it.", *replies)), chat


@pytest.mark.parametrize("scheduling", [None, "WHEN_IDLE", "INTERRUPT"])
async def test_the_talk_goes_on_and_the_result_is_told_when_nobody_speaks(connect, scheduling):
    registry, chat = later("They are on.")
    setup = written_setup(tools=tools(behavior="NON_BLOCKING"))
    harness = await connect(setup, registry)
    await harness.ask("Go.")
    await finish(harness)
    assert "".join(harness.texts()) == "I am at it."
    [role, placeholder] = last_prompt(chat)[-1]
    assert role == "tool"
    assert RUNNING in placeholder
    await harness.answer(0, "lit", scheduling=scheduling)
    await finish(harness, 2)
    assert "".join(harness.texts()) == "I am at it.They are on."
    assert last_prompt(chat)[-1] == ("user", "[The function turn_on_the_lights has answered: lit]")


async def test_when_idle_waits_for_the_end_of_the_output(connect):
    registry, chat = later("They are on.")
    harness = await connect(spoken_setup(tools=tools(behavior="NON_BLOCKING")), registry)
    await harness.ask("Go.")
    await harness.shows("generationComplete")
    await harness.answer(0, scheduling="WHEN_IDLE")
    assert len(chat.requests) == 2
    await finish(harness, 2)
    assert "interrupted" not in harness.words()
    assert harness.said() == "I am at it.They are on."


async def test_interrupt_stops_the_output(connect):
    registry, _ = later("They are on.")
    harness = await connect(spoken_setup(tools=tools(behavior="NON_BLOCKING")), registry)
    await harness.ask("Go.")
    await harness.shows("generationComplete")
    await harness.answer(0, scheduling="INTERRUPT")
    await harness.shows("generationComplete", 2)
    assert harness.words()[2:5] == ["generationComplete", "interrupted", "turnComplete+usage"]
    assert "toolCallCancellation" not in harness.words()


async def test_silent_only_stores(connect):
    registry, chat = later("Yes, they are.")
    harness = await connect(written_setup(tools=tools(behavior="NON_BLOCKING")), registry)
    await harness.ask("Go.")
    await finish(harness)
    await harness.answer(0, "lit", scheduling="SILENT")
    assert len(chat.requests) == 2
    await harness.ask("Are they on?")
    await finish(harness, 2)
    [role, text] = last_prompt(chat)[-1]
    assert role == "user"
    assert text.splitlines() == [
        "[The function turn_on_the_lights has answered: lit]",
        "Are they on?",
    ]


@pytest.mark.parametrize("scheduling", ["WHEN_IDLE", "INTERRUPT"])
async def test_nothing_is_told_while_the_user_speaks(connect, scheduling):
    registry, chat = later("They are on, and it is noon.")
    detection = AutomaticActivityDetection(disabled=True)
    setup = spoken_setup(
        tools=tools(behavior="NON_BLOCKING"),
        realtime_input_config=RealtimeInputConfig(automatic_activity_detection=detection),
    )
    harness = await connect(setup, registry)
    await harness.ask("Go.")
    await finish(harness)
    await harness.session.handle(ActivityStarted())
    await harness.say(utterance())
    await harness.answer(0, "lit", scheduling=scheduling)
    assert len(chat.requests) == 2
    await harness.session.handle(ActivityEnded())
    await finish(harness, 2)
    assert len(chat.requests) == 3
    assert last_prompt(chat)[-1][1].splitlines()[0].endswith("has answered: lit]")


async def test_a_result_is_told_after_noise_that_was_no_speech(connect):
    registry, chat = later("They are on.")
    registry.made["transcriber"] = lambda: ScriptedTranscriber([""])
    harness = await connect(spoken_setup(tools=tools(behavior="NON_BLOCKING")), registry)
    await harness.ask("Go.")
    await finish(harness)
    await harness.say(utterance(pause=0.1))
    await harness.answer(0)
    assert len(chat.requests) == 2
    await harness.session.handle(AudioStreamEnded())
    await finish(harness, 2)
    assert harness.said().endswith("They are on.")


async def test_a_generator_tells_its_results_one_by_one_until_the_last(connect):
    registry, chat = later("Half.", "Whole.", "Late.")
    harness = await connect(written_setup(tools=tools(behavior="NON_BLOCKING")), registry)
    await harness.ask("Go.")
    await finish(harness)
    await harness.answer(0, "half", will_continue=True)
    await finish(harness, 2)
    assert last_prompt(chat)[-1][1].endswith("answers so far: half]")
    await harness.answer(0, "whole")
    await finish(harness, 3)
    await harness.answer(0, "late")
    assert len(chat.requests) == 4


async def test_blocking_and_not_in_one_reply(connect):
    chat = scripted(f"{LIGHTS} call:lock", "Locked.", "And lit.")
    mixed = [*tools("lock"), *tools("turn_on_the_lights", behavior="NON_BLOCKING")]
    harness = await connect(written_setup(tools=mixed), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    await harness.answer(1, "locked")
    await finish(harness)
    assert RUNNING in last_prompt(chat)[-2][1]
    assert last_prompt(chat)[-1] == ("tool", "locked")
    await harness.answer(0)
    await finish(harness, 2)
    assert "".join(harness.texts()) == "Locked.And lit."


async def test_on_vertex_what_came_meanwhile_waits_for_the_call_that_the_model_waits_for(connect):
    chat = scripted("call:turn_on_the_lights call:lock", "Both are done.")
    mixed = [*tools("lock"), *tools("turn_on_the_lights", behavior="NON_BLOCKING")]
    harness = await connect(
        written_setup(model=HALF_CASCADE, tools=mixed), ScriptedRegistry(chat), dialect=VERTEX
    )
    await harness.ask("Go.")
    await finish(harness)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not harness.session.busy
    await harness.answer(0, "lit", scheduling="INTERRUPT")
    await asyncio.sleep(0)
    assert harness.cancelled() == []
    assert len(chat.requests) == 1
    await harness.answer(1, "locked")
    await finish(harness, 2)
    assert [text for _, text in last_prompt(chat)[-3:]] == [
        "locked",
        "…",
        "[The function turn_on_the_lights has answered: lit]",
    ]


# --- beside ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", ["Well. call:turn_on_the_lights {bad", "Well. call:unheard_of"])
async def test_a_malformed_call_ends_the_turn_and_says_so(connect, reply):
    chat = scripted(reply, "Again.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await finish(harness)
    assert harness.calls() == []
    content = harness.messages[-1].server_content
    assert content.turn_complete_reason == "MALFORMED_FUNCTION_CALL"
    await harness.ask("Once more.")
    await finish(harness, 2)
    assert harness.messages[-1].server_content.turn_complete_reason is None
    assert last_prompt(chat)[1] == ("assistant", "Well.")


async def test_a_reply_cut_at_its_limit_is_logged(connect, caplog):
    generation = GenerationConfig(response_modalities=["TEXT"], max_output_tokens=2)
    harness = await connect(
        text_setup(generation_config=generation), ScriptedRegistry(scripted("One two three."))
    )
    await harness.ask("Count.")
    await finish(harness)
    assert "cut at its limit" in caplog.text


async def test_results_are_counted_apart_in_their_turn_and_as_prompt_after_it(connect):
    chat = scripted(LIGHTS, "Done.", "Yes.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    await harness.answer(0, "x" * 400)
    await finish(harness)
    first = harness.messages[-1].usage_metadata
    assert first.tool_use_prompt_token_count == 100
    assert first.total_token_count == first.prompt_token_count + first.response_token_count + 100
    await harness.ask("Sure?")
    await finish(harness, 2)
    second = harness.messages[-1].usage_metadata
    assert second.tool_use_prompt_token_count is None
    assert second.prompt_token_count > first.prompt_token_count + 100


async def test_huge_results_are_cut_to_what_the_window_bears(connect):
    chat = scripted(LIGHTS, "Done.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    await harness.answer(0, "x" * 1_000_000)
    await finish(harness)
    assert len(last_prompt(chat)[-1][1]) <= chat.context_tokens


async def test_a_session_bears_more_results_than_its_window(connect):
    many = " ".join(["call:lock"] * 30)
    chat = scripted(*[many] * 8, "Done.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("Go.")
    for turn in range(8):
        await harness.shows("toolCall", turn + 1)
        for number in range(30 * turn, 30 * turn + 30):
            await harness.answer(number, f"{number} " * 2000)
    await finish(harness)
    read = sum(len(message.text) for message in chat.requests[-1].messages)
    assert read <= 4 * chat.context_tokens
    assert chat.requests[-1].messages[-1].text.startswith("239 239 ")
    roles = [message.role for message in chat.requests[-1].messages]
    assert roles == ["user", *(["assistant"] + ["tool"] * 30) * 8]


async def test_a_flood_of_silent_results_leaves_the_newest(connect):
    registry, chat = later("So many.")
    harness = await connect(written_setup(tools=tools(behavior="NON_BLOCKING")), registry)
    await harness.ask("Go.")
    await finish(harness)
    for number in range(500):
        result = f"{number} " * 100
        await harness.answer(0, result, scheduling="SILENT", will_continue=True)
    await harness.ask("How many?")
    await finish(harness, 2)
    read = [message.text for message in chat.requests[-1].messages]
    assert sum(map(len, read)) <= 4 * chat.context_tokens
    assert "499 499" in read[-1]
    assert read[-1].endswith("How many?")


async def test_results_in_turns_of_the_past_are_read_as_such(connect):
    chat = scripted("Seven degrees.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    past = [
        Content(role="user", parts=[Part(text="How cold is it?")]),
        Content(role="model", parts=[Part(function_call=FunctionCall(id="1", name="cold"))]),
        Content(
            role="user",
            parts=[Part(function_response=FunctionResponse(name="cold", response={"output": 7}))],
        ),
    ]
    await harness.session.handle(ContentReceived(past, True))
    await finish(harness)
    assert last_prompt(chat) == [("user", "How cold is it?\n[The function cold has answered: 7]")]


async def test_there_is_no_handle_while_calls_are_open(connect):
    chat = scripted(LIGHTS, "I am at it.", "Yes, they are.")
    setup = written_setup(
        tools=tools(behavior="NON_BLOCKING"), session_resumption=SessionResumptionConfig()
    )
    engine = LiveEngine(registry=ScriptedRegistry(chat))
    harness = await connect(setup, engine=engine)
    await harness.ask("Go.")
    await harness.shows("not resumable", 2)
    assert harness.words()[-2:] == ["turnComplete+usage", "not resumable"]
    await harness.answer(0, "lit", scheduling="SILENT")
    await harness.shows("resumption")
    update = harness.messages[-1].session_resumption_update
    assert update.resumable

    resumption = SessionResumptionConfig(handle=update.new_handle)
    again = await connect(written_setup(session_resumption=resumption), engine=engine)
    await again.session.handle(
        ToolResponseReceived([FunctionResponse(id=harness.calls()[0].id, response={})])
    )
    await again.ask("Are they on?")
    await again.shows("turnComplete+usage")
    roles = [role for role, _ in last_prompt(chat)]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


class SlowChatModel(ScriptedChatModel):
    """A chat model that replies when the test opens its gate."""

    def __init__(self, replies):
        super().__init__(replies)
        self.asked, self.gate = threading.Event(), threading.Event()

    def generate(self, request, on_delta):
        self.asked.set()
        self.gate.wait(30)
        return super().generate(request, on_delta)


async def test_a_call_is_as_it_was_declared_when_the_model_was_asked(connect):
    chat = SlowChatModel([LIGHTS, "I am at it.", "Yes."])
    setup = written_setup(tools=tools(behavior="NON_BLOCKING"))
    harness = await connect(setup, ScriptedRegistry(chat))
    await harness.ask("Go.")
    await asyncio.to_thread(chat.asked.wait, 30)
    await harness.session.handle(ContextUpdated(None, []))
    chat.gate.set()
    await finish(harness)
    assert "".join(harness.texts()) == "I am at it."
    await harness.ask("Are you?")
    await finish(harness, 2)
    assert harness.cancelled() == []


async def test_the_context_changes_in_order_with_the_rest(connect):
    chat = scripted("One.", "Two.", "Three.")
    harness = await connect(written_setup(), ScriptedRegistry(chat))
    await harness.ask("1?")
    await finish(harness)
    instruction = Content(parts=[Part(text="Sing.")])
    await harness.session.handle(ContextUpdated(instruction, tools("dance")))
    await harness.ask("2?")
    await finish(harness, 2)
    await harness.session.handle(ContextUpdated(None, []))
    await harness.ask("3?")
    await finish(harness, 3)
    assert [[tool.name for tool in request.tools] for request in chat.requests] == [
        ["turn_on_the_lights", "lock"],
        ["dance"],
        [],
    ]
    systems = [
        [m.text for m in request.messages if m.role == "system"] for request in chat.requests
    ]
    assert systems == [[], ["Sing."], ["Sing."]]
    with pytest.raises(UnsupportedError, match="Invalid function name"):
        await harness.session.handle(ContextUpdated(None, tools("no good")))


async def test_a_session_ends_with_calls_open(connect):
    harness = await connect(written_setup(), ScriptedRegistry(scripted(LIGHTS)))
    await harness.ask("Go.")
    await harness.shows("toolCall")
    await harness.session.close()
    assert harness.words() == ["toolCall"]
