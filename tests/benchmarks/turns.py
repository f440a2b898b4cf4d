"""When the local engine begins to answer and when it stops: beside the rule of 500 ms of silence.

A *cut* is an answer whose sound comes while the speaker goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from live_cli.commands.connect import RunningServer, running_server
from live_cli.net.client.client import LiveClient
from live_cli.plan.plan import plan_session
from live_cli.protocol import compose
from live_cli.protocol.events import AudioChunk, InputTranscript, Interrupted, TurnComplete
from live_cli.settings.schema import EngineSettings, Settings, VoiceActivitySettings
from tests.benchmarks.row import Row, median, quantile
from tests.benchmarks.spoken import (
    BACKCHANNELS,
    HALTING,
    INTERRUPTIONS,
    QUESTIONS,
    RATE,
    SHORT,
    Clip,
    halting,
    reading,
    said,
)

_FRAME = RATE // 50
_AUDIBLE = 100
"""Of 16 bits: -50 dBFS."""
_AFTER_S = 3.0
"""Listened for so long after a clip."""
_LEAD_S = 0.3
_LONG_ANSWER = "scripted:" + " ".join(
    f"This is sentence number {number}, and it is about nothing at all." for number in range(12)
)
_SIDE_BY_SIDE = 3


@dataclass
class Heard:
    """Times from the end of a clip, in seconds; negative: while it was spoken."""

    sounds: list[float]
    """Of the first sound of each answer."""
    interrupted: float | None = None
    """From the beginning of the clip."""

    @property
    def cuts(self) -> int:
        return sum(at < 0 for at in self.sounds)

    @property
    def wait_s(self) -> float:
        return next((at for at in self.sounds if at >= 0), _AFTER_S)


def rows(small: bool = False) -> list[Row]:
    return asyncio.run(_rows(small))


def _silence(milliseconds: int) -> Settings:
    return Settings(vad=VoiceActivitySettings(silence_ms=milliseconds))


@dataclass(frozen=True)
class _Clips:
    """All clips of each kind, or one of each to see that it runs."""

    questions: Sequence[Clip]
    short: Sequence[Clip]
    pausing: Sequence[Clip]
    passing: Sequence[Clip]
    stopping: Sequence[Clip]

    @classmethod
    def all(cls) -> "_Clips":
        pausing = [halting(text, number * 3) for number, text in enumerate(HALTING)]
        return cls(
            [said(text, number) for number, text in enumerate([*QUESTIONS] * 2)],
            [said(text, number * 7) for number, text in enumerate([*SHORT] * 2)],
            [*pausing, reading("beckett.wav"), reading("two_cities.wav")],
            [
                said(text, 7 * place + 4 * time)
                for time in range(4)
                for place, text in enumerate(BACKCHANNELS)
            ],
            [said(text, number * 7) for number, text in enumerate([*INTERRUPTIONS] * 2)],
        )

    @classmethod
    def few(cls) -> "_Clips":
        one = [said(SHORT[2], 0)]
        return cls(one, one, [halting(HALTING[-2], 0)], [said("Yeah.", 0)], [said("Wait.", 0)])


_RULES = {"semantic": Settings(), "silence 500": _silence(500), "silence 800": _silence(800)}


async def _rows(small: bool) -> list[Row]:
    clips = _Clips.few() if small else _Clips.all()
    async with _serving("gguf") as server:
        await _heard(server, Settings(), clips.questions[0])  # loads what is loaded late
        waits = {name: await _waits(server, rule, clips.questions) for name, rule in _RULES.items()}
    async with _serving("scripted:Fine.") as server:
        floor = await _waits(server, Settings(), clips.questions)
        answers = await _waits(server, Settings(), clips.short)
        cuts = {name: await _cuts(server, rule, clips.pausing) for name, rule in _RULES.items()}
    return [
        Row(
            "questions: end of speech -> first sound, median",
            median(waits["semantic"]), "s", 0.50,
            beside=[(name, median(waits[name])) for name in ("silence 500", "silence 800")],
        ),
        Row("the slowest tenth of them", quantile(waits["semantic"], 0.9), "s", 0.75),
        Row("the same with a scripted chat model, median", median(floor), "s", 0.45),
        Row(
            "answers into pauses of readings and numbers",
            cuts["semantic"], "", 0.5, cuts["silence 500"] or 1, "silence 500",
            beside=[("silence 800", cuts["silence 800"])],
        ),
        Row("short answers: the longest wait, scripted chat model", max(answers), "s", 1.0),
        *await _interruptions(clips.passing, clips.stopping),
    ]  # fmt: skip


async def _interruptions(passing: Sequence[Clip], stopping: Sequence[Clip]) -> list[Row]:
    ended, found = {}, {}
    for manner in ("words", "sound"):
        async with _serving(_LONG_ANSWER, manner) as server:
            heard = [each.interrupted for each in await _over_answers(server, passing)]
            ended[manner] = sum(at is not None for at in heard)
            heard = [each.interrupted for each in await _over_answers(server, stopping)]
            found[manner] = [_AFTER_S if at is None else at for at in heard]
    missed = sum(at >= _AFTER_S for at in found["words"])
    return [
        Row(f"of {len(passing)} backchannels these end the answer", ended["words"], "", 0,
            beside=[("by sound", ended["sound"])]),
        Row(f"of {len(stopping)} interruptions these do not", missed, "", 0),
        Row("interruptions: start of speech -> interrupted, median", median(found["words"]), "s",
            0.45, beside=[("by sound", median(found["sound"]))]),
        Row("the slowest of them", max(found["words"]), "s", 0.80),
    ]  # fmt: skip


@asynccontextmanager
async def _serving(chat: str, barge_in: str = "words") -> AsyncIterator[RunningServer]:
    engine = EngineSettings(chat=chat, barge_in=barge_in)
    plan = plan_session(Settings(server="local", engine=engine), "talk")
    async with running_server(plan) as server:
        yield server


async def _waits(server: RunningServer, rule: Settings, clips: Sequence[Clip]) -> list[float]:
    return [(await _heard(server, rule, clip)).wait_s for clip in clips]


async def _cuts(server: RunningServer, rule: Settings, clips: Sequence[Clip]) -> int:
    cuts = 0
    for group in _groups(clips, _SIDE_BY_SIDE):
        found = await asyncio.gather(*(_heard(server, rule, clip) for clip in group))
        cuts += sum(each.cuts for each in found)
    return cuts


async def _over_answers(server: RunningServer, clips: Sequence[Clip]) -> list[Heard]:
    return [await _heard(server, Settings(), clip, over_answer=True) for clip in clips]


def _groups(clips: Sequence[Clip], size: int) -> Iterable[Sequence[Clip]]:
    return (clips[at : at + size] for at in range(0, len(clips), size))


async def _heard(
    server: RunningServer, rule: Settings, clip: Clip, *, over_answer: bool = False
) -> Heard:
    """Speak ``clip`` in real time in a session of its own; return what came of it.

    ``over_answer``: ask first, and speak a second and a half after the answer has begun.
    """
    setup = plan_session(replace(rule, server="local"), "talk").setup
    async with await server.connect(setup) as client:
        if over_answer:
            await client.send(compose.text("Tell me."))
            async for event in client:
                if isinstance(event, AudioChunk):
                    break
            await _speak(client, np.zeros(round(1.5 * RATE), np.float32), monotonic())
        started = monotonic() + _LEAD_S
        heard = Heard([])
        listening = asyncio.create_task(_listen(client, heard, started, clip))
        lead, after = (np.zeros(round(s * RATE), np.float32) for s in (_LEAD_S, _AFTER_S))
        await _speak(client, np.concatenate([lead, clip.samples, after]), started - _LEAD_S)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        return heard


async def _listen(client: LiveClient, heard: Heard, started: float, clip: Clip) -> None:
    turn_sounded, silent_s = False, 0.0
    async for event in client:
        match event:
            case AudioChunk(_, data, rate) if not turn_sounded:
                loud = np.flatnonzero(np.abs(np.frombuffer(data, np.int16)) > _AUDIBLE)
                silent_s += (loud[0] if loud.size else len(data) // 2) / rate
                if loud.size:
                    turn_sounded = True
                    heard.sounds.append(monotonic() + silent_s - started - clip.seconds)
            case Interrupted():
                heard.interrupted = heard.interrupted or monotonic() - started
                turn_sounded, silent_s = False, 0.0
            case TurnComplete():
                turn_sounded, silent_s = False, 0.0
            case InputTranscript():
                pass


async def _speak(client: LiveClient, samples: np.ndarray, started: float) -> None:
    for place in range(0, samples.size - _FRAME + 1, _FRAME):
        await asyncio.sleep(max(0.0, started + (place + _FRAME) / RATE - monotonic()))
        frame = samples[place : place + _FRAME]
        await client.send(compose.audio((frame * 32767).astype("<i2").tobytes()))
