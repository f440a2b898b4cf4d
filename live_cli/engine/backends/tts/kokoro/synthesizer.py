"""Kokoro-82M in ONNX: natural voices for English, Spanish, French, Italian, Japanese and more.

The model (Apache-2.0, 92 MB in int8) reads phonemes, a vector of style and a speed, and writes
sound at 24 kHz. A voice is a table of styles, one for each number of phonemes. It reads a clause
as a whole, so that the first sound comes when all of it is made.
"""

import logging
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.catalog import VOICES, language_name
from live_cli.engine.backends.joined_parts import joined_parts
from live_cli.engine.backends.onnx_session import onnx_session
from live_cli.engine.backends.tts.kokoro.chinese import chinese_phonemes
from live_cli.engine.backends.tts.kokoro.espeak_ipa import READ_BY_PROGRAM, espeak_phonemes
from live_cli.engine.backends.tts.kokoro.japanese import japanese_phonemes
from live_cli.engine.backends.tts.kokoro.tokens import TOKENS
from live_cli.engine.backends.tts.kokoro.voices import voice_for, voices_of
from live_cli.engine.backends.tts.pauses import pause_after, without_padding
from live_cli.engine.backends.tts.pieces import pieces_of
from live_cli.engine.backends.tts.plain_words import plain_words
from live_cli.engine.backends.tts.reshaped import levelled
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import EngineError
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE
from live_cli.scripts import latin_part

_log = logging.getLogger("live_cli.serve.engine")

_STYLES = (510, 256)
"""Of a voice: for as many phonemes as are read at once, at most 510, its values."""
_LONGEST = 120
"""Phonemes read at once, 7 s of speech: memory grows with them, and nothing stops it meanwhile."""
_JUDGED_S, _SLOW = 1.0, 0.8
_EDGE = 0
_PULL = "live-cli models pull kokoro"
_THREADS = min(4, max(1, (os.cpu_count() or 1) - 1))
"""One core is left for the sound and for those who listen."""
_BY_RULES: dict[str, Callable[[str], str]] = {"ja": japanese_phonemes, "zh": chinese_phonemes}


class KokoroSynthesizer:
    """A loaded model. ``model``: its file, in parts; ``voices``: the file of each by its name.

    A file of voices is an archive of arrays (.npz), or the raw float32 of one voice.
    """

    def __init__(self, model: Sequence[Path], voices: Mapping[str, Path]) -> None:
        self._files = dict(voices)
        self._styles: dict[str, Samples] = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()
        with _whole(model) as file:
            try:
                self._session = onnx_session(file, _THREADS)
            except Exception as exc:  # onnxruntime raises its own kinds
                raise EngineError(f"Kokoro does not load ({exc}): {_PULL}") from exc
        self._tokens_input = self._session.get_inputs()[0].name

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield ``text`` in ``voice``'s language; none for what it cannot speak.

        Raises EngineError where what the language needs is not installed.
        """
        language = voice.language or "en"
        phonemes = _phonemes_of(text, language)
        if not any(letter.isalpha() for letter in phonemes):
            return
        pieces = pieces_of("".join(each for each in phonemes if each in TOKENS), _LONGEST)
        for number, piece in enumerate(pieces, start=1):
            with self._lock:
                start = time.monotonic()
                samples = self._read([TOKENS[letter] for letter in piece], language, voice)
                self._tell_pace(time.monotonic() - start, len(samples) / OUTPUT_SAMPLE_RATE)
            pause = pause_after(text if number == len(pieces) else piece)
            if len(samples := without_padding(levelled(samples), pause)):
                yield samples

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            self._session = None

    def _read(self, tokens: list[int], language: str, voice: VoiceTraits) -> Samples:
        inputs = {
            self._tokens_input: np.asarray([[_EDGE, *tokens, _EDGE]], np.int64),
            "style": self._style(language, voice)[len(tokens) - 1 : len(tokens)],
            "speed": np.asarray([voice.pace], np.float32),
        }
        sound = self._session.run(None, inputs)[0]
        return np.ascontiguousarray(sound, dtype=np.float32).reshape(-1)

    def _tell_pace(self, took_s: float, speech_s: float) -> None:
        """Say once that speech takes longer to make than to hear: an answer has gaps then."""
        if speech_s > _JUDGED_S and took_s > _SLOW * speech_s:
            self._tell(
                "pace",
                "Kokoro takes %.1f s for a second of speech here, so that there may be gaps in an "
                "answer: pico, openjtalk and espeak are quicker (live-cli languages)",
                took_s / speech_s,
            )

    def _tell(self, what: str, text: str, *values: object) -> None:
        if what not in self._told:
            self._told.add(what)
            _log.warning(text, *values)

    def _style(self, language: str, voice: VoiceTraits) -> Samples:
        """Return the styles of the voice that is meant, shape (510, 256)."""
        try:
            name = voice_for(voice.name, language, self._files)
        except ValueError as exc:
            raise EngineError(f"Kokoro has no such voice here ({exc}): {_PULL}") from exc
        count = len(voices_of(language, self._files))
        if count < len(VOICES):
            text = "Kokoro's voices of %s: %d, which the thirty names share"
            self._tell(language, text, language_name(language), count)
        if name not in self._styles:
            self._styles[name] = _read_styles(self._files[name], name)
        return self._styles[name]


@contextmanager
def _whole(pieces: Sequence[Path]) -> Iterator[Path]:
    if len(pieces) == 1:
        yield pieces[0]
        return
    with joined_parts({"model.onnx": pieces}) as folder:
        yield folder / "model.onnx"


def _phonemes_of(text: str, language: str) -> str:
    by_rules = _BY_RULES.get(language)
    if by_rules is not None:
        return by_rules(plain_words(text))
    if language not in READ_BY_PROGRAM:
        return ""
    return espeak_phonemes(latin_part(text), language)


def _read_styles(file: Path, name: str) -> Samples:
    """Return the styles of the voice ``name``, shape (510, 256). Raises EngineError."""
    try:
        if zipfile.is_zipfile(file):
            with np.load(file, allow_pickle=False) as archive:
                styles = archive[name]
        else:
            styles = np.fromfile(file, np.float32)
        return np.ascontiguousarray(styles, np.float32).reshape(_STYLES)
    except (OSError, ValueError, KeyError) as exc:
        raise EngineError(f"{file} holds no voice {name} ({exc}): {_PULL}") from exc
