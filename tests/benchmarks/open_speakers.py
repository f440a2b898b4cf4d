"""`live-cli talk` on open speakers: the virtual sound card lets its microphone hear its speaker.

In each room a reader's minute is played, during which nobody speaks; then a question is asked over
the answer eight times. A false interruption is one that came in that minute. A question is found
when the answer stops for it; when it was at the microphone is known from the same file, fed into a
microphone that hears nothing else.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

import numpy as np
import soundfile
import soxr

from tests.benchmarks.row import Row, median
from tests.harness.speech import QUESTION, QUESTION_WORDS, TWO_CITIES, word_errors, words
from tests.harness.talking import Talk, talking
from tests.harness.virtual_audio import RATE, VirtualAudio

BEFORE_S = 3.0
"""The answer is heard for so long before somebody asks."""
FOUND_WITHIN_S = 1.5
_FOUND_MS = 600
"""Words decide within so long, and the card and the echo's canceller take their time, too."""
_CLIENT_PERCENT = 8
ANSWER = "scripted:" + TWO_CITIES.replace(" - ", ". ") * 4
_AUDIBLE = 300
"""Of a sample of 16 bits."""
_BLOCK_BYTES = 2 * RATE // 100
_PARTS = {"capture": "capture and echo", "devices": "device watch"}
# before Python 3.14 the system does not know the names of threads
_THREADS_HAVE_NAMES = """
import threading
bootstrap = threading.Thread._bootstrap_inner
def named(thread):
    with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as comm:
        comm.write(thread.name[:15])
    bootstrap(thread)
threading.Thread._bootstrap_inner = named
"""


@dataclass(frozen=True)
class Plan:
    """``rooms``: the delay in ms and the gain in dB of each. ``speech_s``: nobody speaks."""

    rooms: tuple[tuple[int, int], ...]
    speech_s: float
    questions: int
    calibrations: int


ROOMS = tuple((delay, gain) for delay in (30, 80, 150, 250) for gain in (-6, -12))
WHOLE = Plan(ROOMS, speech_s=60.0, questions=8, calibrations=5)
SMALL = Plan(ROOMS[:1], speech_s=2.0, questions=1, calibrations=1)


@dataclass(frozen=True)
class Visit:
    """What came of one room."""

    false_a_minute: float
    missed: int
    late_ms: list[float]
    wrong_words: float
    cpu: dict[str, float]
    """Percent of a core, by thread."""


def rows(small: bool = False, *, busy: int = 0) -> list[Row]:
    """``busy``: so many processes that do nothing but compute run meanwhile."""
    plan = SMALL if small else WHOLE
    beside = f", {busy} processes computing" if busy else ""
    with ExitStack() as stack:
        for _ in range(busy):
            stack.enter_context(_burner())
        table = []
        visits = []
        for delay_ms, gain_db in plan.rooms:
            visit = visited(delay_ms, gain_db, plan)
            visits.append(visit)
            room = f"sound card, {delay_ms} ms, {gain_db} dB{beside}"
            table += [
                Row(f"{room}: false interruptions", visit.false_a_minute, "/min", 0),
                Row(f"{room}: questions missed of {plan.questions}", visit.missed, "", 0),
                Row(f"{room}: found after", median(visit.late_ms or [np.inf]), "ms", _FOUND_MS),
            ]
        wrong = sum(visit.wrong_words for visit in visits) / len(visits)
        parts = {
            name: median([visit.cpu.get(name, 0.0) for visit in visits]) for name in visits[0].cpu
        }
    return [
        *table,
        Row(f"sound card{beside}: words wrong of the questions", wrong, "%", 5),
        Row(
            f"sound card{beside}: client, all of it",
            sum(parts.values()),
            "% of a core",
            _CLIENT_PERCENT,
        ),
        *(
            Row(f"sound card{beside}: client, its {name}", share, "% of a core", _CLIENT_PERCENT)
            for name, share in parts.items()
        ),
    ]


