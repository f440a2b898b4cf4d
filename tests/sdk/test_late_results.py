"""Calls that the model does not wait for, or has no use for any more, by unmodified SDKs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tests.harness.chat_endpoint import Body, ChatEndpoint, chunk, serving_endpoint
from tests.harness.sdks import (
    NODE,
    PYTHON,
    PYTHON_1_55,
    SCRIPTED,
    Sdk,
    Serving,
    serving_sdks,
    write_sounds,
)
from tests.harness.speech import speech_like
from tests.sdk.programs import NATIVE_AUDIO, javascript, python

NEWEST = "gemini-3.8-live"
CONFIG = '''
from typing import Literal

def dim(brightness: int, room: Literal["hall", "kitchen"] = "hall") -> dict:
    """Set how bright a room is."""
    return {"output": f"{room} at {brightness}"}

config = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}, "tools": [dim]}

def said(message):
    content = message.server_content
    return content.output_transcription.text if content and content.output_transcription else ""
'''
LATER = """
responses = [
    {"response": {"output": "half"}, "scheduling": "WHEN_IDLE", "will_continue": True},
    {"response": dim(20, "kitchen"), "scheduling": "INTERRUPT"},
    {"response": {"output": "too late"}},
]
await session.send_realtime_input(text="dim")
while True:
    heard = ""
    async for message in session.receive():
        heard += said(message) or ""
        if message.tool_call:
            (call,) = message.tool_call.function_calls
            print(call.name, dim(**call.args)["output"])
    print(heard)
    if "at 20" in heard:
        await session.send_realtime_input(text="Is it?")
    elif "Is it?" in heard:
        break
    if responses:
        response = types.FunctionResponse(id=call.id, name=call.name, **responses.pop(0))
        await session.send_tool_response(function_responses=response)
"""
CANCELLED = """
await session.send_realtime_input(text="dim")
heard, cancelled = "", []
while "Never mind" not in heard:
    async for message in session.receive():
        heard += said(message) or ""
        if message.tool_call:
            (call,) = message.tool_call.function_calls
            await session.send_realtime_input(text="Never mind.")
        if message.tool_call_cancellation:
            print(message.tool_call_cancellation.ids == [call.id])
            response = types.FunctionResponse(id=call.id, name=call.name, response=dim(20))
            await session.send_tool_response(function_responses=response)
print(heard)
"""
NODE_CONFIG = """
const dim = { name: 'dim', parametersJsonSchema: { type: 'object', properties: {} } };
const tools = [{ functionDeclarations: [dim] }];
const config = { responseModalities: [Modality.AUDIO], outputAudioTranscription: {}, tools };
"""
NODE_LATER = """
const responses = [
  { response: { output: 'half' }, scheduling: 'WHEN_IDLE', willContinue: true },
  { response: { output: 'kitchen at 20' }, scheduling: 'INTERRUPT' },
];
session.sendRealtimeInput({ text: 'dim' });
let call;
while (true) {
  let heard = '';
  for (const message of await handleTurn()) {
    heard += message.serverContent?.outputTranscription?.text ?? '';
    if (message.toolCall) {
      [call] = message.toolCall.functionCalls;
      console.log(call.name, JSON.stringify(call.args));
    }
  }
  console.log(heard);
  if (responses.length === 0) break;
  session.sendToolResponse({
    functionResponses: [{ id: call.id, name: call.name, ...responses.shift() }],
  });
}
"""
ARGUMENTS = {"brightness": 20, "room": "kitchen"}


def answer(body: Body) -> list[Any]:
    """Call `dim` where that is asked for, and else say what was read last."""
    last = body["messages"][-1]
    if last["content"] == "dim":
        function = {"name": "dim", "arguments": json.dumps(ARGUMENTS)}
        call = {"index": 0, "id": "c1", "type": "function", "function": function}
        return [chunk(tool_calls=[call]), "[DONE]"]
    waits = last["role"] == "tool" and "running" in last["content"]
    read = last["content"].removeprefix("[The function dim ").removesuffix("]")
    return [chunk("Soon." if waits else f"{read}."), "[DONE]"]


@dataclass
class Calling:
    """A `serve`, and what its chat model was asked."""

    serve: Serving
    endpoint: ChatEndpoint

    @property
    def declared(self) -> Body:
        function: Body = self.endpoint.asked[-1][2]["tools"][0]["function"]
        return function


@pytest.fixture(scope="module")
def calling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calling]:
    home = tmp_path_factory.mktemp("late")
    write_sounds(home, np.concatenate([speech_like(1.0), np.zeros(24_000, np.float32)]))
    with serving_endpoint() as endpoint:
        endpoint.answer = answer
        chat = f"openai:{endpoint.spec}"
        with serving_sdks(home, **SCRIPTED, LIVE_CLI_ENGINE_CHAT=chat) as serve:
            yield Calling(serve, endpoint)


LATER_SAID = ["Soon.", "answers so far: half.", "has answered: kitchen at 20."]


@pytest.mark.parametrize("sdk", [PYTHON, PYTHON_1_55], ids=lambda each: each.name)
async def test_a_python_function_is_declared_by_the_sdk_and_its_results_come_later(
    calling: Calling, sdk: Sdk
) -> None:
    program = python(LATER, config=CONFIG, model=NEWEST)
    printed = (await calling.serve.run(program, sdk)).splitlines()
    assert printed == ["dim kitchen at 20", *LATER_SAID, "Is it?."]
    declared = calling.declared
    assert (declared["name"], declared["description"]) == ("dim", "Set how bright a room is.")
    assert declared["parameters"]["required"] == ["brightness"]
    properties = declared["parameters"]["properties"]
    assert properties["brightness"] == {"type": "integer"}
    assert properties["room"]["enum"] == ["hall", "kitchen"]


async def test_a_call_is_cancelled_once_the_user_goes_on_and_its_result_is_dropped(
    calling: Calling,
) -> None:
    program = python(CANCELLED, config=CONFIG, model=NATIVE_AUDIO)
    printed = await calling.serve.run(program, PYTHON)
    assert printed.splitlines() == ["True", "dim", "Never mind.."]
    read = calling.endpoint.asked[-1][2]["messages"]
    assert "tool" not in [message["role"] for message in read]


async def test_the_same_later_results_in_javascript(calling: Calling) -> None:
    program = javascript(NODE_LATER, config=NODE_CONFIG, model=NEWEST)
    printed = (await calling.serve.run(program, NODE)).splitlines()
    assert printed == [f"dim {json.dumps(ARGUMENTS, separators=(',', ':'))}", *LATER_SAID]
