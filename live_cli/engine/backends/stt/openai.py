"""A transcriber behind an OpenAI-compatible endpoint: vLLM, speaches, LocalAI, `live-cli stages`.

Named ``openai:http://127.0.0.1:8000/v1#model``; its key is ``TRANSCRIBER_API_KEY``, or
``OPENAI_API_KEY`` where that is not set. A segment is sent to ``/audio/transcriptions`` as WAV.

Servers differ in what they can answer: Whisper's own API tells words and language
(``verbose_json`` with ``timestamp_granularities``), vLLM the language alone, newer models of
OpenAI the text alone. What an address refuses is left out there from then on.
"""

import secrets
import threading
from dataclasses import replace
from typing import Any, Final

from live_cli.audio.files.wav_header import wav_header
from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.catalog import find_language, near_language
from live_cli.engine.backends.endpoint_addresses import EndpointAddress
from live_cli.engine.backends.stage_endpoint import (
    EndpointRefusedError,
    EndpointRequest,
    StageEndpoint,
    json_object,
)
from live_cli.engine.stages import Confidence, DetailedText, SpokenWord
from live_cli.sample_rates import INPUT_SAMPLE_RATE

KEY: Final = "TRANSCRIBER_API_KEY"
_STAGE: Final = "transcriber"
_SILENCE_S: Final = 60.0
_MOST_BYTES: Final = 4 * 1024 * 1024
_NOT_TAKEN: Final = (400, 415, 422, 501)
_WITH_WORDS, _WITH_LANGUAGE, _TEXT_ALONE = 0, 1, 2
"""How much is asked for, the most first."""
_USUAL_CERTAINTY: Final = 0.8
"""Of a language that a server heard and told without a probability."""
_SENT_CODES: Final = {"iw": "he", "fil": "tl"}
"""The Live API's codes of languages that Whisper lists under others."""
_WIRE_CODES: Final = {"tl": "fil", "nn": "no"}


class OpenAITranscriber:
    """A transcriber at one or several addresses; calls run side by side."""

    times_words = True  # whether it does, only an answer tells

    def __init__(self, spec: str, *, silence_s: float = _SILENCE_S) -> None:
        self._endpoint = StageEndpoint(
            _STAGE, spec, key=KEY, silence_s=silence_s, most_bytes=_MOST_BYTES, needs_name=False
        )
        self._asks: dict[EndpointAddress, int] = {}
        self._lock = threading.Lock()

    def transcribe(self, samples: Samples) -> str:
        """The words in ``samples`` (16 kHz), "" for none. Raises EngineError."""
        return self.transcribe_in_detail(samples, words=False).text

    def transcribe_in_detail(
        self, samples: Samples, *, words: bool, language: str | None = None
    ) -> DetailedText:
        """As `transcribe`, with the times of the words and the language, where they are told."""
        sound = wav_header(2 * len(samples), INPUT_SAMPLE_RATE) + pcm16_from_float(samples)
        least = _WITH_WORDS if words else _WITH_LANGUAGE

        def request_for(address: EndpointAddress) -> EndpointRequest:
            asks = max(least, self._asks.get(address, least))
            return _request(sound, address.name, asks, language)

        while True:
            try:
                body = self._endpoint.whole(request_for)
            except EndpointRefusedError as exc:
                if exc.status in _NOT_TAKEN and self._ask_less(exc.address, least):
                    continue
                raise
            heard = _read(json_object(body, _STAGE), told=language is not None)
            return heard if words else replace(heard, words=())

    def confidence(self, samples: Samples, text: str) -> Confidence | None:
        """Return None: a server's model may know any language."""
        return None

    def _ask_less(self, address: EndpointAddress, least: int) -> bool:
        """Ask ``address`` for less from now on; False where there is nothing to leave out."""
        with self._lock:
            asks = max(least, self._asks.get(address, least))
            if asks == _TEXT_ALONE:
                self._asks.pop(address)  # it was not that which was refused
                return False
            self._asks[address] = asks + 1
            return True


def _request(sound: bytes, model: str, asks: int, language: str | None) -> EndpointRequest:
    fields = [("model", model)] if model else []
    fields.append(("response_format", "json" if asks == _TEXT_ALONE else "verbose_json"))
    if asks == _WITH_WORDS:
        fields.append(("timestamp_granularities[]", "word"))
    if language:
        code = language.partition("-")[0]
        fields.append(("language", _SENT_CODES.get(code, code)))
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="speech.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    body = "".join([*parts, file]).encode() + sound + f"\r\n--{boundary}--\r\n".encode()
    return EndpointRequest(
        "/audio/transcriptions", body, f"multipart/form-data; boundary={boundary}"
    )


def _read(answer: dict[str, Any], *, told: bool) -> DetailedText:
    """Return what an answer says. ``told``: the language was not listened for."""
    text = answer.get("text")
    segments = [each for each in answer.get("segments") or () if isinstance(each, dict)]
    found = answer.get("words") or [w for each in segments for w in each.get("words") or ()]
    words = tuple(word for each in found if (word := _word(each)) is not None)
    code = _code_of(answer.get("language"))
    certainty = answer.get("language_probability", _USUAL_CERTAINTY)
    return DetailedText(
        text.strip() if isinstance(text, str) else "",
        words,
        code,
        certainty=float(certainty) if code and not told and _is_number(certainty) else 0.0,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(found: Any) -> SpokenWord | None:
    try:
        text = str(found["word"]).strip()
        start_s, end_s = float(found["start"]), float(found["end"])
    except (KeyError, TypeError, ValueError):
        return None
    return SpokenWord(text, start_s, end_s) if text and 0 <= start_s <= end_s else None


def _code_of(language: Any) -> str | None:
    """Return the Live API's code of ``language``: Whisper's API tells names, others codes."""
    if not isinstance(language, str) or not language:
        return None
    return _WIRE_CODES.get(language) or find_language(language) or near_language(language)
