"""Hours of sound in one message, or in one part of a turn, in turns with everybody else's 20 ms.

The canary is a session whose frames and words are looked at between the pieces of the long one.
"""

import asyncio
import base64
import contextlib
import io
import json
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable
from itertools import groupby
from typing import Any, Final

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.engine.backends.scripted import ScriptedDetector, ScriptedTranscriber
from live_cli.engine.backends.table import Stage
from live_cli.engine.conversation.inline_audio import ClipReader
from live_cli.engine.engine import LiveEngine
from live_cli.engine.speech_in.endpointer import EndpointingRules
from live_cli.engine.speech_in.segmenter import Segmenter, SegmentEvent, pieces_of
from live_cli.errors import UnsupportedError
from live_cli.protocol.events import ActivityStarted, AudioReceived, ContentReceived
from live_cli.protocol.messages import (
    AutomaticActivityDetection,
    Blob,
    Content,
    Part,
    RealtimeInputConfig,
    ServerMessage,
    Setup,
)
from tests.harness.live_client import ending, receive, set_up
from tests.harness.live_server import running_server
from tests.harness.scripted_session import (
    FakeTime,
    ScriptedRegistry,
    SessionHarness,
    text_setup,
    utterance,
)
from tests.harness.speech import speech_like

WINDOWS_A_SECOND: Final = 32
LONG_S: Final = 120
TRANSCRIBING: Final = Setup(model="models/gemini-3.5-transcribe-live")
ONE_ACTIVITY: Final = text_setup(
    realtime_input_config=RealtimeInputConfig(
        automatic_activity_detection=AutomaticActivityDetection(disabled=True)
    )
)


@contextlib.asynccontextmanager
async def sessions(
    registry: ScriptedRegistry, *setups: Setup
) -> AsyncIterator[tuple[SessionHarness, ...]]:
    """A session for each of ``setups``, of one engine."""
    engine = LiveEngine(registry=registry)
    opened: list[SessionHarness] = []
    for setup in setups:
        messages: list[ServerMessage] = []
        changed = asyncio.Event()

        async def emit(
            message: ServerMessage,
            messages: list[ServerMessage] = messages,
            changed: asyncio.Event = changed,
        ) -> None:
            messages.append(message)
            changed.set()

        session = await engine.open(setup, emit)
        opened.append(SessionHarness(session, FakeTime(), messages, changed))
    yield tuple(opened)
    for harness in opened:
        await harness.session.close()
    await engine.close()


class LoggingDetector(ScriptedDetector):
    """Notes in ``log`` whose window it is asked about, by the number of the detector."""

    def __init__(self, log: list[int], number: int) -> None:
        self._log = log
        self._number = number

    def probability(self, window: Samples) -> float:
        self._log.append(self._number)
        return super().probability(window)


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread looks for speech, so that the order of the windows is that of the pieces."""
    threads = {Stage.DETECTOR: 1, Stage.TRANSCRIBER: 1, Stage.CHAT: 16, Stage.SYNTHESIZER: 1}
    monkeypatch.setattr("live_cli.engine.workers._THREADS", threads)


def logging_registry(log: list[int], transcriber: object | None = None) -> ScriptedRegistry:
    numbers = iter(range(100))
    return ScriptedRegistry(
        transcriber=transcriber, detector=lambda: LoggingDetector(log, next(numbers))
    )


def longest_run(log: list[int], number: int, beside: int) -> int:
    """Of windows of ``number`` without one of ``beside``, while both had some."""
    first, last = log.index(beside), len(log) - log[::-1].index(beside)
    return max(
        (len(list(run)) for who, run in groupby(log[first:last]) if who == number), default=0
    )


def long_speech(seconds: float = LONG_S) -> Samples:
    return np.concatenate([utterance(3.0, pause=2.0)] * round(seconds / 5.3))


def realtime(samples: Samples) -> AudioReceived:
    return AudioReceived(pcm16_from_float(samples), 16_000)


def enclosed(samples: Samples, kind: str) -> ContentReceived:
    if kind == "FLAC":
        file = io.BytesIO()
        soundfile.write(file, samples, 16_000, format="FLAC")
        blob = Blob(data=file.getvalue(), mime_type="audio/flac")
    else:
        blob = Blob(data=pcm16_from_float(samples), mime_type="audio/pcm")
    return ContentReceived([Content(role="user", parts=[Part(inline_data=blob)])], False)


WAYS: Final[dict[str, tuple[Setup, Callable[[Samples], Any]]]] = {
    "conversation": (text_setup(), realtime),
    "transcription": (TRANSCRIBING, realtime),
    "PCM in a turn": (text_setup(), lambda samples: enclosed(samples, "PCM")),
    "a file in a turn": (text_setup(), lambda samples: enclosed(samples, "FLAC")),
}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("way", WAYS)
async def test_frames_of_others_are_looked_at_between_the_seconds_of_a_long_message(
    way: str,
) -> None:
    log: list[int] = []
    setup, event_of = WAYS[way]
    async with sessions(logging_registry(log), TRANSCRIBING, setup) as (canary, attacker):
        await canary.session.handle(realtime(speech_like(0.032)))
        beside = log[0]
        attack = asyncio.create_task(attacker.session.handle(event_of(long_speech())))
        frames = 0
        while not attack.done():
            await canary.session.handle(realtime(speech_like(0.032)))
            frames += 1
        await attack
    own = next(number for number in set(log) if number != beside)
    assert frames > LONG_S / 4
    assert log.count(own) > 0.8 * LONG_S * 31
    assert longest_run(log, own, beside) <= 3 * WINDOWS_A_SECOND


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("setup", [text_setup(), ONE_ACTIVITY, TRANSCRIBING])
async def test_words_of_others_are_transcribed_between_the_segments_of_a_long_message(
    setup: Setup,
) -> None:
    """The transcriber is held until the other session's segment waits for it as well."""
    log: list[str] = []
    waiting = threading.Event()

    def transcribe(samples: Samples) -> str:
        waiting.wait(20)
        log.append("canary" if len(samples) < 2 * 16_000 else "attacker")
        return "Words."

    registry = ScriptedRegistry(transcriber=ScriptedTranscriber(transcribe))
    async with sessions(registry, TRANSCRIBING, setup) as (canary, attacker):
        if setup is ONE_ACTIVITY:
            await attacker.session.handle(ActivityStarted())
        attack = asyncio.create_task(attacker.session.handle(realtime(long_speech())))
        await asyncio.sleep(0.2)  # its segments are in the queue
        await canary.session.handle(realtime(utterance(0.5, pause=3.0)))
        waiting.set()
        await canary.shows("heard")
        assert log.index("canary") <= 2
        await attack


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
async def test_a_long_message_takes_no_memory_beside_its_own(rate: int) -> None:
    data = pcm16_from_float(long_speech(180.0))  # at another rate it is another sound
    async with sessions(ScriptedRegistry(), TRANSCRIBING) as (harness,):
        await harness.session.handle(AudioReceived(bytes(2 * rate), rate))
        tracemalloc.start()
        try:
            await harness.session.handle(AudioReceived(data, rate))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 2 * len(data), peak  # all of it as floats is at 8 kHz four times that, kept twice


