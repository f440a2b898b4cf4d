"""A played conversation in the live view, to look at: python tests/ui/live/demo_view.py [SPEED]."""

import asyncio
import contextlib
import math
import random
import sys
import time
from collections.abc import Iterator

from live_cli.protocol.events import (
    AudioChunk,
    Event,
    InputTranscript,
    Interrupted,
    OutputTranscript,
    SessionOpened,
    Thought,
    ToolCallRequested,
    TurnComplete,
    UsageReported,
)
from live_cli.protocol.messages import FunctionCall, UsageMetadata
from live_cli.ui.live.live_view import LiveView
from live_cli.ui.terminal.keyboard import Keyboard
from live_cli.ui.terminal.line_editor import LineEditor
from live_cli.ui.view import Summary

LONG = (
    "Voyager 1 left the heliosphere in August 2012, after almost thirty-five years of flight. "
    "Its transmitter has about as much power as a refrigerator bulb, and yet we still hear it: "
    "the signal takes more than twenty-two hours to arrive, and the dishes that catch it are "
    "seventy metres wide. Both spacecraft carry a golden record with greetings in fifty-five "
    "languages, a map of pulsars, and ninety minutes of music. "
)
SCRIPT = [
    ("What's the weather like in Taipei today?", "It's warm and humid, about 29 degrees.", None),
    (
        "再用中文說一次，好嗎？",
        "今天台北天氣溫暖潮濕，氣溫大約二十九度，午後可能有雷陣雨，出門記得帶傘。" * 2,
        None,
    ),
    ("Tell me about Voyager.", LONG * 2, None),
    ("And what is on the golden record?", LONG, 0.35),
    ("Stop, that's enough.", "Of course. \x1b[31mAnything else? 👩‍🚀", None),
]


class Demo:
    """Plays the script; the keys work as in `talk`."""

    def __init__(self, view: LiveView, speed: float) -> None:
        self.view, self.speed = view, speed
        self.muted = self.held = self.speaking = self.user = False
        self.heard_ms = 0.0
        self.editor: LineEditor | None = None
        self.done = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    def key(self, key: str) -> None:
        if self.editor is not None:
            sent = self.editor.press(key)
            if sent:
                self.view.sent(sent)
            if sent is not None or self.editor.cancelled:
                self.editor = None
            self.view.status(typing=self.editor.line if self.editor else None)
        elif key == "m":
            self.muted = not self.muted
            self.view.status(muted=self.muted)
        elif key == "t":
            self.editor = LineEditor()
            self.view.status(typing=self.editor.line)
        elif key in ("q", "eof"):
            self.done.set()

    async def levels(self) -> None:
        while True:
            wobble = 10 * math.sin(time.monotonic() * 5) + random.uniform(-6, 6)
            self.view.levels(
                -26 + wobble if self.user else -66 + wobble / 3,
                -24 + wobble if self.speaking else -100,
                self.speaking,
                self.heard_ms,
            )
            await asyncio.sleep(0.05)

    async def play(self) -> None:
        await self.pause(1)
        self.view.event(SessionOpened())
        for turn, (question, answer, cut) in enumerate(SCRIPT, 1):
            await self.ask(question)
            await self.answer(turn, answer, cut)
            self.view.event(UsageReported(UsageMetadata(total_token_count=400 + 97 * turn)))
        self.view.note("The script is over; q leaves.")

    async def ask(self, question: str) -> None:
        self.user = True
        for end in range(0, len(question), 6):
            self.view.event(InputTranscript(question[:end], interim=True))
            await self.pause(0.15)
        self.user = False
        self.view.event(InputTranscript(" " + question))
        await self.pause(0.9)

    async def answer(self, turn: int, answer: str, cut: float | None) -> None:
        self.view.status(latency_ms=700 + 37 * turn)
        self.view.event(Thought(turn, "A short answer will do."))
        if turn == 3:
            self.view.event(
                ToolCallRequested([FunctionCall(id="1", name="look_up", args={"what": "Voyager"})])
            )
        pieces = list(pieces_of(turn, answer))
        total_ms = sum(len(e.data) / 48 for e in pieces if isinstance(e, AudioChunk))
        self.heard_ms, started = 0.0, time.monotonic()
        stop_ms = total_ms * (cut or 1)
        while self.heard_ms < stop_ms:
            for _ in range(4):
                if pieces:
                    self.view.event(pieces.pop(0))
            self.speaking = True
            await self.pause(0.1)
            self.heard_ms = (time.monotonic() - started) * 1000 * self.speed
        if cut:
            self.view.event(Interrupted(turn))
        self.speaking = False
        self.view.event(TurnComplete(turn, interrupted=bool(cut)))


def pieces_of(turn: int, answer: str) -> Iterator[Event]:
    words = answer.split(" ") if " " in answer else list(answer)
    space = " " if " " in answer else ""
    for word in words:
        yield OutputTranscript(turn, space + word)
        yield AudioChunk(turn, bytes(48 * (60 + 45 * len(word))), 24_000)


async def main(speed: float) -> None:
    view = LiveView(usage=True, show_thoughts=True)
    demo = Demo(view, speed)
    with view, Keyboard(demo.key):
        view.status(connection="connecting", label="Gemini · gemini-3.8-live · Kore")
        tasks = [asyncio.create_task(demo.levels()), asyncio.create_task(demo.play())]
        await demo.done.wait()
        for task in tasks:
            task.cancel()
        view.close(Summary(72, 5, 1, 811, 3_455))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
