"""The lights of the tools guide: unmodified SDKs against a real `serve` that calls."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.harness.sdks import (
    NODE,
    PYTHON,
    PYTHON_1_55,
    SCRIPTED,
    Serving,
    serving_sdks,
    write_sounds,
)
from tests.harness.speech import speech_like
from tests.sdk.programs import NATIVE_AUDIO, javascript, python

CONFIG = """
turn_on_the_lights = {"name": "turn_on_the_lights"}
dim_the_lights = {
    "name": "dim_the_lights",
    "description": "Sets how bright the lights are.",
    "parameters": {
        "type": "OBJECT",
        "properties": {"brightness": {"type": "NUMBER"}},
        "required": ["brightness"],
    },
}
tools = [{"function_declarations": [turn_on_the_lights, dim_the_lights]}, {"google_search": {}}]
config = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}, "tools": tools}
"""
ASKING = 'await session.send_realtime_input(text="Turn on the lights please")'
RECEIVING = """
async for chunk in session.receive():
    if chunk.server_content:
        if chunk.server_content.output_transcription:
            print(chunk.server_content.output_transcription.text)
        if chunk.usage_metadata:
            print(chunk.usage_metadata.tool_use_prompt_token_count)
    elif chunk.tool_call:
        function_responses = []
        for fc in chunk.tool_call.function_calls:
            print(fc.name, fc.args)
            function_response = types.FunctionResponse(
                id=fc.id, name=fc.name, response={"result": "ok"}
            )
            function_responses.append(function_response)
        await session.send_tool_response(function_responses=function_responses)
"""
NODE_CONFIG = """
const turn_on_the_lights = { name: 'turn_on_the_lights' };
const dim_the_lights = {
  name: 'dim_the_lights',
  description: 'Sets how bright the lights are.',
  parametersJsonSchema: {
    type: 'object',
    properties: { brightness: { type: 'number' } },
    required: ['brightness'],
  },
};
const tools = [{ functionDeclarations: [turn_on_the_lights, dim_the_lights] }];
const config = { responseModalities: [Modality.AUDIO], outputAudioTranscription: {}, tools };
"""
NODE_RECEIVING = """
session.sendRealtimeInput({ text: 'Turn on the lights please' });
let message;
do {
  message = await waitMessage();
  process.stdout.write(message.serverContent?.outputTranscription?.text ?? '');
  if (message.toolCall) {
    const functionResponses = [];
    for (const fc of message.toolCall.functionCalls) {
      console.log(fc.name, JSON.stringify(fc.args));
      functionResponses.push({ id: fc.id, name: fc.name, response: { result: 'ok' } });
    }
    session.sendToolResponse({ functionResponses });
  }
} while (!message.serverContent?.turnComplete);
"""
CALLS = ["turn_on_the_lights {}", "dim_the_lights {'brightness': 0.5}"]


@pytest.fixture(scope="module")
def calling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Calls two functions, then says that they are done; over and over."""
    home = tmp_path_factory.mktemp("calling")
    write_sounds(home, np.concatenate([speech_like(1.0), np.zeros(24_000, np.float32)]))
    calls = 'call:turn_on_the_lights call:dim_the_lights {"brightness": 0.5}'
    with serving_sdks(home, **SCRIPTED, LIVE_CLI_ENGINE_CHAT=f"scripted:{calls}|Done.") as running:
        yield running


@pytest.mark.parametrize(
    ("sdk", "model"),
    [
        (PYTHON, "gemini-3.1-flash-live-preview"),
        (PYTHON_1_55, "gemini-3.1-flash-live-preview"),
        (PYTHON, NATIVE_AUDIO),
        (PYTHON, "gemini-live-2.5-flash-preview"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
async def test_row_26_calls_and_the_answer_are_one_turn(
    calling: Serving, sdk: Any, model: str
) -> None:
    program = python(ASKING, RECEIVING, config=CONFIG, model=model)
    printed = await calling.run(program, sdk)
    assert printed.splitlines() == [*CALLS, "Done.", "8"]


async def test_row_26_the_same_in_javascript(calling: Serving) -> None:
    program = javascript(NODE_RECEIVING, config=NODE_CONFIG, model="gemini-3.1-flash-live-preview")
    printed = await calling.run(program, NODE)
    assert printed.splitlines() == [
        "turn_on_the_lights {}",
        'dim_the_lights {"brightness":0.5}',
        "Done.",
    ]
