"""A synthesizer behind an OpenAI-compatible endpoint: Kokoro, speaches, vLLM, `live-cli stages`.

Named ``openai:http://127.0.0.1:8880/v1#voice`` or ``…#model/voice``; its key is
``SYNTHESIZER_API_KEY``, or ``OPENAI_API_KEY`` where that is not set. Each clause is a POST to
``/audio/speech``, whose answer is spoken as it comes. Which of the server's voices each of the
thirty is, a table says; the others are the one behind the ``#``, or go by their own names where
there is none.

PCM is asked for, which OpenAI sends at 24 kHz; a server that has none is asked for WAV. Whatever
comes is told by its first bytes and its type, and resampled.
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

import numpy as np

from live_cli.audio.files.wav_header import PcmFormat, read_wav_header
from live_cli.audio.pcm import Samples, mono
from live_cli.audio.resampler import Resampler
from live_cli.engine.backends.endpoint_addresses import EndpointAddress
from live_cli.engine.backends.http_exchange import HttpHead
from live_cli.engine.backends.stage_endpoint import (
    EndpointRefusedError,
    EndpointRequest,
    RequestFor,
    StageEndpoint,
)
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import EngineError, InputFileError
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE

KEY: Final = "SYNTHESIZER_API_KEY"
_STAGE: Final = "synthesizer"
_USUAL_MODEL: Final = "tts-1"
_SILENCE_S: Final = 30.0
_MOST_BYTES: Final = 64 * 1024 * 1024
_NOT_TAKEN: Final = (400, 415, 422, 501)
_NO_LANGUAGE, _NO_PCM = 1, 2
_HEADER_BYTES: Final = 64 * 1024
_RATE: Final = re.compile(r"rate\s*=\s*\"?(\d{4,6})")
_NOTHING: Final = np.zeros(0, np.float32)


class OpenAISynthesizer:
    """A synthesizer at one or several addresses; calls run side by side.

    ``voices``: the server's names of voices by those of the Live API, as NAME=VOICE.
    """

    def __init__(
        self, spec: str, voices: Sequence[str] = (), *, silence_s: float = _SILENCE_S
    ) -> None:
        self._endpoint = StageEndpoint(
            _STAGE, spec, key=KEY, silence_s=silence_s, most_bytes=_MOST_BYTES, needs_name=False
        )
        self._voices = {name: own for name, _, own in (each.partition("=") for each in voices)}
        self._left_out: dict[EndpointAddress, int] = {}
        """How much of what not every server takes is left out: language, then PCM."""

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield the speech as it comes; empty chunks while nothing does. Raises EngineError.

        Closing the iterator closes the connection.
        """
        if not any(character.isalnum() for character in text):
            return

        least = 0 if voice.language not in ("", "en") else _NO_LANGUAGE

        def request_for(address: EndpointAddress) -> EndpointRequest:
            model, _, own = address.name.rpartition("/")
            left_out = max(least, self._left_out.get(address, 0))
            body = {
                "model": model or _USUAL_MODEL,
                "input": text,
                "voice": self._voices.get(voice.name) or own or voice.name,
                "response_format": "wav" if left_out >= _NO_PCM else "pcm",
            }
            if left_out < _NO_LANGUAGE:
                body["language"] = voice.language
            return EndpointRequest("/audio/speech", json.dumps(body).encode())

        while True:
            try:
                yield from self._sound(request_for)
                return
            except EndpointRefusedError as exc:
                left_out = max(least, self._left_out.get(exc.address, 0))
                if exc.status not in _NOT_TAKEN or left_out >= _NO_PCM:
                    if left_out:
                        self._left_out.pop(exc.address, None)  # it was not that
                    raise
                self._left_out[exc.address] = left_out + 1

    def _sound(self, request_for: RequestFor) -> Iterator[Samples]:
        """Yield the speech; where an address breaks off, the rest of it as the next one speaks."""
        sound: SpeechStream | None = None
        given = known = 0
        with closing(self._endpoint.fetch(request_for, anew=True)) as arrivals:
            for arrived in arrivals:
                if isinstance(arrived, HttpHead):
                    sound, known = SpeechStream(arrived.content_type), given
                elif arrived and sound is not None:
                    samples = sound.push(arrived)
                    new = samples[known:]
                    known -= len(samples) - len(new)
                    given += len(new)
                    yield new
                else:
                    yield _NOTHING  # for the caller to see whether it still wants to wait
        if sound is not None:
            yield sound.flush()


class SpeechStream:
    """Sound of an endpoint as it comes, made 24 kHz mono: raw PCM16, or WAV in any encoding.

    ``content_type``: of the answer; its ``rate`` is that of raw PCM.
    """

    def __init__(self, content_type: str) -> None:
        rate = _RATE.search(content_type)
        self._raw = PcmFormat(int(rate[1]) if rate else OUTPUT_SAMPLE_RATE, 1, 2)
        self._kind = content_type.partition(";")[0].strip().lower()
        self._format: PcmFormat | None = None
        self._resampler: Resampler | None = None
        self._held = b""

    def push(self, data: bytes) -> Samples:
        """Return what ``data`` adds. Raises EngineError for sound that is neither."""
        data = self._held + data
        if self._format is None:
            data = self._without_header(data)
            if self._format is None:
                self._held = data
                return _NOTHING
        whole = len(data) - len(data) % self._format.frame_bytes
        self._held = data[whole:]
        return self._resampled(mono(self._format.frames(data[:whole])))

    def flush(self) -> Samples:
        """Return the rest at the end."""
        if self._format is None and self._held:
            raise _not_read(self._kind)
        return _NOTHING if self._resampler is None else self._resampler.flush()

    def _without_header(self, data: bytes) -> bytes:
        """Return ``data`` behind the header, where that is whole; it sets the format."""
        if len(data) < 4:
            return data
        if data.startswith(b"RIFF"):
            stream = io.BytesIO(data)
            stream.seek(4)
            try:
                self._format = read_wav_header(stream).format
            except InputFileError:
                if len(data) > _HEADER_BYTES:
                    raise _not_read(self._kind) from None
                return data
            data = data[stream.tell() :]
        elif data.startswith((b"ID3", b"OggS", b"fLaC", b"{")) or self._kind in _COMPRESSED:
            raise _not_read(self._kind)
        else:
            self._format = self._raw
        if not _LOWEST_RATE <= self._format.sample_rate <= _HIGHEST_RATE:
            raise _not_read(f"{self._kind} at {self._format.sample_rate} Hz")
        if self._format.sample_rate != OUTPUT_SAMPLE_RATE:
            self._resampler = Resampler(self._format.sample_rate, OUTPUT_SAMPLE_RATE)
        return data

    def _resampled(self, samples: Samples) -> Samples:
        return samples if self._resampler is None else self._resampler.process(samples)


_COMPRESSED: Final = ("audio/mpeg", "audio/mp3", "audio/ogg", "audio/opus", "audio/flac")
_LOWEST_RATE, _HIGHEST_RATE = 8_000, 192_000


def _not_read(kind: str) -> EngineError:
    return EngineError(
        f"the synthesizer's endpoint answered with {kind or 'sound'}, which is not read here: "
        "it has to send PCM or WAV"
    )
