"""What the way between the threads and the socket costs, over a real loopback socket.

Both figures are upper bounds: the far end of the socket is a thread of this process.
"""

import asyncio
import threading
from io import StringIO
from time import monotonic, sleep

from websockets.sync.server import ServerConnection, serve

from live_cli.commands.talk.conversation import Conversation
from live_cli.devices.playback import Playback, SpeakerSnapshot
from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.protocol.input_gate import InputGate
from live_cli.protocol.messages import (
    Blob,
    Content,
    Part,
    ServerContent,
    ServerMessage,
    Setup,
    SetupComplete,
)
from live_cli.protocol.wire import encode
from live_cli.sample_rates import FRAME_SAMPLES
from live_cli.ui.json_lines import JsonView
from tests.benchmarks.row import Row, quantile

FRAMES = 500
SMALL_FRAMES = 25
FRAME_S = 0.02
PCM_40_MS = b"\0" * 1920


class NotingPlayback:
    """Notes when sound is handed to it."""

    def __init__(self) -> None:
        self.played: list[float] = []

    def play(self, turn: int, pcm16: bytes, sample_rate: int) -> None:
        self.played.append(monotonic())

    def end_turn(self, turn: int) -> None: ...
    def interrupt(self, turn: int) -> None: ...
    def duck(self, low: bool) -> None: ...

    def snapshot(self) -> SpeakerSnapshot:
        return SpeakerSnapshot()


class NotingServer:
    """Notes when each frame arrives, and answers each second one with sound."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self.heard: list[float] = []
        self.sent: list[float] = []

    def handle(self, socket: ServerConnection) -> None:
        socket.recv()
        socket.send(encode(ServerMessage(setup_complete=SetupComplete())))
        sound = Blob(data=PCM_40_MS, mime_type="audio/pcm;rate=24000")
        turn = Content(role="model", parts=[Part(inline_data=sound)])
        payload = encode(ServerMessage(server_content=ServerContent(model_turn=turn)))
        for number in range(self.frames):
            socket.recv()
            self.heard.append(monotonic())
            if number % 2:
                self.sent.append(monotonic())
                socket.send(payload)


def rows(small: bool = False) -> list[Row]:
    server, playback = NotingServer(SMALL_FRAMES if small else FRAMES), NotingPlayback()
    with serve(server.handle, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        port = listening.socket.getsockname()[1]
        captured = asyncio.run(talk(port, playback, server.frames))
        listening.shutdown()
        thread.join()
    up = [b - a for a, b in zip(captured, server.heard, strict=True)]
    down = [b - a for a, b in zip(server.sent, playback.played, strict=True)]
    return [
        Row("frame captured -> on the socket, p99", quantile(up, 0.99) * 1e3, "ms", 5.0),
        Row("audio received -> handed to the playout, p99", quantile(down, 0.99) * 1e3, "ms", 2.0),
        Row("interrupted -> silence", callbacks_to_silence(), "callbacks", 1.0),
    ]


async def talk(port: int, playback: NotingPlayback, frames: int) -> list[float]:
    """When each frame was captured, in a conversation that ends once all has been answered."""
    address = Address(f"ws://127.0.0.1:{port}", None, "v1beta", "the benchmark's server")
    setup = Setup(model="m")
    captured: list[float] = []
    loop = asyncio.get_running_loop()
    view = JsonView(stdout=StringIO(), stderr=StringIO())

    async def never_again(setup: Setup, first_turn: int) -> LiveClient:
        raise AssertionError("the connection was lost")

    async with await LiveClient.connect(address, setup) as connection:
        client = ResumingClient(connection, setup, never_again, resumes=False)
        conversation = Conversation(client, view, playback, InputGate(manual=False))
        frame = b"\0\0" * FRAME_SAMPLES
        over = threading.Event()

        def capture() -> None:
            due = monotonic()
            for _ in range(frames):
                due += FRAME_S
                sleep(max(0.0, due - monotonic()))
                captured.append(monotonic())
                loop.call_soon_threadsafe(
                    conversation.microphone.take_frame, frame, -60.0, captured[-1]
                )
            while len(playback.played) < frames // 2 and not over.is_set():
                sleep(FRAME_S)
            loop.call_soon_threadsafe(conversation.stop)

        thread = threading.Thread(target=capture)
        thread.start()
        try:
            await conversation.run()
        finally:
            over.set()
            thread.join()
    return captured


def callbacks_to_silence() -> float:
    """Device callbacks of 20 ms from the interruption to one that ends in silence."""
    playback = Playback()
    playback.play(1, b"\x10\x10" * 24_000)
    for _ in range(10):
        playback.render(480, 0.0)
    playback.interrupt(1)
    count = 1
    while playback.render(480, 0.0)[-1] != 0.0:
        count += 1
    return float(count)
