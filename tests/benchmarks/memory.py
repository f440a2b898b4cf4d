"""Memory of the client process in a conversation, and of a `serve` with ever more of its stages."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from tests.benchmarks.row import Row
from tests.benchmarks.voice import Question, connected
from tests.harness.process_figures import ProcessFigures
from tests.harness.serve_process import serving
from tests.harness.speech import DATA, QUESTION

QUESTIONS, SMALL_QUESTIONS = 3, 1
VOICES, SMALL_VOICES = 8, 2
SECONDS, LOOK_S = 60, 1.0
SMALL_SECONDS, SMALL_LOOK_S = 5, 0.1


def rows(small: bool = False) -> list[Row]:
    seconds, look_s = (SMALL_SECONDS, SMALL_LOOK_S) if small else (SECONDS, LOOK_S)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "talk.wav"
        question, rate = soundfile.read(QUESTION)
        asked = np.concatenate([question, np.zeros(3 * rate)])
        soundfile.write(file, np.resize(asked, seconds * rate), rate)
        sizes = _watch(file, look_s)
    early, late = sizes[len(sizes) // 4], max(sizes)
    of_serve = _of_serve(*((SMALL_QUESTIONS, SMALL_VOICES) if small else (QUESTIONS, VOICES)))
    return [
        Row("memory of talk, client process", late / 1e6, "MB", 80.0),
        Row("memory of talk, end of a minute", late / 1e6, "MB", 1.05, early / 1e6, "15 s"),
        *(Row(f"memory of serve, {when}", mb, "MB", 900.0) for when, mb in of_serve.items()),
    ]


def _of_serve(questions: int, voices: int) -> dict[str, float]:
    """Resident megabytes of a `serve` after ever more."""
    with tempfile.TemporaryDirectory() as home, serving(Path(home), {}) as serve:
        sizes = {}

        def note(when: str) -> None:
            sizes[when] = ProcessFigures.of(serve.process.pid).resident_mb

        note("ready")
        asyncio.run(_converse(serve.address, questions, 1))
        note("after an English conversation")
        asyncio.run(_converse(serve.address, questions, voices))
        note(f"after {voices} at once")
        _transcribe(serve.address, "de", DATA / "question_de.flac")
        note("with Whisper too")
        return sizes


async def _converse(url: str, questions: int, voices: int) -> None:
    question = Question()
    async with connected(url, voices) as clients:
        for _ in range(questions):
            await asyncio.gather(*(question.wait_s(client) for client in clients))


def _transcribe(url: str, language: str, file: Path) -> None:
    command = [sys.executable, "-m", "live_cli", "transcribe", "--language", language]
    subprocess.run([*command, "--server", url, str(file)], check=True, stdout=subprocess.DEVNULL)


def _watch(file: Path, look_s: float) -> list[float]:
    """Resident bytes of the client, every ``look_s`` while it talks."""
    command = [sys.executable, "-m", "live_cli", "talk", "--server", "local", "--json"]
    command += ["--input", str(file), "--output", "/dev/null"]
    sizes = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while True:
            try:
                process.wait(look_s)
                return sizes
            except subprocess.TimeoutExpired:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                sizes.append(float(pages * 4096))
