"""A transcription, speech and a chat reply by HTTP from `stages`, beside the same in process.

The stages are scripted and take no time of their own, so that what is measured is the way there:
requests, HTTP, threads and JSON on both sides, client and server in one process on loopback.
"""

import asyncio
import threading
from collections.abc import Callable
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

CALLS, SMALL_CALLS = 200, 10
BUDGET_MS = 25.0
SOUND = np.zeros(3 * 16_000, np.float32)
NAMES = StageNames(
    detector="scripted", transcriber="scripted", chat="scripted", synthesizer="scripted"
)


def rows(small: bool = False) -> list[Row]:
    calls = SMALL_CALLS if small else CALLS
    by_url = asyncio.run(_by_url(calls))
    here = measure(ScriptedTranscriber(), ScriptedSynthesizer(), ScriptedChatModel(), calls)
    names = ("3 s of speech transcribed", "first sound of a clause", "first word of a reply")
    return [
        Row(f"{name}, by HTTP more than in process", 1e3 * (far - near), "ms", BUDGET_MS)
        for name, far, near in zip(names, by_url, here, strict=True)
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
