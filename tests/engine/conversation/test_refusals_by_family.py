"""What a family refuses after the setup: its first input, or the scheduling of a result (§9)."""

import pytest

from live_cli.errors import UnsupportedError
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.events import (
    ActivityStarted,
    AudioReceived,
    ContentReceived,
    TextReceived,
    ToolResponseReceived,
)
from live_cli.protocol.messages import (
    Content,
    FunctionResponse,
    GenerationConfig,
    Part,
    Setup,
    ThinkingConfig,
)

V2_5 = "models/gemini-2.5-flash-native-audio-preview-12-2025"
V3_8 = "models/gemini-3.8-live"
THINKING = "models/gemini-3.8-live-extended-thinking"
ALPHA, VERTEX = Dialect("v1alpha"), Dialect("v1beta1", vertex=True)

INPUTS = [
    TextReceived("Hello"),
    AudioReceived(bytes(640), 16_000),
    ContentReceived([Content(role="user", parts=[Part(text="Hello")])], True),
    ActivityStarted(),
    ToolResponseReceived([]),
]


def affective(model):
    thinking = ThinkingConfig(thinking_level="LOW") if model == THINKING else None
    generation = GenerationConfig(enable_affective_dialog=True, thinking_config=thinking)
    return Setup(model=model, generation_config=generation)


@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("model", [V3_8, THINKING])
async def test_affective_dialog_ends_a_session_of_3_8_at_its_first_input(connect, model, given):
    harness = await connect(affective(model))
    with pytest.raises(UnsupportedError) as refused:
        await harness.session.handle(given)
    assert (refused.value.close_code, refused.value.reason) == (
        1007,
        "Request contains an invalid argument.",
    )


@pytest.mark.parametrize(("model", "dialect"), [(V2_5, ALPHA), (V3_8, VERTEX), (THINKING, VERTEX)])
async def test_affective_dialog_is_taken_by_the_models_that_have_it(connect, model, dialect):
    harness = await connect(affective(model), dialect=dialect)
    await harness.session.handle(TextReceived("Hello"))
    await harness.shows("generationComplete")


def result(**fields):
    return ToolResponseReceived([FunctionResponse(id="1", name="f", **fields)])


async def test_extended_thinking_refuses_the_scheduling_of_a_result(connect):
    thinking = GenerationConfig(thinking_config=ThinkingConfig(thinking_level="LOW"))
    harness = await connect(Setup(model=THINKING, generation_config=thinking))
    await harness.session.handle(result())
    await harness.session.handle(result(scheduling="SCHEDULING_UNSPECIFIED"))
    enclosed = {"output": "lit", "scheduling": "SILENT"}
    await harness.session.handle(result(response=enclosed, scheduling="SILENT"))
    with pytest.raises(UnsupportedError) as refused:
        await harness.session.handle(result(response={"output": "lit"}, scheduling="SILENT"))
    assert (refused.value.close_code, refused.value.reason) == (
        1007,
        "Function response scheduling is not supported for this model",
    )


async def test_other_models_take_the_scheduling_of_a_result(connect):
    harness = await connect(Setup(model=V3_8))
    await harness.session.handle(result(response={"output": "lit"}, scheduling="SILENT"))
