"""Speech inside turns: transcribed at any rate and format; what cannot be read is refused."""

import io

import numpy as np
import pytest
import soundfile

from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.scripted import ScriptedChatModel, ScriptedTranscriber
from live_cli.engine.backends.vad.silero import SileroDetector
from live_cli.engine.conversation.inline_audio import ClipReader
from live_cli.errors import UnsupportedError
from live_cli.protocol.events import ContentReceived
from live_cli.protocol.messages import Blob, Content, Part
from tests.engine.backends.test_real_stages import spoken
from tests.harness.scripted_session import ScriptedRegistry, text_setup
from tests.harness.speech import speech_like

QUESTION = "What is the capital of France?"


def clip_of(data, mime_type):
    reader = ClipReader(data, mime_type)
    while reader.read():
        pass
    return reader.clip()


def file_of(samples, kind, rate=16_000):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind)
    return file.getvalue()


def enclosing(data, mime_type, text=None):
    parts = [Part(inline_data=Blob(data=data, mime_type=mime_type))]
    parts += [Part(text=text)] if text else []
    return ContentReceived([Content(role="user", parts=parts)], True)


@pytest.mark.parametrize(
    ("kind", "rate", "mime_type"),
    [
        ("WAV", 16_000, "audio/wav"),
        ("WAV", 44_100, "audio/x-wav"),
        ("FLAC", 24_000, "audio/flac"),
        ("OGG", 16_000, "audio/ogg"),
        ("MP3", 16_000, "audio/mpeg"),
    ],
)
def test_files_are_decoded_to_16_khz(kind, rate, mime_type):
    clip = clip_of(file_of(speech_like(1.0, rate), kind, rate), mime_type)
    assert clip.sample_rate == 16_000
    assert clip.seconds == pytest.approx(1.0, abs=0.1)


def test_raw_pcm_keeps_its_rate():
    data = pcm16_from_float(speech_like(1.0, 24_000))
    assert clip_of(data, "audio/pcm;rate=24000").seconds == pytest.approx(1.0)
    assert clip_of(data, "audio/pcm").sample_rate == 16_000
    assert clip_of(data, "audio/L16; rate=24000").sample_rate == 24_000


@pytest.mark.parametrize(
    ("data", "mime_type", "words"),
    [
        (b"hello", "audio/wav", "audio/wav in a turn cannot be read: send WAV"),
        (b"", "audio/pcm", "empty"),
        (b"\0", "audio/pcm", "odd number"),
        (b"\0\0", "audio/pcm;rate=7999", "at 7999 Hz"),
        (b"\0\0", "audio/pcm;rate=192001", "at 192001 Hz"),
        (bytes(2 * 8000 * 601), "audio/pcm;rate=8000", "10 minutes"),
        (file_of(np.zeros(8000 * 620, np.float32), "FLAC", 8000), "audio/flac", "10 minutes"),
    ],
)
def test_what_cannot_be_read_is_named(data, mime_type, words):
    with pytest.raises(UnsupportedError, match=words) as refused:
        clip_of(data, mime_type)
    assert len(refused.value.reason.encode()) <= 123


async def test_enclosed_speech_is_read_before_the_words_beside_it_and_billed_as_audio(connect):
    chat = ScriptedChatModel(["Yes."])
    pieces = [speech_like(1.0), np.zeros(16_000, np.float32), speech_like(1.0)]
    harness = await connect(
        text_setup(), ScriptedRegistry(chat, ScriptedTranscriber(["One.", "Two."]))
    )
    data = file_of(np.concatenate(pieces), "WAV")
    await harness.session.handle(enclosing(data, "audio/wav", "Sum it up."))
    await harness.shows("turnComplete+usage")
    assert chat.requests[0].messages[-1].text == "One. Two.\nSum it up."
    usage = harness.messages[-1].usage_metadata
    prompt = {detail.modality: detail.token_count for detail in usage.prompt_tokens_details}
    assert prompt["AUDIO"] == 75
    assert harness.heard() == []


async def test_real_enclosed_speech_is_understood(connect, transcriber, synthesizer):
    chat = ScriptedChatModel(["Paris."])
    harness = await connect(text_setup(), ScriptedRegistry(chat, transcriber, None, SileroDetector))
    data = pcm16_from_float(spoken(synthesizer, QUESTION))
    await harness.session.handle(enclosing(data, "audio/pcm;rate=16000"))
    await harness.shows("turnComplete+usage")
    assert chat.requests[0].messages[-1].text == QUESTION