@pytest.mark.parametrize("rate", ["0", "1", "1000", "7999", "192001", "384000", "99999999", "x"])
@pytest.mark.parametrize("field", ["audio", "mediaChunks"])
async def test_rates_that_are_none_are_refused_in_words(rate: str, field: str) -> None:
    blob = {"data": base64.b64encode(bytes(2000)).decode(), "mimeType": f"audio/pcm;rate={rate}"}
    async with running_server() as server, server.connect() as canary, server.connect() as client:
        await set_up(canary)
        await set_up(client)
        chunk = [blob] if field == "mediaChunks" else blob
        await client.send(json.dumps({"realtimeInput": {field: chunk}}))
        code, reason = await ending(client)
        assert (code, "8000 to 192000 Hz" in reason) == (1007, True)
        good = blob | {"mimeType": "audio/pcm;rate=192000"}
        await canary.send(json.dumps({"realtimeInput": {"audio": good}}))
        assert "2000 bytes at 192000" in json.dumps(await receive(canary))


def clip_of(data: bytes, mime_type: str) -> None:
    reader = ClipReader(data, mime_type)
    while reader.read():
        pass
    reader.clip()


@pytest.mark.parametrize(
    ("rate", "channels", "kind", "words"),
    [
        (1, 1, "WAV", "cannot be read"),
        (4_000, 1, "WAV", "at 4000 Hz"),
        (2_000_000_000, 1, "WAV", "cannot be read"),
        (384_000, 1, "WAV", "at 384000 Hz"),
        (48_000, 9, "WAV", "8 channels"),
        (48_000, 255, "OGG", "8 channels"),
    ],
)
def test_files_of_no_rate_or_many_channels_are_refused(
    rate: int, channels: int, kind: str, words: str
) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros((1000, channels), np.float32), rate, format=kind)
    with pytest.raises(UnsupportedError, match=words):
        clip_of(file.getvalue(), "audio/wav")


def events_of(pieces: list[bytes], rate: int) -> list[tuple[str, int | None]]:
    segmenter = Segmenter(ScriptedDetector(), EndpointingRules())
    events: list[SegmentEvent] = []
    for piece in pieces:
        events += segmenter.push(piece, rate)
    events += segmenter.flush()
    return [(repr(event), None if seg is None else len(seg.samples)) for event, seg in events]


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from([8_000, 16_000, 24_000, 44_100]),
    st.lists(st.tuples(st.floats(0.3, 4.0), st.floats(0.1, 2.0)), min_size=1, max_size=4),
)
def test_turns_are_found_as_they_are_in_the_whole(
    rate: int, talk: list[tuple[float, float]]
) -> None:
    said = np.concatenate([utterance(seconds, pause) for seconds, pause in talk])
    data = pcm16_from_float(said)
    pieces = list(pieces_of(data, rate))
    assert max(map(len, pieces)) <= 2 * rate
    assert events_of(pieces, rate) == events_of([data], rate)
