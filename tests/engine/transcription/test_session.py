"""The session that only transcribes: interim transcriptions, and how much audio it takes."""

import asyncio

import numpy as np
import pytest
import soundfile
import soxr

from live_cli.engine.backends.scripted import ScriptedTranscriber
from live_cli.engine.backends.stt.moonshine import bundled_folder
from live_cli.engine.engine import LiveEngine
from live_cli.engine.transcription.interim import EVERY_S, InterimSchedule
from live_cli.errors import UnsupportedError
from live_cli.protocol.events import AudioReceived, AudioStreamEnded
from live_cli.protocol.messages import AudioTranscriptionConfig, Setup
from tests.harness.scripted_session import FakeTime, ScriptedRegistry, SessionHarness, silence
from tests.harness.speech import BECKETT, speech_like, word_error_rate

SETUP = Setup(model="models/gemini-3.5-transcribe-live")
TENTH = 1600


def interim_texts(harness: SessionHarness) -> list[str]:
    contents = [message.server_content for message in harness.messages if message.server_content]
    told = [content.interim_input_transcription for content in contents]
    return [transcript.text or "" for transcript in told if transcript]


async def speak(harness: SessionHarness, samples: np.ndarray, *, live: bool = True) -> None:
    """In steps of 100 ms; ``live``: no faster than it is spoken."""
    for start in range(0, len(samples), TENTH):
        await harness.say(samples[start : start + TENTH])
        if live:
            harness.time.advance(0.1)
            while harness.session._transcribing_interim:  # type: ignore[union-attr] # noqa: ASYNC110
                await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("sound_s", "passed_s", "times"),
    [(10, 10, 10), (10, 9.5, 10), (10, 0, 0), (10, 5, 0), (0.4, 0.4, 0)],
)
def test_interim_texts_come_once_a_second_and_not_when_sound_comes_faster(
    sound_s: float, passed_s: float, times: int
) -> None:
    schedule, due, steps = InterimSchedule(), 0, round(sound_s * 10)
    for step in range(steps):
        now = 1000.0 + passed_s * step / steps
        schedule.push(0.1, now)
        due += schedule.is_due(now)
    assert abs(due - times) <= 1


def test_a_sender_that_paused_is_no_faster_for_it() -> None:
    schedule = InterimSchedule()
    schedule.push(0.1, 1000.0)
    schedule.push(0.5, 1060.0)
    assert schedule.is_due(1060.0)
    assert not schedule.is_due(1060.0 + EVERY_S / 2)
    schedule.push(5.0, 1061.0)
    assert not schedule.is_due(1061.5)


async def test_open_speech_has_interim_texts_that_are_replaced(connect) -> None:  # type: ignore[no-untyped-def]
    harness = await connect(SETUP, ScriptedRegistry(transcriber=ScriptedTranscriber(_seconds)))
    await speak(harness, np.concatenate([silence(0.3), speech_like(4.0), silence(2.0)]))
    await harness.session.handle(AudioStreamEnded())
    await harness.shows("turnComplete+usage")
    heard = interim_texts(harness)
    assert len(heard) in (3, 4)
    lengths = [float(text.split()[0]) for text in heard]
    assert lengths == sorted(lengths), "an interim text has all that was said, not a piece of it"
    kinds = [bool(m.server_content and m.server_content.interim_input_transcription)
             for m in harness.messages]  # fmt: skip
    final = next(i for i, m in enumerate(harness.messages)
                 if m.server_content and m.server_content.input_transcription)  # fmt: skip
    assert not any(kinds[final:]), "nothing replaces what is final"


def _seconds(samples: np.ndarray) -> str:
    return f"{len(samples) / 16_000:.1f} seconds"


async def test_a_file_at_full_speed_has_no_interim_texts(connect) -> None:  # type: ignore[no-untyped-def]
    harness = await connect(SETUP)
    await speak(harness, np.concatenate([speech_like(6.0), silence(2.0)]), live=False)
    await harness.session.handle(AudioStreamEnded())
    await harness.shows("turnComplete+usage")
    assert interim_texts(harness) == []


async def test_interim_texts_leave_the_final_words_as_they_are(connect, real) -> None:  # type: ignore[no-untyped-def]
    samples, rate = soundfile.read(bundled_folder().parent / "beckett.wav", dtype="float32")
    clip = np.asarray(soxr.resample(samples, rate, 16_000), np.float32)
    harness = await connect(SETUP, real)
    await speak(harness, clip)
    await harness.session.handle(AudioStreamEnded())
    await harness.shows("turnComplete+usage")
    assert word_error_rate(BECKETT, "".join(harness.heard())) <= 0.03
    spoken = [text for text in interim_texts(harness) if text.strip()]
    assert len(spoken) >= 3
    words = set(BECKETT.lower().replace(".", "").replace(",", "").split())
    said = [word for text in spoken for word in text.lower().strip().strip(".").split()]
    assert sum(word.strip(".,") in words for word in said) / len(said) >= 0.8


async def test_ten_minutes_are_all_it_takes(connect) -> None:  # type: ignore[no-untyped-def]
    harness = await connect(SETUP)
    minute = AudioReceived(bytes(2 * 8000 * 60), 8000)
    for _ in range(10):
        await harness.session.handle(minute)
    with pytest.raises(UnsupportedError, match="10 minutes") as refused:
        await harness.session.handle(minute)
    assert refused.value.close_code == 1008


async def test_an_engine_of_ones_own_takes_more(connect) -> None:  # type: ignore[no-untyped-def]
    time = FakeTime()
    engine = LiveEngine(
        registry=ScriptedRegistry(), clock=time.clock, sleep=time.sleep, limits_audio=False
    )
    harness = await connect(SETUP, engine=engine)
    for _ in range(11):
        await harness.session.handle(AudioReceived(bytes(2 * 8000 * 60), 8000))


@pytest.mark.parametrize("asked", [True, False])
async def test_words_have_their_times_where_they_are_asked_for(connect, asked: bool) -> None:  # type: ignore[no-untyped-def]
    config = AudioTranscriptionConfig(word_timestamp=asked)
    setup = Setup(model=SETUP.model, input_audio_transcription=config)
    texts = ScriptedTranscriber(["It was cold, they say.", "And dark.", "they say and dark"])
    harness = await connect(setup, ScriptedRegistry(transcriber=texts))
    await harness.say(np.concatenate([speech_like(20.0), silence(2.0)]))
    await harness.session.handle(AudioStreamEnded())
    await harness.shows("turnComplete+usage")
    told = [
        message.server_content.input_transcription
        for message in harness.messages
        if message.server_content and message.server_content.input_transcription
    ]
    assert [each.language_code for each in told] == ["en", "en"]
    if not asked:
        assert [each.words for each in told] == [None, None]
        return
    words = [word for each in told for word in each.words]
    assert [word.word for word in words] == ["It", "was", "cold,", "they", "say", "and", "dark."]
    times = [float(time[:-1]) for word in words for time in (word.start_offset, word.end_offset)]
    assert times == sorted(times)
    assert times[-1] > 19.0


async def test_a_transcriber_without_times_of_words_is_told_in_the_log(  # type: ignore[no-untyped-def]
    connect, caplog: pytest.LogCaptureFixture
) -> None:
    setup = Setup(
        model=SETUP.model, input_audio_transcription=AudioTranscriptionConfig(word_timestamp=True)
    )
    texts = ScriptedTranscriber()
    texts.times_words = False
    await connect(setup, ScriptedRegistry(transcriber=texts))
    assert "word timestamps" in caplog.text
