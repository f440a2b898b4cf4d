"""google-adk's Runner.run_live: a typed question, then a spoken one; nothing but environment."""

import asyncio
import json
from pathlib import Path

from google.adk.agents import Agent, LiveRequestQueue
from google.adk.agents.run_config import RunConfig
from google.adk.runners import InMemoryRunner
from google.genai import types

MODEL = "gemini-2.5-flash-native-audio-preview-12-2025"
SOUND = Path("16000.pcm").read_bytes()
CHUNK = 1600  # 50 ms


async def main():
    agent = Agent(name="helper", model=MODEL, instruction="Be brief.")
    runner = InMemoryRunner(agent=agent, app_name="app")
    session = await runner.session_service.create_session(app_name="app", user_id="user")
    requests = LiveRequestQueue()
    config = RunConfig(
        response_modalities=["AUDIO"],
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
    )
    events = runner.run_live(
        user_id="user", session_id=session.id, live_request_queue=requests, run_config=config
    )

    async def turn():
        heard, said, audio = "", "", b""
        async for event in events:
            if event.input_transcription and event.input_transcription.text:
                heard = event.input_transcription.text
            if event.output_transcription and event.output_transcription.text:
                said = event.output_transcription.text
            for part in event.content.parts if event.content else ():
                if part.inline_data:
                    audio += part.inline_data.data
            if event.turn_complete:
                break
        told = {"heard": heard, "said": said, "audio_s": len(audio) / 48_000}
        print(json.dumps(told), flush=True)

    question = types.Part(text="How many legs does a dog have?")
    requests.send_content(types.Content(role="user", parts=[question]))
    await turn()
    for start in range(0, len(SOUND), CHUNK):
        chunk = SOUND[start : start + CHUNK]
        requests.send_realtime(types.Blob(data=chunk, mime_type="audio/pcm;rate=16000"))
        await asyncio.sleep(CHUNK / 32_000)
    await turn()
    requests.close()


asyncio.run(main())
