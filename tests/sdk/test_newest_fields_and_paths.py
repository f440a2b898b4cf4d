"""What the newest SDKs send today, to a strict `serve`: their path's version, and new fields."""

from websockets.asyncio.server import ServerConnection, serve

from tests.harness.sdks import NODE, PYTHON, Serving

IN_PYTHON = """
import asyncio, os
from google import genai
from google.genai import types

part = types.Part(
    text="Hello",
    thought_signature=b"sign",
    part_metadata={"my_key": 1},
    media_resolution=types.PartMediaResolution(level="MEDIA_RESOLUTION_LOW"),
    video_metadata=types.VideoMetadata(fps=1),
)
code = [
    types.Part(executable_code=types.ExecutableCode(id="1", code="1+1", language="PYTHON")),
    types.Part(code_execution_result=types.CodeExecutionResult(id="1", outcome="OUTCOME_OK")),
]
config = types.LiveConnectConfig(
    response_modalities=["TEXT"],
    generation_config=types.GenerationConfig(
        stop_sequences=["stop"], response_mime_type="text/plain",
        audio_transcription_config=types.AudioTranscriptionConfig(language_codes=["en"]),
    ),
    proactivity=types.ProactivityConfig(proactive_audio=True, proactive_video=True),
    tools=[types.Tool(
        google_search=types.GoogleSearch(),
        computer_use=types.ComputerUse(environment="ENVIRONMENT_BROWSER"),
        file_search=types.FileSearch(file_search_store_names=["a"]),
        mcp_servers=[types.McpServer(name="m")],
    )],
)

async def main():
    client = genai.Client(http_options={"api_version": "v1alpha"})
    async with client.aio.live.connect(model="local", config=config) as session:
        turns = [types.Content(role="model", parts=code), types.Content(role="user", parts=[part])]
        await session.send_client_content(turns=turns)
        async for message in session.receive():
            print(message.text or "", end="")

asyncio.run(main())
"""

IN_JAVASCRIPT = """
import { GoogleGenAI, Modality } from '@google/genai';

const ai = new GoogleGenAI({});
const session = await ai.live.connect({
  model: 'local',
  config: {
    responseModalities: [Modality.TEXT],
    inputAudioTranscription: { languageCodes: ['en'] },
    tools: [
      { computerUse: { environment: 'ENVIRONMENT_BROWSER' } },
      { mcpServers: [{ name: 'm' }] },
    ],
  },
  callbacks: {
    onmessage: (message) => {
      process.stdout.write(message.text ?? '');
      if (message.serverContent?.turnComplete) session.close();
    },
    onclose: (e) => process.exit(e.code === 1000 || e.code === 1005 ? 0 : 1),
  },
});
session.sendClientContent({
  turns: [{ role: 'user', parts: [
    { text: 'Hello', thoughtSignature: 'c2lnbg==', partMetadata: { my_key: 1 } },
  ] }],
});
"""

CONNECTING = """
import { GoogleGenAI } from '@google/genai';

const ai = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: process.env.AT } });
await ai.live.connect({ model: 'local', callbacks: { onmessage() {} } }).catch(() => 0);
process.exit(0);
"""


async def test_python_may_send_every_field_of_its_own(scripted: Serving) -> None:
    assert await scripted.run(IN_PYTHON, PYTHON) == "Good day."


async def test_javascript_may_send_every_field_of_its_own(scripted: Serving) -> None:
    assert await scripted.run(IN_JAVASCRIPT, NODE) == "Good day."


async def test_the_newest_javascript_asks_for_version_1_which_is_served(scripted: Serving) -> None:
    asked: list[str] = []

    async def note(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(connection.request.path)

    async with serve(note, "127.0.0.1", 0) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        await scripted.run(CONNECTING, NODE, AT=f"http://127.0.0.1:{port}")
    [path] = asked
    assert ".v1.GenerativeService" in path
