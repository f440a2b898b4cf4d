"""pydantic-ai's realtime session: a typed question, then a spoken one."""

import asyncio
import json
from pathlib import Path

from pydantic_ai import Agent

SOUND = Path("16000.pcm").read_bytes()
CHUNK = 1_600  # 50 ms


async def main():
    agent = Agent(instructions="Be brief.")
    async with agent.realtime("google:gemini-3.8-live").session() as session:
        parts, audio, answered = [], bytearray(), asyncio.Event()

        async def transcribe():
            async for part in session.stream_transcripts():
                parts.append(part)
                if part.speaker == "assistant":
                    answered.set()

        async def listen():
            async for chunk in session.stream_audio():
                audio.extend(chunk)

        tasks = [asyncio.create_task(transcribe()), asyncio.create_task(listen())]
        await asyncio.sleep(0)

        def tell():
            said = "".join(part.transcript or "" for part in parts if part.speaker == "assistant")
            heard = "".join(part.transcript or "" for part in parts if part.speaker == "user")
            told = {"heard": heard.strip(), "said": said, "audio_s": len(audio) / 48_000}
            print(json.dumps(told), flush=True)
            parts.clear()
            audio.clear()
            answered.clear()

        await session.send("How many legs does a dog have?")
        await session.wait_for_reply()
        await asyncio.sleep(1)
        tell()
        for start in range(0, len(SOUND), CHUNK):
            await session.send_audio(SOUND[start : start + CHUNK])
            await asyncio.sleep(CHUNK / 32_000)
        await answered.wait()
        await asyncio.sleep(1)
        tell()
        for task in tasks:
            task.cancel()


asyncio.run(main())
