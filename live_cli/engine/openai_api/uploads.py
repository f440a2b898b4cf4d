"""Sound that is uploaded to be transcribed: decoded within limits. Takes time: for a worker."""

import io
from typing import Final

import numpy as np

from live_cli.audio.files.speech_files import open_speech
from live_cli.audio.pcm import Samples
from live_cli.errors import InputFileError, UnsupportedError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

LONGEST_S: Final = 600
_LOWEST_RATE, _HIGHEST_RATE = 8_000, 192_000
_MOST_CHANNELS: Final = 8


def decoded_upload(data: bytes) -> Samples:
    """Return a sound file as samples at 16 kHz. Raises UnsupportedError, with what is wrong."""
    pieces: list[Samples] = []
    left = LONGEST_S * INPUT_SAMPLE_RATE
    try:
        with open_speech(io.BytesIO(data), untrusted=True) as speech:
            if not _LOWEST_RATE <= speech.source_rate <= _HIGHEST_RATE:
                raise UnsupportedError(
                    f"file: sound at {_LOWEST_RATE} to {_HIGHEST_RATE} Hz is read, not more."
                )
            if speech.channels > _MOST_CHANNELS:
                raise UnsupportedError(f"file: {_MOST_CHANNELS} channels are read, not more.")
            for block in speech:
                left -= len(block)
                if left < 0:
                    raise UnsupportedError(
                        f"file: {LONGEST_S // 60} minutes of sound are taken, not more."
                    )
                pieces.append(block)
    except InputFileError as exc:
        raise UnsupportedError(
            "file: this is no sound that is read here: send WAV, FLAC, Ogg or MP3."
        ) from exc
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
