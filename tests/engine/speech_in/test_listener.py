"""Who judges a pause is asked about the newest one, and never about one that is over."""

import asyncio
import threading

import numpy as np
import pytest

from live_cli.engine.backends.scripted import ScriptedTranscriber
from live_cli.engine.backends.table import Stage
from live_cli.engine.speech_in.endpointer import PauseLasts, SpeechPaused, SpeechResumed
from live_cli.engine.speech_in.listener import Listener, SpeechInput
from live_cli.engine.speech_in.segmenter import Segment
from live_cli.engine.workers import Workers


class Told:
    """A segmenter that tells what a test has put into it, and notes what is waited for."""

    def __init__(self):
        self.events = []
        self.waits = []

    def buffered(self, data, sample_rate):
        return False

    def push(self, data, sample_rate):
        events, self.events = self.events, []
        return events

    def wait(self, pause, silence_ms):
        self.waits.append((pause.end_s, silence_ms))


class HeldDetector:
    """Answers once it is let go; keeps the seconds that it was asked about."""

    def __init__(self):
        self.asked = []
        self.let_go = threading.Event()

    def probability(self, samples):
        self.asked.append(len(samples) / 16_000)
        assert self.let_go.wait(60)
        return 0.99


def heard(seconds):
    return Segment(np.zeros(round(seconds * 16_000), np.float32), 0.0, seconds)


@pytest.fixture
async def told():
    segmenter, detector, workers = Told(), HeldDetector(), Workers()
    speech = SpeechInput(segmenter, ScriptedTranscriber(["That is all."]), detector)

    async def load():
        return speech

    listener = Listener(load, workers)

    async def tell(event, segment=None):
        segmenter.events = [(event, segment)]
        [(_, spoken)] = await listener.push(b"", 16_000)
        return spoken

    yield listener, tell, segmenter, detector, workers
    detector.let_go.set()
    workers.close()


async def until(holds):
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


async def test_of_a_pause_that_lasts_the_newest_sound_is_judged_and_nothing_between(told):
    listener, tell, segmenter, detector, _ = told
    asking = [asyncio.create_task(listener.judge(await tell(SpeechPaused(0, 16_000), heard(1.0))))]
    await until(lambda: detector.asked == [1.0])
    for seconds in (1.3, 1.6, 1.9):
        spoken = await tell(PauseLasts(0, 16_000, round(seconds * 16_000)), heard(seconds))
        asking.append(asyncio.create_task(listener.judge(spoken)))
        await asyncio.sleep(0)
    detector.let_go.set()
    await asyncio.gather(*asking)
    assert detector.asked == [1.0, 1.9]
    assert segmenter.waits == [(1.0, 0), (1.0, 0)]


async def test_a_pause_that_is_over_before_its_turn_comes_is_not_judged(told):
    listener, tell, segmenter, detector, workers = told
    others = threading.Event()
    busy = asyncio.create_task(workers.run(Stage.TURN_DETECTOR, lambda: others.wait(60)))
    asking = asyncio.create_task(listener.judge(await tell(SpeechPaused(0, 16_000), heard(1.0))))
    await asyncio.sleep(0)
    await tell(SpeechResumed())
    others.set()
    detector.let_go.set()
    await asyncio.gather(busy, asking)
    assert detector.asked == []
    assert segmenter.waits == []


async def test_where_transcriptions_wait_a_pause_is_judged_after_its_text(told):
    listener, tell, _, detector, workers = told
    transcriber = threading.Event()
    running = [
        asyncio.create_task(workers.run(Stage.TRANSCRIBER, lambda: transcriber.wait(60)))
        for _ in range(2)
    ]
    await asyncio.sleep(0)
    asking = asyncio.create_task(listener.judge(await tell(SpeechPaused(0, 16_000), heard(1.0))))
    await asyncio.sleep(0.1)
    assert detector.asked == []
    transcriber.set()
    detector.let_go.set()
    await asyncio.gather(*running, asking)
    assert detector.asked == [1.0]
