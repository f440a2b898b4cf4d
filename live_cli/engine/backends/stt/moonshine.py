"""Moonshine, English speech to text.

Its files lie in the wheel of moonshine-voice, whose library is not loaded (`moonshine_model.py`).
"""

import re
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.stt.moonshine_model import MoonshineModel
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
        folder = _checked(folder)
        code = folder.name.rpartition("-")[2]
        self._language = code if len(code) == _CODE_CHARACTERS else None
        try:
            self._model = MoonshineModel(folder)
        except ImportError as exc:
            raise EngineError(f"the transcriber does not load ({exc}): {_WAYS_OUT}") from exc
        except Exception as exc:  # onnxruntime raises its own kinds
            raise EngineError(f"moonshine cannot read the model in {folder}: {exc}") from exc
        self._last: _Transcription | None = None

    def transcribe(self, samples: Samples) -> str:
        """The words in ``samples`` (16 kHz, at most some 15 s), "" for none."""
        text, confidence = self._model.transcribe(_long_enough(samples))
        text = _DOUBLED_COMMA.sub(r"\1", text)
        self._last = _Transcription(weakref.ref(samples), text, confidence)
        return text

    def transcribe_in_detail(
        self, samples: Samples, *, words: bool, language: str | None = None
    ) -> DetailedText:
        """The words in ``samples``, and the language, by which Moonshine's folders are called."""
        return DetailedText(self.transcribe(samples), language=self._language)

    def confidence(self, samples: Samples, text: str) -> Confidence | None:
        """The model's confidence in ``text``, which is known of what was just transcribed."""
        last = self._last
        if last is not None and last.samples() is samples and last.text == text:
            return last.confidence
        return self._model.confidence(_long_enough(samples), text)

    def warm_up(self) -> None:
        """Transcribe a second of silence: the first call allocates."""
        self.transcribe(np.zeros(INPUT_SAMPLE_RATE, np.float32))

    def close(self) -> None:
        """Free the model; a call that is under way ends first."""
        vars(self).pop("_model", None)


@dataclass(frozen=True, slots=True)
class _Transcription:
    """The text of ``samples`` and the confidence in it, as long as these samples live."""

    samples: "weakref.ref[Samples]"
    text: str
    confidence: Confidence


def _long_enough(samples: Samples) -> Samples:
    if len(samples) < _SHORTEST_SAMPLES:  # the encoder refuses less
        samples = np.pad(samples, (0, _SHORTEST_SAMPLES - len(samples)))
    return np.ascontiguousarray(samples, dtype=np.float32)


def _checked(folder: Path | None) -> Path:
    if folder is None:
        folder = bundled_folder()
        if folder is None:
            raise EngineError(f"moonshine and its tiny-en model are not installed: {_WAYS_OUT}")
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise EngineError(f"{folder} is not a Moonshine model folder: {missing[0]} is missing")
    return folder
