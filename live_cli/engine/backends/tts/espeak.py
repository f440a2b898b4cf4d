"""eSpeak NG, where its program is installed: robotic voices for a hundred languages.

It is run as a program and never linked; the text goes in by stdin, and what it is asked for is in
its arguments, which hold nothing of the text.
"""

import math
import shutil
import struct
import subprocess
from collections.abc import Iterator

from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.engine.backends.tts.pauses import pause_after, without_padding
from live_cli.engine.backends.tts.plain_words import plain_words
from live_cli.engine.backends.tts.reshaped import asked_of, levelled, reshaped
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import EngineError

_PROGRAMS = ("espeak-ng", "espeak")
_OWN_CODES = {"iw": "he", "no": "nb", "zh": "cmn", "en": "en-us", "fr": "fr-fr"}
_WORDS_A_MINUTE = 165
_LONGEST_S = 10.0
_HEADER_BYTES, _RATE_AT = 44, 24
"""Of its WAV files: PCM16 mono behind a header whose lengths are wrong in a pipe."""
_LOWER, _HIGHER = 0.00626, 0.0098
"""Its pitch is a number from 0 to 99, 50 its own; measured, the logarithm changes by so much."""


def program() -> str | None:
    """Return the path of the program; None where it is not installed."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


class EspeakSynthesizer:
    """The program, run once for each clause."""

    def __init__(self) -> None:
        found = program()
        if found is None:
            raise EngineError(
                "espeak-ng is not installed: apt install espeak-ng, brew install espeak-ng"
            )
        self._program = found

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield ``text`` in ``voice``'s language, in one chunk; none for what it cannot speak."""
        words = plain_words(text)
        if not words:
            return
        wav = self._run(words, voice)
        if len(wav) <= _HEADER_BYTES:
            return
        (sample_rate,) = struct.unpack_from("<I", wav, _RATE_AT)
        whole = (len(wav) - _HEADER_BYTES) // 2 * 2
        speech = float_from_pcm16(wav[_HEADER_BYTES : _HEADER_BYTES + whole])
        speech = reshaped(speech, sample_rate, voice)
        if len(speech := without_padding(levelled(speech), pause_after(text))):
            yield speech

    def _run(self, words: str, voice: VoiceTraits) -> bytes:
        pitch, pace = asked_of(voice)
        code = _OWN_CODES.get(voice.language, voice.language or "en")
        arguments = ["-v", code, "-p", str(_pitch(pitch)), "-s", str(round(_WORDS_A_MINUTE * pace))]
        try:
            done = subprocess.run(
                [self._program, "--stdin", "--stdout", "-b", "1", *arguments],
                input=words.encode(errors="ignore"),
                capture_output=True,
                timeout=_LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return b""
        except OSError as exc:
            raise EngineError(f"espeak-ng does not run: {exc.strerror or exc}") from exc
        if done.returncode:
            raise EngineError(f"espeak-ng does not speak {code}: is its data installed?")
        return done.stdout


def _pitch(factor: float) -> int:
    step = math.log(factor) / (_LOWER if factor < 1 else _HIGHER)
    return max(0, min(99, round(50 + step)))
