"""Speech that comes inside a turn (inlineData): decoded, cut into segments, transcribed."""

import io
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.table import Stage
from live_cli.engine.conversation.history.entries import USER
from live_cli.engine.speech_in.endpointer import SpeechCut, SpeechEnded
from live_cli.engine.speech_in.listener import SpeechInput
from live_cli.engine.speech_in.segmenter import SegmentEvent, pieces_of
from live_cli.engine.workers import Workers
from live_cli.errors import InputFileError, UnsupportedError
from live_cli.protocol.messages import Blob, Content
from live_cli.sample_rates import INPUT_SAMPLE_RATE

LONGEST_AUDIO_S = 600
_RATE = re.compile(r"rate\s*=\s*(\d{1,9})")
_LOWEST_RATE, _HIGHEST_RATE = 8_000, 192_000
"""Hz, as for realtime input (`protocol.wire`)."""
_LONGEST_MIME_TYPE = 256
_MOST_CHANNELS = 8
"""A second of them at the highest rate is 6 MB; formats allow a thousand."""


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
    """Transcribe one part, a second at a time, so that other sessions get their turn."""
    clip = await _clip_of(blob, workers)
    segmenter, transcriber = speech_input.segmenter, speech_input.transcriber
    pushes: list[Callable[[], list[SegmentEvent]]] = [
        partial(segmenter.push, piece, clip.sample_rate)
        for piece in pieces_of(clip.data, clip.sample_rate)
    ]
    texts = []
    for push in [*pushes, segmenter.flush]:
        for event, segment in await workers.run(Stage.DETECTOR, push):
            if isinstance(event, SpeechCut | SpeechEnded) and segment is not None:
                transcribe = partial(transcriber.transcribe, segment.samples)
                texts.append(await workers.run(Stage.TRANSCRIBER, transcribe))
    return ClipTranscript(" ".join(texts), clip.seconds)


async def _clip_of(blob: Blob, workers: Workers) -> AudioClip:
    reader = ClipReader(blob.data, blob.mime_type or "")
    while await workers.run(Stage.DETECTOR, reader.read):
        pass
    return reader.clip()


class ClipReader:
    """Decodes raw PCM (audio/pcm, audio/l16) or a file that libsndfile reads.

    All calls raise UnsupportedError, which says what is wrong with the audio.
    """

    def __init__(self, data: bytes, mime_type: str) -> None:
        kind = mime_type.partition(";")[0].strip().lower()
        self._data = bytearray()
        self._rate = INPUT_SAMPLE_RATE
        self._blocks: Iterator[bytes] = iter(())
        if kind in ("audio/pcm", "audio/l16"):
            self._rate = _raw_rate(data, mime_type)
            self._data += data
        else:
            self._blocks = _decoded(data, kind)

    def read(self) -> bool:
        """Decode the next second; False after the last. It takes time: call it in a worker."""
        block = next(self._blocks, None)
        if block is not None:
            self._data += block
            self._check_length()
        return block is not None

    def clip(self) -> AudioClip:
        """Return what has been read: all of it, after `read` has returned False."""
        if not self._data:
            raise UnsupportedError("The audio in a turn is empty.")
        self._check_length()
        return AudioClip(bytes(self._data), self._rate)

    def _check_length(self) -> None:
        """Refuse what is too long; a small file can hold hours."""
        if len(self._data) > 2 * self._rate * LONGEST_AUDIO_S:
            raise UnsupportedError(
                f"Audio in a turn may last {LONGEST_AUDIO_S // 60} minutes, not more."
            )


def _raw_rate(data: bytes, mime_type: str) -> int:
    rate_match = _RATE.search(mime_type, 0, _LONGEST_MIME_TYPE)
    rate = int(rate_match.group(1)) if rate_match else INPUT_SAMPLE_RATE
    _check_rate(rate)
    if len(data) % 2:
        raise UnsupportedError("Audio must be whole 16-bit samples: odd number of bytes.")
    return rate


def _check_rate(rate: int) -> None:
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise UnsupportedError(
            f"Audio at {rate} Hz is not read: {_LOWEST_RATE} to {_HIGHEST_RATE}."
        )


def _decoded(data: bytes, kind: str) -> Iterator[bytes]:
    """Yield a file as PCM16 at 16 kHz, about a second at a time."""
    try:
        with open_speech(io.BytesIO(data), untrusted=True) as speech:
            _check_rate(speech.source_rate)
            if speech.channels > _MOST_CHANNELS:
                raise UnsupportedError(f"Audio may have {_MOST_CHANNELS} channels, not more.")
            for block in speech:
                yield pcm16_from_float(block)
    except InputFileError as exc:
        raise UnsupportedError(
            f"The {kind[:30]} in a turn cannot be read: send WAV, FLAC, Ogg, MP3 or audio/pcm."
        ) from exc
