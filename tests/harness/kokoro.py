"""Kokoro for tests: the model out of packages, with the voices that are in a package for Node."""

from functools import cache

from live_cli.engine.backends.tts.kokoro.synthesizer import KokoroSynthesizer
from live_cli.engine.speech_models.lookup import KokoroFiles, find_kokoro
from tests.harness.sdks import SDKS

VOICES = SDKS / "kokoro" / "voices"


def kokoro_files() -> KokoroFiles:
    """The model, and the file of each of its 54 voices."""
    voices = {file.stem: file for file in VOICES.glob("*.bin")}
    if not voices:
        raise AssertionError("Kokoro's voices are not installed: make sdks")
    return KokoroFiles(find_kokoro().model, voices)


@cache
def kokoro() -> KokoroSynthesizer:
    """The model, loaded once."""
    files = kokoro_files()
    return KokoroSynthesizer(files.model, files.voices)
