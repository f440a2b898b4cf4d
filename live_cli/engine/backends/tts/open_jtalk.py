"""Open JTalk with the voice Mei: plain Japanese, from the package pyopenjtalk-plus.

Text is read by a dictionary in the package, and spoken by a model of some hundred kilobytes
(HTS; the voice by Nagoya Institute of Technology under CC BY 3.0).
"""

import math
import threading
from collections.abc import Iterator

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.tts.open_jtalk_library import open_jtalk
from live_cli.engine.backends.tts.pauses import pause_after, without_padding
from live_cli.engine.backends.tts.pieces import pieces_of
from live_cli.engine.backends.tts.plain_words import plain_words
from live_cli.engine.backends.tts.reshaped import asked_of, levelled, reshaped
from live_cli.engine.stages import VoiceTraits

_FULL_SCALE = 32_768.0
_HALF_TONES = 12
_LONGEST = 80
"""Characters spoken at once: half a second of work, which nothing stops."""


class OpenJTalkSynthesizer:
    """The library with its one voice, which pitch, pace and timbre make thirty."""

    def __init__(self) -> None:
        self._library = open_jtalk()
        self._lock = threading.Lock()

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield ``text`` in ``voice``, a long one in pieces; none for text without words."""
        pieces = pieces_of(plain_words(text), _LONGEST)
        for number, piece in enumerate(pieces, start=1):
            with self._lock:
                speech = self._speech(piece, voice)
            pause = pause_after(text if number == len(pieces) else piece)
            if len(speech := without_padding(levelled(speech), pause)):
                yield speech

    def _speech(self, words: str, voice: VoiceTraits) -> Samples:
        read = self._library.run_frontend(words, use_sudachi_kanji_yomi=False)
        if not any(word["mora_size"] for word in read):
            return np.zeros(0, np.float32)
        pitch, pace = asked_of(voice)
        labels = self._library.make_label(read)
        half_tone = _HALF_TONES * math.log2(pitch)
        sound, sample_rate = self._library.synthesize(labels, speed=pace, half_tone=half_tone)
        return reshaped(np.asarray(sound / _FULL_SCALE, np.float32), sample_rate, voice)
