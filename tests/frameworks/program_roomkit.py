"""RoomKit's Gemini Live provider: a typed question, then a spoken one."""

import asyncio
import json
from pathlib import Path

from roomkit.providers.gemini.realtime import GeminiLiveProvider
from roomkit.voice.base import VoiceSession

SOUND = Path("16000.pcm").read_bytes()
CHUNK = 1_600  # 50 ms


async def main():
    provider = GeminiLiveProvider(api_key="any")
    session = VoiceSession(id="s", room_id="r", participant_id="p", channel_id="c")
    finals = {"user": "", "assistant": ""}
    audio = bytearray()
    ended = asyncio.Event()

    def transcribed(session, text, role, is_final):
        if is_final:
            finals[role] += text

    provider.on_transcription(transcribed)
    provider.on_audio(lambda session, data: audio.extend(data))
    provider.on_response_end(lambda session: ended.set())
    provider.on_error(lambda session, code, message: print(code, message, flush=True))
    await provider.connect(session, system_prompt="Be brief.")

    async def turn():
        await ended.wait()
        await asyncio.sleep(1)
        ended.clear()
        told = {"heard": finals["user"].strip(), "said": finals["assistant"].strip()}
        print(json.dumps({**told, "audio_s": len(audio) / 48_000}), flush=True)
        finals.update(user="", assistant="")
        audio.clear()

    await provider.inject_text(session, "How many legs does a dog have?")
    await turn()
    for start in range(0, len(SOUND), CHUNK):
        await provider.send_audio(session, SOUND[start : start + CHUNK])
        await asyncio.sleep(CHUNK / 32_000)
    await turn()
    await provider.close()


asyncio.run(main())
