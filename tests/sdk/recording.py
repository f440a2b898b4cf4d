"""Sessions with a running `serve`, as a raw client has them: every frame that it sends, kept."""

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from live_cli.audio.pcm import Samples, pcm16_from_float

GEMINI = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
WITHIN_S = 30.0  # a bound on waiting, not a measure


@dataclass
class Recorder:
    socket: ClientConnection
    frames: list[bytes] = field(default_factory=list)

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def ask(self, text: str) -> None:
        turn = {"role": "user", "parts": [{"text": text}]}
        self.send(clientContent={"turns": [turn], "turnComplete": True})

    def say(self, samples: Samples) -> None:
        data = base64.b64encode(pcm16_from_float(samples)).decode()
        self.send(realtimeInput={"audio": {"data": data, "mimeType": "audio/pcm;rate=16000"}})

    def until(self, *words: str) -> str:
        """Keep frames up to the first with one of ``words`` in it; return that word."""
        while True:
            frame = self.socket.recv(WITHIN_S)
            assert isinstance(frame, bytes)
            self.frames.append(frame)
            text = frame.decode()
            if found := next((word for word in words if word in text), None):
                return found


@contextlib.contextmanager
def recording(port: int, path: str = GEMINI, **setup: Any) -> Iterator[Recorder]:
    with connect(f"ws://127.0.0.1:{port}{path}", proxy=None, max_size=None) as socket:
        recorder = Recorder(socket)
        recorder.send(setup={"model": "models/local", **setup})
        recorder.until("setupComplete")
        yield recorder
        with contextlib.suppress(ConnectionClosed):
            socket.close()