def visited(delay_ms: int, gain_db: float, plan: Plan) -> Visit:
    """One talk in one room."""
    with _room() as (sound_card, question, home):
        fed_late_s = _feeding_s(sound_card, question, plan.calibrations)
        sound_card.connect_echo(delay_ms, gain_db)
        with talking(sound_card, home, LIVE_CLI_ENGINE_CHAT=ANSWER, PYTHONPATH=str(home)) as talk:
            talk.until("session_open")
            sound_card.feed(question)
            talk.until("audio")
            before, began = threads_s(talk.process.pid), time.monotonic()
            false = talk.during(plan.speech_s, "interrupted")
            after, seconds = threads_s(talk.process.pid), time.monotonic() - began
            late = [_asked(talk, sound_card, question) for _ in range(plan.questions)]
    heard = [record["text"] for record in talk.records if record["type"] == "input_transcript"]
    asked = " ".join([QUESTION_WORDS] * plan.questions)
    return Visit(
        false_a_minute=len(false) * 60 / plan.speech_s,
        missed=late.count(None),
        late_ms=[1000 * (each - fed_late_s) for each in late if each is not None],
        wrong_words=100 * word_errors(asked, " ".join(heard[1:])) / len(words(asked)),
        cpu={name: 100 * (after[name] - before.get(name, 0.0)) / seconds for name in after},
    )


def _asked(talk: Talk, sound_card: VirtualAudio, question: Path) -> float | None:
    """Seconds from the feeding of a question to the interruption; None: there was none."""
    talk.during(BEFORE_S, "interrupted")
    fed_at = time.monotonic()
    player = sound_card.feed(question, wait=False)
    try:
        cut = talk.until("interrupted", limit_s=FOUND_WITHIN_S)
        talk.until("audio", turn=cut["turn"] + 1)
        return float(cut["read_at"]) - fed_at
    except Empty:
        return None
    finally:
        player.wait()


def _feeding_s(sound_card: VirtualAudio, question: Path, times: int) -> float:
    """Seconds from the feeding of the question until a microphone hears its first sound."""
    return median([_fed_once_s(sound_card, question) for _ in range(times)])


def _fed_once_s(sound_card: VirtualAudio, question: Path) -> float:
    command = ["parec", "--device=mic", "--latency-msec=20", "--channels=1", "--format=s16le"]
    with subprocess.Popen(
        [*command, f"--rate={RATE}"], env=sound_card.full_env(), stdout=subprocess.PIPE
    ) as recorder:
        assert recorder.stdout is not None
        block = recorder.stdout.read(_BLOCK_BYTES)
        fed_at = time.monotonic()
        player = sound_card.feed(question, wait=False)
        while np.abs(np.frombuffer(block, np.int16)).max() < _AUDIBLE:
            block = recorder.stdout.read(_BLOCK_BYTES)
        heard_at = time.monotonic()
        recorder.terminate()
    player.wait()
    return heard_at - fed_at


def threads_s(pid: int) -> dict[str, float]:
    """Seconds of computing of each thread, by name; those of C libraries are one."""
    seconds: dict[str, float] = defaultdict(float)
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            name = (task / "comm").read_text().strip()
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            main = int(task.name) == pid
            key = "event loop" if main else _PARTS.get(name, "sound library")
            seconds[key] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


@contextmanager
def _room() -> Iterator[tuple[VirtualAudio, Path, Path]]:
    """A sound card, the question in its rate, and a home."""
    with tempfile.TemporaryDirectory(prefix="va", dir="/tmp") as folder:
        home = Path(folder, "home")
        home.mkdir()
        (home / "sitecustomize.py").write_text(_THREADS_HAVE_NAMES)
        speech, rate = soundfile.read(QUESTION, dtype="float32")
        question = Path(folder, "question.wav")
        soundfile.write(question, soxr.resample(speech, rate, RATE), RATE)
        with VirtualAudio(Path(folder, "card")) as sound_card:
            yield sound_card, question, home


@contextmanager
def _burner() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()
