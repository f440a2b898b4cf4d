"""Strands' Gemini Live model: a typed question, then a spoken one."""

import asyncio
import base64
import json
from pathlib import Path

from strands.bidi.models.google import GoogleGeminiLiveModel
from strands.bidi.types.content import BidiMessage
from strands.bidi.types.events import (
    BidiAudioDeltaEvent,
    BidiResponseStopEvent,
    BidiTranscriptDeltaEvent,
)
from strands.bidi.types.media import AudioDelta
from strands.types.content import TextBlock

SOUND = Path("16000.pcm").read_bytes()
CHUNK = 1_600  # 50 ms


async def main():
    model = GoogleGeminiLiveModel(model_id="gemini-3.8-live")
    await model.start(system_prompt="Be brief.")
    events = model.receive()

    async def turn():
        texts, audio_s = {"user": "", "assistant": ""}, 0.0
        async for event in events:
            if isinstance(event, BidiTranscriptDeltaEvent):
                texts[event.role] += event.delta
            elif isinstance(event, BidiAudioDeltaEvent):
                audio_s += len(base64.b64decode(event.audio)) / 48_000
            elif isinstance(event, BidiResponseStopEvent):
                break
        told = {"heard": texts["user"].strip(), "said": texts["assistant"], "audio_s": audio_s}
        print(json.dumps(told), flush=True)

    question = TextBlock("How many legs does a dog have?")
    await model.send(BidiMessage(content=[question]))
    await turn()

    async def speak():
        for start in range(0, len(SOUND), CHUNK):
            await model.send(
                AudioDelta(format="pcm", source={"bytes": SOUND[start : start + CHUNK]})
            )
            await asyncio.sleep(CHUNK / 32_000)

    speaking = asyncio.create_task(speak())
    await turn()
    await speaking
    await model.stop()


asyncio.run(main())
