"""Speech enclosed in a turn (inlineData): decoded, cut into segments, written down."""

import io
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.conversation.history import USER
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.speech_in.segmenter import Ended
from live_cli.engine.workers import Stage, Workers
from live_cli.errors import InputFileError, UnsupportedError
from live_cli.protocol.messages import Blob, Content
from live_cli.sample_rates import INPUT_SAMPLE_RATE

LONGEST_S = 600
_RATE = re.compile(r"rate\s*=\s*(\d+)")
_LOWEST_RATE, _HIGHEST_RATE = 4_000, 192_000


@dataclass(frozen=True, slots=True)
class AudioClip:
    """PCM16 mono at ``sample_rate`` Hz."""

    data: bytes
    sample_rate: int

    @property
    def seconds(self) -> float:
        return len(self.data) / 2 / self.sample_rate


@dataclass(frozen=True, slots=True)
class ClipTranscript:
    """What was said in ``seconds`` of sound."""

    text: str
    seconds: float


def is_speech(blob: Blob) -> bool:
    return (blob.mime_type or "").lower().startswith("audio/")


async def words_in(
    content: Content, load: Callable[[], Awaitable[SpeechInput]], workers: Workers
) -> list[ClipTranscript]:
    """What is said in the audio parts of a turn, one after the other.

    ``load``: ears and a transcriber that nobody else uses meanwhile. Raises UnsupportedError.
    """
    blobs = [part.inline_data for part in content.parts or () if part.inline_data]
    clips = [blob for blob in blobs if is_speech(blob)]
    if clips and (content.role or USER) != USER:
        raise UnsupportedError("Audio belongs into turns of the user.")
    return [await _words(blob, await load(), workers) for blob in clips]


async def _words(blob: Blob, hearing: SpeechInput, workers: Workers) -> ClipTranscript:
    clip = await workers.run(Stage.DETECTOR, lambda: clip_of(blob.data, blob.mime_type or ""))
    ears, transcriber = hearing.ears, hearing.transcriber
    heard = await workers.run(
        Stage.DETECTOR, lambda: ears.hear(clip.data, clip.sample_rate) + ears.flush()
    )
    segments = [event.segment for event in heard if isinstance(event, Ended) and event.segment]
    texts = [
        await workers.run(Stage.TRANSCRIBER, partial(transcriber.transcribe, segment.samples))
        for segment in segments
    ]
    return ClipTranscript(" ".join(texts), clip.seconds)


def clip_of(data: bytes, mime_type: str) -> AudioClip:
    """Raw PCM, or a file that libsndfile reads. Raises UnsupportedError, which says what is wrong.

    Decoding computes: call it in a worker thread.
    """
    kind = mime_type.partition(";")[0].strip().lower()
    clip = _raw(data, mime_type) if kind in ("audio/pcm", "audio/l16") else _decoded(data, kind)
    if not clip.data:
        raise UnsupportedError("The audio in a turn is empty.")
    if clip.seconds > LONGEST_S:
        raise UnsupportedError(f"Audio in a turn may last {LONGEST_S // 60} minutes, not more.")
    return clip


def _raw(data: bytes, mime_type: str) -> AudioClip:
    said = _RATE.search(mime_type)
    rate = int(said.group(1)) if said else INPUT_SAMPLE_RATE
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise UnsupportedError(
            f"Audio at {rate} Hz is not read: {_LOWEST_RATE} to {_HIGHEST_RATE}."
        )
    if len(data) % 2:
        raise UnsupportedError("Audio must be whole 16-bit samples: odd number of bytes.")
    return AudioClip(data, rate)


def _decoded(data: bytes, kind: str) -> AudioClip:
    """No more than a little over the longest: a small file can hold hours."""
    decoded = bytearray()
    try:
        with open_speech(io.BytesIO(data)) as speech:
            for block in speech:
                decoded += pcm16_from_float(block)
                if len(decoded) > 2 * INPUT_SAMPLE_RATE * (LONGEST_S + 1):
                    break
    except InputFileError as exc:
        raise UnsupportedError(
            f"The {kind[:30]} in a turn cannot be read: send WAV, FLAC, Ogg, MP3 or audio/pcm."
        ) from exc
    return AudioClip(bytes(decoded), INPUT_SAMPLE_RATE)
