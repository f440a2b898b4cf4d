"""Voices of other languages: is what they say understood, and what does it cost?

Each says everyday sentences, which `transcribe` hears with Whisper base, told the language. Errors
are of the letters that were written, and of how they sound, for Japanese and Chinese have many
writings of one sound.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
import soundfile

from live_cli.engine.backends.tts.espeak import EspeakSynthesizer
from live_cli.engine.backends.tts.espeak_program import program
from live_cli.engine.backends.tts.open_jtalk import OpenJTalkSynthesizer
from live_cli.engine.backends.tts.pico import PicoSynthesizer
from live_cli.engine.stages import Synthesizer, VoiceTraits
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE
from tests.benchmarks.row import ENVIRONMENT, Row
from tests.harness.kokoro import kokoro
from tests.harness.other_languages import EVERYDAY, sound_error_rate
from tests.harness.speech import character_error_rate

_VOICES: dict[str, tuple[Callable[[], Synthesizer], tuple[str, ...]]] = {
    "kokoro": (cache(kokoro), ("es", "fr", "it", "pt", "ja", "zh")),
    "pico": (cache(PicoSynthesizer), ("de", "es", "fr", "it")),
    "openjtalk": (cache(OpenJTalkSynthesizer), ("ja",)),
    "espeak": (cache(EspeakSynthesizer), ("pl", "pt")),
}
_LIMITS = {("espeak", "pl"): 0.35, ("espeak", "pt"): 0.2}
"""Robotic voices are heard worse by a transcriber."""
_OTHERWISE = 0.10
_COSTS = {"kokoro": 1.5, "openjtalk": 0.2}
"""Of the voices in this process; it is 0.5 for Kokoro where the processor has AVX-512."""


def rows(small: bool = False) -> list[Row]:
    """One row for each voice of a language, of its errors; one more where its cost is told."""
    made = []
    for name, language in _pairs():
        if small and (name, language) != ("pico", "es"):
            continue
        voice = _VOICES[name][0]()
        with TemporaryDirectory() as folder:
            cost = _speak(voice, language, Path(folder))
            heard = _heard(language, Path(folder))
        said = "".join(EVERYDAY[language])
        made.append(
            Row(
                f"{name}, {language}: heard by transcribe, errors by sound",
                sound_error_rate(language, said, heard),
                "CER",
                _LIMITS.get((name, language), _OTHERWISE),
                beside=(("as written", character_error_rate(said, heard)),),
            )
        )
        if name in _COSTS:
            what = f"{name}, {language}: to make a second of speech"
            made.append(Row(what, cost, "s of a core", _COSTS[name]))
    return made


def _pairs() -> Iterator[tuple[str, str]]:
    for name, (_, languages) in _VOICES.items():
        if name != "espeak" or program() is not None:
            yield from ((name, language) for language in languages)


def _speak(voice: Synthesizer, language: str, folder: Path) -> float:
    """Write each sentence as a file; return what a second of them costs."""
    traits = VoiceTraits(language=language, name="Kore")
    for _ in voice.speak(EVERYDAY[language][0], traits):
        pass  # what is loaded when it is first needed is loaded now
    spent, seconds = 0.0, 0.0
    for number, text in enumerate(EVERYDAY[language]):
        start = process_time()
        sound = np.concatenate(list(voice.speak(text, traits)))
        spent += process_time() - start
        seconds += sound.size / OUTPUT_SAMPLE_RATE
        soundfile.write(folder / f"{number}.wav", sound, OUTPUT_SAMPLE_RATE)
    return spent / seconds


def _heard(language: str, folder: Path) -> str:
    files = sorted(folder.glob("*.wav"))
    command = [sys.executable, "-m", "live_cli", "transcribe", "--server", "local"]
    subprocess.run(
        [*command, "--language", language, "--format", "json", "--output", folder, *files],
        capture_output=True,
        env=ENVIRONMENT,
        check=True,
    )
    return "".join(json.loads(file.with_suffix(".json").read_text())["text"] for file in files)
