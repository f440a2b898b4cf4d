"""The program espeak-ng: where it is, and one run of it. It is run and never linked.

Text goes in by stdin; the arguments hold nothing of it.
"""

import shutil
import subprocess

from live_cli.errors import EngineError

_PROGRAMS = ("espeak-ng", "espeak")
_LONGEST_S = 10.0
_OWN_CODES = {"iw": "he", "no": "nb", "zh": "cmn", "en": "en-us", "fr": "fr-fr", "pt": "pt-br"}
"""Of its two Portuguese voices the Brazilian one is understood: of its letters a transcriber
gets one in nine wrong, of the other's four in five."""
INSTALL = "install the program espeak-ng (apt, brew, or its installer)"


def program() -> str | None:
    """Return the path of the program; None where it is not installed."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def required_program() -> str:
    """Return the path of the program. Raises EngineError where it is not installed."""
    path = program()
    if path is None:
        raise EngineError(
            "espeak-ng is not installed: apt install espeak-ng, brew install espeak-ng"
        )
    return path


def output_of(words: str, language: str, *arguments: str) -> bytes:
    """Return what the program writes of ``words`` in ``language``; nothing if it takes too long.

    Raises EngineError where it is not installed, does not run, or lacks the voice.
    """
    path, voice = required_program(), _OWN_CODES.get(language, language)
    try:
        done = subprocess.run(
            [path, "--stdin", "-b", "1", "-v", voice, *arguments],
            input=words.encode(errors="ignore"),
            capture_output=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return b""
    except OSError as exc:
        raise EngineError(f"espeak-ng does not run: {exc.strerror or exc}") from exc
    if done.returncode:
        raise EngineError(f"espeak-ng does not speak {voice}: is its data installed?")
    return done.stdout
