"""Whisper through faster-whisper: any CTranslate2 model, English or multilingual.

The way out where Moonshine has no wheel, and the transcriber of other languages. The model is
read from files and never fetched: the library would download what it is called by name, and
the tokenizer of a folder that lacks one, so both are refused here. Speech comes in segments that
the endpointer has cut: the library's own voice activity detection, its time stamps and its memory
of earlier text stay off. Whisper pads every segment to 30 s, so a short one costs as much to
encode as a long one.
"""

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.joined_parts import joined_parts
from live_cli.engine.stages import Confidence, DetailedText, SpokenWord
from live_cli.errors import EngineError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_FILES = ("model.bin", "config.json", "tokenizer.json")
_BEAM_SIZE = 5
"""Encoding takes most of the time, and tiny models fall into loops when they decode greedily."""
_TEMPERATURES = (0.0, 0.4)
"""A segment that looks like a loop, or like a guess, gets one more try and not the usual five."""
_THREADS = min(4, max(1, (os.cpu_count() or 1) - 1))
"""One core is left for the sound; past four, a segment is hardly quicker."""


_COMPUTE_TYPE = {"cpu": "int8", "cuda": "auto"}
"""What is quickest: on a GPU that depends on which it is, and CTranslate2 knows."""
_WIRE_CODES = {"he": "iw", "tl": "fil", "nn": "no"}
"""Whisper's codes of languages that the Live API lists under others."""
_OWN_CODES = {"iw": "he", "fil": "tl"}


class WhisperTranscriber:
    """A loaded Whisper model. ``folder``: what CTranslate2's converter wrote, tokenizer.json too.

    ``parts``: those files by name, each in parts, where the folder does not hold them whole. An
    English-only model understands English; a multilingual one detects the language of each segment
    that it is not told. ``device``: cpu, or cuda.
    """

    def __init__(
        self,
        folder: Path | None,
        parts: Mapping[str, Sequence[Path]] | None = None,
        *,
        device: str = "cpu",
    ) -> None:
        where = _checked(folder, parts)
        self._lock = threading.Lock()
        logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # a line for each segment
        try:
            from faster_whisper import WhisperModel
        except ImportError as exc:
            raise EngineError(
                f"faster-whisper is not there ({exc}): pip install 'live-cli[whisper]'"
            ) from exc
        if device == "cuda" and not _gpus():
            raise EngineError(
                'Whisper finds no GPU here that CUDA can use: set device = "cpu" in [engine].'
            )
        with joined_parts(parts) if parts else nullcontext(where) as whole:
            try:
                self._model: Any = WhisperModel(
                    str(whole),
                    device=device,
                    compute_type=_COMPUTE_TYPE[device],
                    cpu_threads=_THREADS,
                    num_workers=1,
                    local_files_only=True,
                )
                self._only = None if self._model.model.is_multilingual else "en"
            except Exception as exc:  # CTranslate2 and the tokenizer raise kinds of their own
                raise EngineError(f"{where} is no Whisper model that loads here: {exc}") from exc

    times_words = True

    def transcribe(self, samples: Samples) -> str:
        """The words in ``samples`` (16 kHz, at most some 15 s), "" for none."""
        return self.transcribe_in_detail(samples, words=False).text

    def transcribe_in_detail(
        self, samples: Samples, *, words: bool, language: str | None = None
    ) -> DetailedText:
        """The words in ``samples`` and their language; their times cost a tenth more.

        ``language``: the one to expect; None detects it.
        """
        told = self._only or (_OWN_CODES.get(language, language) if language else None)
        with self._lock:
            if self._model is None:
                raise EngineError("whisper was asked to hear after it was closed")
            try:
                found, info = self._model.transcribe(
                    samples,
                    language=told,
                    beam_size=_BEAM_SIZE,
                    temperature=_TEMPERATURES,
                    condition_on_previous_text=False,
                    without_timestamps=True,
                    vad_filter=False,
                    word_timestamps=words,
                )
                segments = list(found)  # lazy: the work is here
            except Exception as exc:  # as above
                raise EngineError(f"whisper failed on a segment: {exc}") from exc
        texts = (segment.text.strip() for segment in segments)
        timed = _words(segments) if words else ()
        code = getattr(info, "language", None)
        return DetailedText(
            " ".join(text for text in texts if text),
            timed,
            _WIRE_CODES.get(code, code) if code else None,
            certainty=float(getattr(info, "language_probability", 0.0) or 0.0),
        )

    def confidence(self, samples: Samples, text: str) -> Confidence | None:
        """Return None: Whisper knows a hundred languages, and drops what it does not believe."""
        return None

    def warm_up(self) -> None:
        """Transcribe a second of silence: it allocates, and fails where the files do not match."""
        self.transcribe(np.zeros(INPUT_SAMPLE_RATE, np.float32))

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            self._model = None


def _gpus() -> int:
    """Return how many there are; Ray hides those that a replica has not been given."""
    from ctranslate2 import get_cuda_device_count

    return int(get_cuda_device_count())


def _words(segments: list[Any]) -> tuple[SpokenWord, ...]:
    """Return the words with spaces between them: the library parts some at hyphens."""
    words: list[SpokenWord] = []
    for piece in (word for segment in segments for word in segment.words or ()):
        if words and not piece.word.startswith(" "):
            before = words.pop()
            words.append(SpokenWord(before.text + piece.word, before.start_s, float(piece.end)))
        elif piece.word.strip():
            words.append(SpokenWord(piece.word.strip(), float(piece.start), float(piece.end)))
    return tuple(words)


def _checked(folder: Path | None, parts: Mapping[str, Sequence[Path]] | None) -> Path:
    if folder is None:
        raise EngineError(
            "whisper needs a model: name a CTranslate2 Whisper folder as whisper:/path/to/folder"
        )
    missing = [n for n in _FILES if n not in (parts or ()) and not (folder / n).is_file()]
    if missing:
        raise EngineError(f"{folder} is not a CTranslate2 Whisper folder: {missing[0]} is missing")
    return folder
