"""Real speech over an answer, read by the real transcriber as it grows."""

import asyncio
from statistics import median

import numpy as np
import pytest

from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber
from live_cli.engine.backends.vad.silero import SileroDetector
from live_cli.engine.conversation.floor.barge_in import Overlap
from live_cli.engine.conversation.floor.overhearing import Overhearing
from live_cli.engine.speech_in.endpointer import EARLY_PAUSE_MS, EndpointingRules, SpeechPaused
from live_cli.engine.speech_in.listener import Listener, SpeechInput
from live_cli.engine.speech_in.segmenter import Segmenter
from live_cli.engine.workers import Workers
from tests.benchmarks.spoken import BACKCHANNELS, INTERRUPTIONS, RATE, said

MORE_BACKCHANNELS = (
    *("Mm.", "Yes.", "Sure.", "Wow.", "Oh okay.", "Mhm.", "Really?", "Of course.", "Yep."),
)
MORE_INTERRUPTIONS = (
    *("No.", "But why?", "Tell me more about that.", "I don't want that.", "Let's talk of music."),
    *("Speak slower, please.", "You are wrong about that.", "Sorry, one question."),
)
PIECE = RATE // 25
READING_S = 0.04


@pytest.fixture(scope="module")
def transcriber():
    loaded = MoonshineTranscriber()
    yield loaded
    loaded.close()


async def told(samples, transcriber):
    """The kind that a clip over an answer is found to be, and how many seconds after it began.

    A reading begins with every 40 ms of sound and is there when the next come.
    """
    rules = EndpointingRules(pause_ms=EARLY_PAUSE_MS)
    workers = Workers()

    async def load():
        return SpeechInput(Segmenter(SileroDetector(), rules), transcriber)

    listener = Listener(load, workers)
    overhearing = Overhearing(listener)
    overhearing.begin()
    lead, after = np.zeros(round(0.3 * RATE), np.float32), np.zeros(RATE, np.float32)
    sound = np.concatenate([lead, samples, after])
    try:
        for at in range(0, sound.size - PIECE, PIECE):
            heard_s = (at + PIECE - lead.size) / RATE
            overlap = Overlap.OPEN
            events = await listener.push(pcm16_from_float(sound[at : at + PIECE]), RATE)
            for event, spoken in events:
                if isinstance(event, SpeechPaused) and spoken is not None:
                    overlap = await overhearing.decide([spoken])
            if overlap is Overlap.OPEN and listener.open_speech() is not None:
                overlap = overhearing.look()
                if others := asyncio.all_tasks() - {asyncio.current_task()}:
                    await asyncio.wait(others)
            if overlap is not Overlap.OPEN:
                return overlap, heard_s
        return Overlap.OPEN, heard_s
    finally:
        overhearing.end()
        listener.close()
        workers.close()


async def test_no_sign_of_listening_of_many_voices_interrupts(transcriber):
    ended = [
        (text, voice)
        for place, text in enumerate((*BACKCHANNELS, *MORE_BACKCHANNELS))
        for voice in (place, place + 15)
        if (await told(said(text, voice).samples, transcriber))[0] is Overlap.INTERRUPTION
    ]
    assert ended == []


async def test_what_interrupts_does_so_soon_in_many_voices(transcriber):
    found = [
        await told(said(text, voice).samples, transcriber)
        for place, text in enumerate((*INTERRUPTIONS, *MORE_INTERRUPTIONS))
        for voice in (place + 5, place + 20)
    ]
    assert {overlap for overlap, _ in found} == {Overlap.INTERRUPTION}
    assert median(at_s for _, at_s in found) <= 0.50
    assert max(at_s for _, at_s in found) <= 0.90
