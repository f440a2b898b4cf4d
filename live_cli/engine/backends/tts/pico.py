"""SVOX Pico through py-nanotts: plain voices for German, English, French, Italian and Spanish.

The library holds the GIL for a whole sentence, reads markup in the text, and never returns from
some texts of hundreds of letters without a space. So it runs in a child process that can be ended,
and gets words alone, none of them endless.
"""

import json
import logging
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from live_cli.audio.pcm import Samples, float_from_pcm16
from live_cli.engine.backends.tts.pauses import pause_after, without_padding
from live_cli.engine.backends.tts.plain_words import plain_words
from live_cli.engine.backends.tts.reshaped import asked_of, levelled, reshaped
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import EngineError
from live_cli.scripts import latin_part

_log = logging.getLogger("live_cli.serve.engine")

_SAMPLE_RATE = 16_000
_VOICES = {"de": "de-DE", "en": "en-US", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}
_PROGRAM = Path(__file__).with_name("pico_program.py")
_VOLUME = 0.5
"""At 1 its peaks are cut off."""
_LONGEST_S = 10.0
"""A clause takes a tenth of a second; one that takes this long never ends."""
_LENGTH = struct.Struct("<I")


class PicoSynthesizer:
    """Pico in a child process, which starts at the first clause and ends with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        if not self._speak("Ja.", "de", 1.0, 1.0):
            raise EngineError("Pico does not speak here: pip install 'live-cli[voices]'")

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield ``text`` in ``voice``'s language, in one chunk; none for what it cannot speak."""
        words = plain_words(latin_part(text))
        if not words:
            return
        pitch, pace = asked_of(voice)
        with self._lock:
            sound = self._speak(words, voice.language, pitch, pace)
        speech = reshaped(float_from_pcm16(sound), _SAMPLE_RATE, voice)
        if len(speech := without_padding(levelled(speech), pause_after(text))):
            yield speech

    def close(self) -> None:
        """End the child process."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def _speak(self, text: str, language: str, pitch: float, pace: float) -> bytes:
        """Return PCM16 of ``text``; nothing where the child takes too long, and is ended."""
        child = self._started()
        request = {
            "text": text,
            "voice": _VOICES.get(language, "en-US"),
            "speed": pace,
            "pitch": pitch,
            "volume": _VOLUME,
        }
        late = threading.Timer(_LONGEST_S, child.kill)
        late.start()
        try:
            assert child.stdin is not None  # noqa: S101 - both are pipes
            assert child.stdout is not None  # noqa: S101
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            (length,) = _LENGTH.unpack(child.stdout.read(_LENGTH.size))
            sound = child.stdout.read(length)
        except (OSError, struct.error):
            self.close()
            _log.warning("the voice did not get over a text: it is left out")
            return b""
        finally:
            late.cancel()
        return sound

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            paths = os.pathsep.join(path for path in sys.path if path)
            self._child = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": paths},
            )
        return self._child
