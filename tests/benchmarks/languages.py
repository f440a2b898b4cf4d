"""Nine languages transcribed by `transcribe`, told the language and listening for it.

Beside ours stands the transcriber that comes along, which knows English alone. The limits are what
Whisper base gives on these clips and a little: a change for the worse shows.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.row import ENVIRONMENT, Row
from tests.harness.other_languages import SAID, clip
from tests.harness.speech import character_error_rate

_LIMITS = {"de": 0.05, "es": 0.15, "fr": 0.2, "hi": 1.1, "it": 0.1, "pt": 0.15}
_OTHERWISE = 0.8
"""Pangrams of words that nobody says, of which Whisper base guesses; Hindi it writes in Arabic."""


def rows(small: bool = False) -> list[Row]:
    """One row a language, of character error rates; and one of the languages that were found."""
    spoken = {"es": SAID["es"]} if small else SAID
    told = {code: _heard([code], "--language", code)[code] for code in spoken}
    listened, alone = _heard(spoken, "--language", "auto"), _heard(spoken)
    made = [
        Row(
            f"transcribe, {code}: errors per letter, language told",
            character_error_rate(said, told[code][0]),
            "CER",
            _LIMITS.get(code, _OTHERWISE),
            beside=(
                ("auto", character_error_rate(said, listened[code][0])),
                ("Moonshine", character_error_rate(said, alone[code][0])),
            ),
        )
        for code, said in spoken.items()
    ]
    wrong = sum(found != code for code, (_, found) in listened.items())
    return [*made, Row(f"of {len(spoken)} languages not found by --language auto", wrong, "", 1)]


def _heard(codes: Iterable[str], *options: str) -> dict[str, tuple[str, str | None]]:
    """Return the text and the language of the clip of each of ``codes``, heard by one command."""
    clips = {code: clip(code) for code in codes}
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "live_cli", "transcribe", "--server", "local", *options]
        subprocess.run(
            [*command, "--format", "json", "--output", folder, *map(str, clips.values())],
            capture_output=True,
            env=ENVIRONMENT,
            check=True,
        )
        found = {
            c: json.loads((Path(folder) / f"{p.stem}.json").read_text()) for c, p in clips.items()
        }
    return {code: (each["text"], each["language"]) for code, each in found.items()}
