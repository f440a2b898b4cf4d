"""AG2's live agent on Gemini: a spoken question; it has no typed ones."""

import asyncio
import json
from pathlib import Path

from ag2.events import (
    ModelMessageChunk,
    ModelResponse,
    RecordedAudioEvent,
    SynthesizedAudioEvent,
    TranscriptionChunkEvent,
)
from ag2.live import GeminiRealTimeConfig, LiveAgent
from ag2.live.gemini import InputConfig

SOUND = Path("16000.pcm").read_bytes()
CHUNK = 1_600  # 50 ms


async def main():
    config = GeminiRealTimeConfig(
        "gemini-3.1-flash-live-preview", input=InputConfig(transcribe=True)
    )
    told = {"heard": "", "said": "", "audio_s": 0.0}
    answered = asyncio.Event()

    async def take(event):
        if isinstance(event, TranscriptionChunkEvent):
            told["heard"] += event.content
        elif isinstance(event, ModelMessageChunk):
            told["said"] += event.content
        elif isinstance(event, SynthesizedAudioEvent):
            told["audio_s"] += len(event.content) / 48_000
        elif isinstance(event, ModelResponse):
            answered.set()

    async with LiveAgent("dog", "Be brief.", config=config).run() as context:
        context.stream.subscribe(take)
        for start in range(0, len(SOUND), CHUNK):
            await context.send(RecordedAudioEvent(SOUND[start : start + CHUNK]))
            await asyncio.sleep(CHUNK / 32_000)
        await answered.wait()
    told["heard"] = told["heard"].strip()
    print(json.dumps(told), flush=True)


asyncio.run(main())
