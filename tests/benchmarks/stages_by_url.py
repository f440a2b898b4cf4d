"""A transcription, speech and a chat reply from `stages`, and from Ray Serve, beside in process.

The stages are scripted and take no time of their own, so that what is measured is the way there:
requests, HTTP, threads and JSON on both sides. `stages` and its client are one process on loopback;
Ray Serve has its own, through whose proxy, endpoints and stage a request goes.
"""

import asyncio
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

from live_cli.engine.backends.llm.openai import OpenAIChatModel
from live_cli.engine.backends.scripted import (
    ScriptedChatModel,
    ScriptedSynthesizer,
    ScriptedTranscriber,
)
from live_cli.engine.backends.stt.openai import OpenAITranscriber
from live_cli.engine.backends.tts.openai import OpenAISynthesizer
from live_cli.engine.openai_api.served_stages import SERVED, ServedStages
from live_cli.engine.stages import (
    ChatDelta,
    ChatMessage,
    ChatModel,
    ChatRequest,
    StageNames,
    Synthesizer,
    Transcriber,
    VoiceTraits,
)
from live_cli.net.server.listen import listen, port_of
from live_cli.net.server.openai_api.app import build_stages_app, serve_stages_on
from tests.benchmarks.row import Row, median
from tests.harness.ray_serve import is_ray_there, ray_serve

CALLS, SMALL_CALLS = 200, 10
BUDGET_MS, RAY_BUDGET_MS = 25.0, 100.0
SOUND = np.zeros(3 * 16_000, np.float32)
NAMES = StageNames(
    detector="scripted", transcriber="scripted", chat="scripted", synthesizer="scripted"
)


def rows(small: bool = False) -> list[Row]:
    calls = SMALL_CALLS if small else CALLS
    ways = {"HTTP": (asyncio.run(_by_url(calls)), BUDGET_MS)}
    left_out = ""
    if small or not is_ray_there():
        left_out = f" (not by Ray Serve: {'this is in small' if small else 'make ray installs it'})"
    else:
        ways["Ray Serve"] = (_by_ray(calls), RAY_BUDGET_MS)
    here = measure(ScriptedTranscriber(), ScriptedSynthesizer(), ScriptedChatModel(), calls)
    names = ("3 s of speech transcribed", "first sound of a clause", "first word of a reply")
    return [
        Row(f"{name}, by {way} more than in process{left_out}", 1e3 * (far - near), "ms", budget)
        for way, (there, budget) in ways.items()
        for name, far, near in zip(names, there, here, strict=True)
    ]


async def _by_url(calls: int) -> list[float]:
    served = ServedStages(NAMES)
    await served.load()
    app = build_stages_app(served, [stage.value for stage in SERVED])
    listeners, stop = listen("127.0.0.1", 0), asyncio.Event()
    url = f"http://127.0.0.1:{port_of(listeners)}/v1"
    serving = asyncio.create_task(serve_stages_on(app, listeners, stop=stop))
    try:
        stages = OpenAITranscriber(url), OpenAISynthesizer(url), OpenAIChatModel(f"{url}#chat")
        return await asyncio.to_thread(measure, *stages, calls)
    finally:
        stop.set()
        await serving
        await served.close()


def _by_ray(calls: int) -> list[float]:
    scripted = {
        f"LIVE_CLI_ENGINE_{stage}": "scripted" for stage in ("TRANSCRIBER", "CHAT", "SYNTHESIZER")
    }
    with tempfile.TemporaryDirectory() as home, ray_serve(Path(home), scripted) as running:
        url = f"{running.url}/v1"
        stages = OpenAITranscriber(url), OpenAISynthesizer(url), OpenAIChatModel(f"{url}#chat")
        return measure(*stages, calls)


def measure(
    transcriber: Transcriber, synthesizer: Synthesizer, chat: ChatModel, calls: int
) -> list[float]:
    """Medians in seconds: a transcription, the first sound, the first word."""

    def first_sound() -> None:
        speech = synthesizer.speak("It is noon.", VoiceTraits(name="Kore"))
        assert any(len(chunk) for chunk in speech)

    def first_word() -> None:
        said = threading.Event()

        def on_delta(delta: ChatDelta) -> bool:
            if delta.text:
                said.set()
            return said.is_set()

        chat.generate(ChatRequest((ChatMessage("user", "What is the time?"),)), on_delta)
        assert said.is_set()

    acts: list[Callable[[], object]] = [
        lambda: transcriber.transcribe(SOUND),
        first_sound,
        first_word,
    ]
    return [median([_seconds(act) for _ in range(calls)]) for act in acts]


def _seconds(act: Callable[[], object]) -> float:
    start = perf_counter()
    act()
    return perf_counter() - start
