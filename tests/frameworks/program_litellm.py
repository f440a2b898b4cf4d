"""LiteLLM between a client of OpenAI's Realtime API and `serve`: a typed and a spoken question."""

import asyncio
import base64
import contextlib
import json
import os
from pathlib import Path

import websockets.exceptions  # noqa: F401 - which its proxy has loaded
from litellm.realtime_api.main import _arealtime  # what its proxy calls for each client

SOUND = Path("16000.pcm").read_bytes()
CHUNK = 1_600  # 50 ms
RATE_OF_LITELLM = 24_000  # it labels all input so, whatever the client says


class Client:
    """What LiteLLM's proxy hands on of its client's WebSocket: events both ways."""

    def __init__(self):
        self.scope = {"headers": [], "type": "websocket"}
        self.sent, self.received = asyncio.Queue(), asyncio.Queue()

    async def receive_text(self):
        return await self.sent.get()

    async def send_text(self, text):
        self.received.put_nowait(json.loads(text))

    async def close(self, code=1000, reason=""):
        self.received.put_nowait({"type": "closed", "code": code, "reason": reason})

    def say(self, kind, **fields):
        self.sent.put_nowait(json.dumps({"type": kind, **fields}))

    async def turn(self):
        told = {"heard": "", "said": None, "audio_s": 0.0}  # it asks for no transcript of the model
        while True:
            event = await self.received.get()
            match event["type"]:
                case "response.output_audio.delta":
                    told["audio_s"] += len(base64.b64decode(event["delta"])) / 48_000
                case "conversation.item.input_audio_transcription.completed":
                    told["heard"] += event["transcript"]
                case "response.done":
                    break
                case "error" | "closed":
                    raise SystemExit(event)
        print(json.dumps({**told, "heard": told["heard"].strip()}), flush=True)


def at_24_khz(sound):
    import numpy as np

    given = np.frombuffer(sound, np.int16)
    at = np.arange(len(given) * RATE_OF_LITELLM // 16_000) * 16_000 / RATE_OF_LITELLM
    return np.interp(at, np.arange(len(given)), given).astype(np.int16).tobytes()


async def main():
    client = Client()
    base = os.environ["GOOGLE_GEMINI_BASE_URL"]
    serving = asyncio.create_task(
        _arealtime("gemini/gemini-3.8-live", client, api_base=base, api_key="any")
    )
    session = {"modalities": ["audio"], "input_audio_transcription": {}}
    client.say("session.update", session=session)
    question = {"type": "input_text", "text": "How many legs does a dog have?"}
    item = {"type": "message", "role": "user", "content": [question]}
    client.say("conversation.item.create", item=item)
    client.say("response.create")
    await client.turn()
    sound = at_24_khz(SOUND)
    turn = asyncio.create_task(client.turn())
    for start in range(0, len(sound), 2_400):
        client.say(
            "input_audio_buffer.append",
            audio=base64.b64encode(sound[start : start + 2_400]).decode(),
        )
        await asyncio.sleep(0.05)
    await turn
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


asyncio.run(main())
