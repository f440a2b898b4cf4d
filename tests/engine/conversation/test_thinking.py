"""Thinking, from the setup to an endpoint and back: budgets, summaries, counts; never in speech."""

import pytest

from live_cli.engine.backends.llm.openai import OpenAIChatModel
from live_cli.engine.backends.scripted import ScriptedSynthesizer
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    GenerationConfig,
    Setup,
    ThinkingConfig,
)
from tests.harness.chat_endpoint import chunk
from tests.harness.scripted_session import ScriptedRegistry, parts_of

TAGGED = [chunk("<think>Hm. "), chunk("Two and two.</think>"), chunk("\n\nIt is "), chunk("four.")]
APART = [
    chunk(reasoning_content="Hm. "),
    chunk(reasoning_content="Two and two."),
    chunk("It is "),
    chunk("four."),
]
COUNTED = {
    "choices": [],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 61,
        "completion_tokens_details": {"reasoning_tokens": 57},
    },
}
OFF = {"enable_thinking": False}


class ListeningSynthesizer(ScriptedSynthesizer):
    """A synthesizer that notes the texts it was asked to speak."""

    def __init__(self):
        self.texts = []

    def speak(self, text, voice):
        self.texts.append(text)
        return super().speak(text, voice)


def thinks(body):
    return body.get("chat_template_kwargs") != OFF


async def answered(connect, endpoint, modality="AUDIO", **thinking):
    """Run a session's first turn; return the session and the synthesizer that spoke."""
    synthesizer = ListeningSynthesizer()
    generation = GenerationConfig(
        response_modalities=[modality],
        thinking_config=ThinkingConfig(**thinking) if thinking else None,
    )
    setup = Setup(
        model="models/local",
        generation_config=generation,
        output_audio_transcription=AudioTranscriptionConfig(),
    )
    registry = ScriptedRegistry(OpenAIChatModel(endpoint.spec), synthesizer=synthesizer)
    harness = await connect(setup, registry)
    await ask(harness, "2+2?")
    return harness, synthesizer


async def ask(harness, text):
    done = harness.words().count("turnComplete+usage")

    def over(harness):
        if not all(woken.done() for _, woken in harness.time.sleepers):
            harness.time.advance(60)
        return harness.words().count("turnComplete+usage") > done

    await harness.ask(text)
    await harness.until(over)


def thoughts(harness):
    parts = [part for message in harness.messages for part in parts_of(message)]
    return "".join(part.text for part in parts if part.thought)


def usage(harness):
    return harness.messages[-1].usage_metadata


@pytest.mark.parametrize("stream", [TAGGED, APART], ids=["think tags", "reasoning_content"])
@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("modality", ["AUDIO", "TEXT"])
async def test_thoughts_are_parts_of_their_own_or_nothing(
    connect, endpoint, stream, shown, modality
):
    endpoint.answer = lambda body: [*stream, COUNTED, "[DONE]"]
    harness, synthesizer = await answered(
        connect, endpoint, modality, include_thoughts=shown, thinking_budget=-1
    )
    assert thoughts(harness) == ("Hm. Two and two." if shown else "")
    written = harness.said() if modality == "AUDIO" else "".join(harness.texts())
    assert written.strip() == "It is four."
    assert " ".join(synthesizer.texts).strip() == ("It is four." if modality == "AUDIO" else "")
    assert usage(harness).thoughts_token_count == 57
    assert usage(harness).total_token_count == (
        usage(harness).prompt_token_count + usage(harness).response_token_count + 57
    )


async def test_thoughts_are_not_remembered(connect, endpoint):
    endpoint.answer = lambda body: [*APART, COUNTED, "[DONE]"]
    harness, _ = await answered(connect, endpoint, include_thoughts=True)
    await ask(harness, "And three and three?")
    said = [message["content"] for message in endpoint.asked[1][2]["messages"][1:]]
    assert said == ["2+2?", "It is four.", "And three and three?"]


async def test_an_endpoint_that_counts_nothing_has_its_thoughts_counted(connect, endpoint):
    endpoint.answer = lambda body: [*APART, "[DONE]"]
    harness, _ = await answered(connect, endpoint, thinking_budget=-1)
    assert usage(harness).thoughts_token_count == 2


@pytest.mark.parametrize(
    ("thinking", "asked_to_think"),
    [
        ({"thinking_budget": 0}, False),
        ({"thinking_budget": -1}, True),
        ({"thinking_budget": 1024}, True),
        ({"thinking_level": "minimal"}, False),
        ({"thinking_level": "low"}, True),
        ({"thinking_level": "high"}, True),
        ({"include_thoughts": True}, True),
        ({}, False),  # left open, a voice does not make people wait
    ],
)
async def test_a_budget_asks_for_thinking_or_against_it(
    connect, endpoint, thinking, asked_to_think
):
    endpoint.answer = lambda body: [*(APART if thinks(body) else APART[2:]), "[DONE]"]
    harness, _ = await answered(connect, endpoint, **thinking)
    assert [thinks(body) for _, _, body in endpoint.asked] == [asked_to_think]
    assert bool(usage(harness).thoughts_token_count) == asked_to_think


@pytest.mark.parametrize(("budget", "requests"), [(10, 2), (100, 1), (-1, 1)])
async def test_a_budget_caps_what_is_thought(connect, endpoint, budget, requests):
    pondering = [chunk(reasoning_content="Hm. ")] * 40

    def answer(body):
        return [*(pondering if thinks(body) else []), chunk("Four."), "[DONE]"]

    endpoint.answer = answer
    harness, synthesizer = await answered(connect, endpoint, thinking_budget=budget)
    assert len(endpoint.asked) == requests
    assert synthesizer.texts == ["Four."]
    assert usage(harness).thoughts_token_count == (40 if requests == 1 else budget + 1)


async def test_who_thinks_all_the_same_is_not_heard_thinking(connect, endpoint):
    endpoint.answer = lambda body: [*TAGGED, "[DONE]"]
    harness, synthesizer = await answered(connect, endpoint, thinking_budget=0)
    assert thoughts(harness) == ""
    assert " ".join(synthesizer.texts).strip() == "It is four."
    assert usage(harness).thoughts_token_count == 2  # they were spent
