"""Memory of the client process in a conversation, and of a `serve` with all that English needs."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.plan.plan import plan_session
from live_cli.settings.schema import Settings
from tests.benchmarks.row import Row
from tests.benchmarks.voice import Question
from tests.harness.process_figures import ProcessFigures
from tests.harness.serve_process import serving
from tests.harness.speech import QUESTION

QUESTIONS, SMALL_QUESTIONS = 3, 1
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
    ready_mb, talked_mb = _of_serve(SMALL_QUESTIONS if small else QUESTIONS)
    return [
        Row("memory of talk, client process", late / 1e6, "MB", 80.0),
        Row("memory of talk, end of a minute", late / 1e6, "MB", 1.05, early / 1e6, "15 s"),
        Row("memory of serve, ready", ready_mb, "MB", 900.0),
        Row("memory of serve, after an English conversation", talked_mb, "MB", 900.0),
    ]


def _of_serve(questions: int) -> tuple[float, float]:
    """Resident megabytes of a `serve`: when it is ready, and after one conversation."""
    with tempfile.TemporaryDirectory() as home, serving(Path(home), {}) as serve:
        ready = ProcessFigures.of(serve.process.pid)
        asyncio.run(_converse(serve.address, questions))
        return ready.resident_mb, ProcessFigures.of(serve.process.pid).resident_mb


async def _converse(url: str, questions: int) -> None:
    question = Question()
    setup = plan_session(Settings(server="local"), "talk").setup
    async with await LiveClient.connect(Address(url, None, "v1beta", "serve"), setup) as client:
        for _ in range(questions):
            await question.wait_s(client)


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
