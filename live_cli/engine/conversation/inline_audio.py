"""Speech that comes inside a turn (inlineData): decoded, cut into segments, transcribed."""

import io
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.table import Stage
from live_cli.engine.conversation.history.entries import USER
from live_cli.engine.speech_in.endpointer import SpeechCut, SpeechEnded
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.workers import Workers
from live_cli.errors import InputFileError, UnsupportedError
from live_cli.protocol.messages import Blob, Content
from live_cli.sample_rates import INPUT_SAMPLE_RATE

LONGEST_AUDIO_S = 600
_RATE = re.compile(r"rate\s*=\s*(\d{1,9})")
_LOWEST_RATE, _HIGHEST_RATE = 4_000, 192_000


@dataclass(frozen=True, slots=True)
class AudioClip:
    """Decoded audio of one part of a turn: PCM16 mono at ``sample_rate`` Hz."""

    data: bytes
    sample_rate: int

    @property
    def seconds(self) -> float:
        return len(self.data) / 2 / self.sample_rate


@dataclass(frozen=True, slots=True)
class ClipTranscript:
    """The transcript of ``seconds`` of audio."""

    text: str
    seconds: float


def is_audio(blob: Blob) -> bool:
    """Whether the MIME type of ``blob`` is one of audio."""
    return (blob.mime_type or "")[:6].lower() == "audio/"


async def transcripts_of(
    content: Content, load: Callable[[], Awaitable[SpeechInput]], workers: Workers
) -> list[ClipTranscript]:
    """Return the transcripts of the audio parts of a turn, in their order.

    ``load`` gives each part a segmenter of its own. Raises UnsupportedError for audio in a turn of
    the model, and for audio that cannot be read.
    """
    blobs = [part.inline_data for part in content.parts or () if part.inline_data]
    clips = [blob for blob in blobs if is_audio(blob)]
    if clips and (content.role or USER) != USER:
        raise UnsupportedError("Audio belongs into turns of the user.")
    return [await _transcript(blob, await load(), workers) for blob in clips]


async def _transcript(blob: Blob, speech_input: SpeechInput, workers: Workers) -> ClipTranscript:
    clip = await workers.run(Stage.DETECTOR, lambda: clip_of(blob.data, blob.mime_type or ""))
    segmenter, transcriber = speech_input.segmenter, speech_input.transcriber
    events = await workers.run(
        Stage.DETECTOR, lambda: segmenter.push(clip.data, clip.sample_rate) + segmenter.flush()
    )
    texts = [
        await workers.run(Stage.TRANSCRIBER, partial(transcriber.transcribe, segment.samples))
        for event, segment in events
        if isinstance(event, SpeechCut | SpeechEnded) and segment is not None
    ]
    return ClipTranscript(" ".join(texts), clip.seconds)


def clip_of(data: bytes, mime_type: str) -> AudioClip:
    """Decode raw PCM (audio/pcm, audio/l16) or a file that libsndfile reads.

    Raises UnsupportedError, which says what is wrong with the audio. Decoding takes CPU time: it
    belongs in a worker thread.
    """
    kind = mime_type.partition(";")[0].strip().lower()
    clip = _raw(data, mime_type) if kind in ("audio/pcm", "audio/l16") else _decoded(data, kind)
    if not clip.data:
        raise UnsupportedError("The audio in a turn is empty.")
    if clip.seconds > LONGEST_AUDIO_S:
        raise UnsupportedError(
            f"Audio in a turn may last {LONGEST_AUDIO_S // 60} minutes, not more."
        )
    return clip


def _raw(data: bytes, mime_type: str) -> AudioClip:
    rate_match = _RATE.search(mime_type)
    rate = int(rate_match.group(1)) if rate_match else INPUT_SAMPLE_RATE
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise UnsupportedError(
            f"Audio at {rate} Hz is not read: {_LOWEST_RATE} to {_HIGHEST_RATE}."
        )
    if len(data) % 2:
        raise UnsupportedError("Audio must be whole 16-bit samples: odd number of bytes.")
    return AudioClip(data, rate)


def _decoded(data: bytes, kind: str) -> AudioClip:
    """Decode a file to 16 kHz, up to just over the longest: a small file can hold hours."""
    decoded = bytearray()
    try:
        with open_speech(io.BytesIO(data)) as speech:
            for block in speech:
                decoded += pcm16_from_float(block)
                if len(decoded) > 2 * INPUT_SAMPLE_RATE * (LONGEST_AUDIO_S + 1):
                    break
    except InputFileError as exc:
        raise UnsupportedError(
            f"The {kind[:30]} in a turn cannot be read: send WAV, FLAC, Ogg, MP3 or audio/pcm."
        ) from exc
    return AudioClip(bytes(decoded), INPUT_SAMPLE_RATE)
