"""eSpeak NG, where its program is installed: robotic voices for a hundred languages."""

import math
import struct
from collections.abc import Iterator

from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.engine.backends.tts.espeak_program import output_of, required_program
from live_cli.engine.backends.tts.pauses import pause_after, without_padding
from live_cli.engine.backends.tts.plain_words import plain_words
from live_cli.engine.backends.tts.reshaped import asked_of, levelled, reshaped
from live_cli.engine.stages import VoiceTraits

_WORDS_A_MINUTE = 165
_HEADER_BYTES, _RATE_AT = 44, 24
"""Of its WAV files: PCM16 mono behind a header whose lengths are wrong in a pipe."""
_LOWER, _HIGHER = 0.00626, 0.0098
"""Its pitch is a number from 0 to 99, 50 its own; measured, the logarithm changes by so much."""


class EspeakSynthesizer:
    """The program, run once for each clause."""

    def __init__(self) -> None:
        required_program()

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield ``text`` in ``voice``'s language, in one chunk; none for what it cannot speak."""
        words = plain_words(text)
        if not words:
            return
        wav = _wav(words, voice)
        if len(wav) <= _HEADER_BYTES:
            return
        (sample_rate,) = struct.unpack_from("<I", wav, _RATE_AT)
        whole = (len(wav) - _HEADER_BYTES) // 2 * 2
        speech = float_from_pcm16(wav[_HEADER_BYTES : _HEADER_BYTES + whole])
        speech = reshaped(speech, sample_rate, voice)
        if len(speech := without_padding(levelled(speech), pause_after(text))):
            yield speech


def _wav(words: str, voice: VoiceTraits) -> bytes:
    pitch, pace = asked_of(voice)
    rate = round(_WORDS_A_MINUTE * pace)
    language = voice.language or "en"
    return output_of(words, language, "--stdout", "-p", str(_pitch(pitch)), "-s", str(rate))


def _pitch(factor: float) -> int:
    step = math.log(factor) / (_LOWER if factor < 1 else _HIGHER)
    return max(0, min(99, round(50 + step)))
