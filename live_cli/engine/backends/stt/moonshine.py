"""Moonshine, English speech to text, called by its C interface on the memory of numpy arrays.

The library's Python methods take lists and copy the audio back into lists, which holds the GIL
for tens of milliseconds; the C call releases it. Its own voice activity detection stays off
(``vad_threshold`` 0): the endpointer has cut the speech before it comes here.
"""

import ctypes
import os
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.stt.moonshine_confidence import MoonshineConfidence
from live_cli.engine.stages import Confidence, DetailedText
from live_cli.errors import EngineError
from live_cli.paths import package_folder
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_BUNDLED = "tiny-en"
_FILES = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
_WAYS_OUT = (
    "pip install 'live-cli[local]' brings it for Linux with glibc 2.34, macOS 15 on arm64 and "
    "Windows on x64; elsewhere pip install 'live-cli[whisper]' and set the transcriber to "
    "whisper:/path/to/folder"
)
_SHORTEST_SAMPLES = INPUT_SAMPLE_RATE // 4
_CODE_CHARACTERS = 2
_DOUBLED_COMMA = re.compile(r"([,;:])(?:\s*[,;:])+")
"""The model writes "In short,, the period" now and then."""


def bundled_folder() -> Path | None:
    """The tiny-en model folder inside the moonshine-voice package, if it is installed."""
    package = package_folder("moonshine_voice")
    if package is None:
        return None
    folder = package / "assets" / _BUNDLED
    return folder if folder.is_dir() else None


class MoonshineTranscriber:
    """A loaded Moonshine model. ``folder``: its three files; None: tiny-en from the package."""

    times_words = False  # it needs a decoder with attention, which no package carries

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = _checked(folder)
        code = self._folder.name.rpartition("-")[2]
        self._language = code if len(code) == _CODE_CHARACTERS else None
        self._lock = threading.Lock()
        os.environ.setdefault("MOONSHINE_ORT_SINGLE_THREAD", "1")  # read when the library loads
        try:
            from moonshine_voice import moonshine_api as api
        except ImportError as exc:
            raise EngineError(f"the transcriber does not load ({exc}): {_WAYS_OUT}") from exc
        self._api: Any = api
        try:
            self._lib = api._MoonshineLib().lib
        except Exception as exc:  # the library raises its own error, OSError or ImportError
            raise EngineError(f"moonshine does not load here ({exc}): {_WAYS_OUT}") from exc
        self._handle = self._load()
        self._confidence = MoonshineConfidence(self._folder)

    def _load(self) -> int:
        option = self._api.TranscriberOptionC
        options = (option * 1)(option(name=b"vad_threshold", value=b"0"))
        arch = self._api.ModelArch
        handle: int = self._lib.moonshine_load_transcriber_from_files(
            os.fsencode(self._folder),
            (arch.BASE if "base" in self._folder.name else arch.TINY).value,
            options,
            len(options),
            self._api.MOONSHINE_HEADER_VERSION,
        )
        if handle < 0:
            raise EngineError(
                f"moonshine cannot read the model in {self._folder}: {self._why(handle)}"
            )
        return handle

    def _why(self, code: int) -> str:
        text = self._lib.moonshine_error_to_string(code)
        return text.decode(errors="replace") if text else f"error {code}"

    def transcribe(self, samples: Samples) -> str:
        """The words in ``samples`` (16 kHz, at most some 15 s), "" for none."""
        samples = _long_enough(samples)
        transcript = ctypes.POINTER(self._api.TranscriptC)()
        with self._lock:  # the transcript's memory is the library's, until the next call
            code = self._lib.moonshine_transcribe_without_streaming(
                self._handle,
                samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
                len(samples),
                INPUT_SAMPLE_RATE,
                0,
                ctypes.byref(transcript),
            )
            if code != 0:
                raise EngineError(f"moonshine failed on a segment: {self._why(code)}")
            return _text_of(transcript)

    def transcribe_in_detail(
        self, samples: Samples, *, words: bool, language: str | None = None
    ) -> DetailedText:
        """The words in ``samples``, and the language, by which Moonshine's folders are called."""
        return DetailedText(self.transcribe(samples), language=self._language)

    def confidence(self, samples: Samples, text: str) -> Confidence | None:
        """How sure the model is of ``text``, at a third of the cost of its transcription."""
        return self._confidence.of(_long_enough(samples), text)

    def warm_up(self) -> None:
        """Transcribe a second of silence: the first call allocates."""
        self.transcribe(np.zeros(INPUT_SAMPLE_RATE, np.float32))

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            if self._handle >= 0:
                self._lib.moonshine_free_transcriber(self._handle)
                self._handle = -1


def _long_enough(samples: Samples) -> Samples:
    if len(samples) < _SHORTEST_SAMPLES:  # the encoder refuses less
        samples = np.pad(samples, (0, _SHORTEST_SAMPLES - len(samples)))
    return np.ascontiguousarray(samples, dtype=np.float32)


def _text_of(transcript: Any) -> str:
    if not transcript:
        return ""
    lines = (transcript.contents.lines[i] for i in range(transcript.contents.line_count))
    texts = (ctypes.string_at(line.text).decode(errors="ignore") for line in lines if line.text)
    return _DOUBLED_COMMA.sub(r"\1", " ".join(text.strip() for text in texts if text.strip()))


def _checked(folder: Path | None) -> Path:
    if folder is None:
        folder = bundled_folder()
        if folder is None:
            raise EngineError(f"moonshine and its tiny-en model are not installed: {_WAYS_OUT}")
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise EngineError(f"{folder} is not a Moonshine model folder: {missing[0]} is missing")
    return folder
