"""livekit's RealtimeModel of its google plugin: a typed question, then a spoken one."""

import asyncio
import json
from pathlib import Path

from livekit import rtc
from livekit.agents import llm
from livekit.plugins import google

SOUND = Path("16000.pcm").read_bytes()
CHUNK = 320 * 5  # 50 ms


async def main():
    model = google.realtime.RealtimeModel()
    session = model.session()
    generations: asyncio.Queue = asyncio.Queue()
    heard: list[str] = []
    session.on("generation_created", generations.put_nowait)
    session.on("input_audio_transcription_completed", lambda e: heard.append(e.transcript))
    session.on("error", lambda e: print(json.dumps({"error": str(e)}), flush=True))

    async def turn():
        generation = await generations.get()
        said, audio_s = "", 0.0
        async for message in generation.message_stream:
            async for text in message.text_stream:
                said += str(text)
            async for frame in message.audio_stream:
                audio_s += frame.duration
        told = {"heard": heard[-1] if heard else "", "said": said, "audio_s": audio_s}
        print(json.dumps(told), flush=True)

    context = llm.ChatContext.empty()
    context.add_message(role="user", content="How many legs does a dog have?")
    await session.update_chat_ctx(context)
    reply = session.generate_reply()
    await turn()
    await reply
    for start in range(0, len(SOUND), CHUNK):
        chunk = SOUND[start : start + CHUNK]
        session.push_audio(rtc.AudioFrame(chunk, 16_000, 1, len(chunk) // 2))
        await asyncio.sleep(CHUNK / 32_000)
    await turn()
    await session.aclose()
    await model.aclose()


asyncio.run(main())
