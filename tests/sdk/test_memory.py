"""What a session remembers, and what it thinks: both SDKs, unmodified, against a real `serve`.

Behind it stands an endpoint that reasons before it answers, and knows the name that it was told.
The programs resume as the session management guide does.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.harness.chat_endpoint import Body, chunk, serving_endpoint
from tests.harness.sdks import (
    NODE,
    NODE_2_32,
    PYTHON,
    PYTHON_1_55,
    SCRIPTED,
    Sdk,
    Serving,
    serving_sdks,
    write_sounds,
)
from tests.harness.speech import speech_like
from tests.sdk.programs import NATIVE_AUDIO, javascript, part, python

THOUGHT = "Was I told?"

RESUMING_PYTHON = """
import asyncio
from google import genai
from google.genai import types

client = genai.Client()
model = "gemini-live-2.5-flash-preview"

async def say(text, handle):
    config = types.LiveConnectConfig(
        response_modalities=["TEXT"],
        session_resumption=types.SessionResumptionConfig(handle=handle),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=25_000, sliding_window=types.SlidingWindow(target_tokens=8_000)
        ),
    )
    async with client.aio.live.connect(model=model, config=config) as session:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": text}]})
        while True:
            async for message in session.receive():
                if message.text:
                    print(message.text)
                if message.session_resumption_update:
                    update = message.session_resumption_update
                    if update.resumable and update.new_handle:
                        return update.new_handle

async def main():
    handle = await say("My name is Ada.", None)
    await say("What is my name?", handle)
    await say("What is my name?", None)

asyncio.run(main())
"""

RESUMING_JAVASCRIPT = """
import { GoogleGenAI, Modality } from '@google/genai';

const ai = new GoogleGenAI({});
const model = 'gemini-live-2.5-flash-preview';

async function say(text, handle) {
  let resumable;
  const handles = new Promise((resolve) => { resumable = resolve; });
  const session = await ai.live.connect({
    model,
    config: {
      responseModalities: [Modality.TEXT],
      sessionResumption: { handle },
      contextWindowCompression: {
        triggerTokens: '25000', slidingWindow: { targetTokens: '8000' },
      },
    },
    callbacks: {
      onmessage: (message) => {
        if (message.text) console.log(message.text);
        const update = message.sessionResumptionUpdate;
        if (update?.resumable && update.newHandle) resumable(update.newHandle);
      },
    },
  });
  session.sendClientContent({ turns: text });
  const newHandle = await handles;
  session.close();
  return newHandle;
}

const handle = await say('My name is Ada.', null);
await say('What is my name?', handle);
await say('What is my name?', null);
"""

ASKING = 'await session.send_client_content(turns={"role": "user", "parts": [{"text": "Hi"}]})'

PYTHON_THINKING = """
async for response in session.receive():
    content = response.server_content
    if content.output_transcription:
        print("said", content.output_transcription.text)
    for part in content.model_turn.parts if content.model_turn else ():
        if part.thought:
            print("thought", part.text)
    if response.usage_metadata:
        print("counted", response.usage_metadata.thoughts_token_count)
"""

JAVASCRIPT_THINKING = """
for (const { serverContent: content, usageMetadata } of await handleTurn()) {
  if (content?.outputTranscription) console.log('said', content.outputTranscription.text);
  for (const part of content?.modelTurn?.parts ?? []) {
    if (part.thought) console.log('thought', part.text);
  }
  if (usageMetadata) console.log('counted', usageMetadata.thoughtsTokenCount);
}
"""


def answer(body: Body) -> list[Body]:
    told = any("Ada" in str(message["content"]) for message in body["messages"])
    reply = chunk("You are Ada." if told else "I do not know.")
    template = body.get("chat_template_kwargs", {})
    return (
        [chunk(reasoning_content=THOUGHT), reply]
        if template.get("enable_thinking", True)
        else [reply]
    )


@pytest.fixture(scope="module")
def remembering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("remembering")
    write_sounds(home, np.concatenate([speech_like(1.0), np.zeros(24_000, np.float32)]))
    with serving_endpoint() as endpoint:
        endpoint.answer = answer
        chat = f"openai:{endpoint.spec}"
        with serving_sdks(home, **SCRIPTED, LIVE_CLI_ENGINE_CHAT=chat) as running:
            yield running


@pytest.mark.parametrize(
    ("program", "sdk"),
    [
        pytest.param(RESUMING_PYTHON, PYTHON, id=PYTHON.name),
        pytest.param(RESUMING_PYTHON, PYTHON_1_55, id=PYTHON_1_55.name),
        pytest.param(RESUMING_JAVASCRIPT, NODE, id=NODE.name),
        pytest.param(RESUMING_JAVASCRIPT, NODE_2_32, id=NODE_2_32.name),
    ],
)
async def test_a_session_is_resumed(remembering: Serving, program: str, sdk: Sdk) -> None:
    printed = await remembering.run(program, sdk)
    assert printed.splitlines() == ["You are Ada.", "You are Ada.", "I do not know."]


def with_transcript(config: str, transcription: str, before: str) -> str:
    """A part of the guide that also asks for the transcript of what is said."""
    assert before in config
    return config.replace(before, f"{transcription}, {before}", 1)


@pytest.mark.parametrize(
    ("section", "thoughts"), [("thinking", []), ("thought_summaries", [f"thought {THOUGHT}"])]
)
async def test_thoughts_are_told_apart_and_counted(
    remembering: Serving, section: str, thoughts: list[str]
) -> None:
    config = part(f"{section}.config.py")
    config = with_transcript(config, "output_audio_transcription={}", "thinking_config=")
    asking = 'await session.send_client_content(turns={"role": "user", "parts": [{"text": "Hi"}]})'
    by_python = await remembering.run(
        python(asking, PYTHON_THINKING, config=config, model=NATIVE_AUDIO)
    )
    config = part(f"{section}.config.mjs")
    config = with_transcript(config, "outputAudioTranscription: {}", "thinkingConfig:")
    program = javascript(part("text.sending.mjs"), JAVASCRIPT_THINKING, config=config)
    by_javascript = await remembering.run(program, NODE)
    for printed in (by_python, by_javascript):
        *told, counted = printed.splitlines()
        assert told == [*thoughts, "said I do not know."]
        assert int(counted.removeprefix("counted ")) > 0
