"""The languages that this machine hears and speaks, by what is installed; nothing is loaded.

The configured backend of a stage is used for the languages that it has, and the best of those that
are there for every other: so a setting that suits English does not stand in the way of German.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import PurePath

from live_cli.catalog import AUTO_LANGUAGE, language_base, language_name
from live_cli.engine.backends.table import (
    Argument,
    Backend,
    Stage,
    VoiceQuality,
    backends_of,
    find_backend,
)
from live_cli.errors import EngineError

_ENGLISH = "en"
_CODE_CHARACTERS = 2
_QUALITIES = tuple(VoiceQuality)
_PULL_KOKORO = "live-cli models pull kokoro"
_READ_BY_PACKAGES = {"ja": ("pyopenjtalk", "japanese"), "zh": ("pypinyin", "voices")}
"""What reads a language for Kokoro, and the extra that brings it; eSpeak NG reads the others."""


def backend_for(stage: Stage, configured: str, language: str | None) -> str | None:
    """Return the name of the backend for ``language``: ``configured``, else the best that is there.

    ``language`` "auto" wants a transcriber that knows several; None, or a voice for a language that
    is still to be heard, the configured one, which has to speak English then.
    """
    base = language_base(language) if language else ""
    if stage is Stage.SYNTHESIZER and base in ("", AUTO_LANGUAGE):
        if not _lacks_a_part(stage, configured, _ENGLISH):
            return configured
        base = _ENGLISH
    automatic = base == AUTO_LANGUAGE
    if not base:
        return configured
    own = languages_of(stage, configured)
    chosen = not own or (len(own) > 1 if automatic else base in own)
    if chosen and not _lacks_a_part(stage, configured, base):
        return configured
    for backend in backends_for(stage, None if automatic else base):
        knows = len(backend.languages) > 1 or not automatic
        if knows and is_there(backend) and not missing_parts(backend, base):
            return backend.name
    return configured if chosen else None


def backends_for(stage: Stage, language: str | None) -> Iterator[Backend]:
    """Yield the backends that have ``language``, a code without a region, the best first.

    Those that may be slower than speech come last, however they sound.
    """
    there = (each for each in backends_of(stage) if each.languages)
    for backend in sorted(there, key=_rank):
        if language is None or language in backend.languages:
            yield backend


def languages_of(stage: Stage, name: str) -> tuple[str, ...]:
    """Return the codes of the languages of the backend ``name``; none where it decides itself."""
    backend, argument = find_backend(stage, name)
    if backend is None:
        return ()
    if argument and backend.argument is Argument.FOLDER:
        code = PurePath(argument).name.rpartition("-")[2]
        return (code,) if len(code) == _CODE_CHARACTERS else backend.languages
    if argument and backend.argument is Argument.WHISPER and PurePath(argument).suffix == ".en":
        return (_ENGLISH,)
    return backend.languages


def is_there(backend: Backend) -> bool:
    """Return whether ``backend`` can be loaded here: its library, its program, its model."""
    if backend.module is not None and find_spec(backend.module) is None:
        return False
    if backend.argument is Argument.WHISPER:
        from live_cli.engine.speech_models.lookup import first_whisper

        return first_whisper() is not None
    if backend.argument is Argument.KOKORO:
        return bool(_kokoro_voices(""))
    if backend.name == "espeak":
        return _espeak_is_there()
    return True


def missing_parts(backend: Backend, language: str, argument: str = "") -> list[str]:
    """Return what to run so that ``backend``, which is there, speaks ``language`` too.

    Of Kokoro a language takes a voice, and something that reads it as phonemes. ``argument``: the
    folder of its model, where that is named.
    """
    if backend.argument is not Argument.KOKORO:
        return []
    from live_cli.engine.backends.tts.espeak_program import INSTALL
    from live_cli.engine.backends.tts.kokoro.voices import voices_of

    steps = [] if voices_of(language, _kokoro_voices(argument)) else [_PULL_KOKORO]
    if language in _READ_BY_PACKAGES:
        package, extra = _READ_BY_PACKAGES[language]
        if find_spec(package) is None:
            steps.append(_extra(extra))
    elif not _espeak_is_there():
        steps.append(INSTALL)
    return steps


def _lacks_a_part(stage: Stage, configured: str, language: str) -> bool:
    """Return whether the Kokoro that is ``configured`` is here, and cannot speak ``language``."""
    backend, argument = find_backend(stage, configured)
    if backend is None or backend.argument is not Argument.KOKORO:
        return False
    return bool(_kokoro_voices(argument) and missing_parts(backend, language, argument))


def _kokoro_voices(folder: str) -> tuple[str, ...]:
    from live_cli.engine.speech_models.lookup import find_kokoro

    try:
        return tuple(find_kokoro(folder).voices)
    except EngineError:
        return ()


@cache
def _espeak_is_there() -> bool:
    from live_cli.engine.backends.tts.espeak_program import program

    return program() is not None


@dataclass(frozen=True, slots=True)
class LocalLanguages:
    """Languages for which the backends of an engine can be used.

    ``transcriber`` and ``synthesizer`` are the configured ones, by name.
    """

    transcriber: str = "moonshine"
    synthesizer: str = "hibari"

    @property
    def listens(self) -> bool:
        """Return whether the configured transcriber knows several languages, and finds which."""
        return len(languages_of(Stage.TRANSCRIBER, self.transcriber)) > 1

    def hearing(self, language: str | None) -> str | None:
        """Return the backend that hears ``language`` (a code, "auto", or None); None for none."""
        return backend_for(Stage.TRANSCRIBER, self.transcriber, language)

    def speaking(self, language: str | None) -> str | None:
        """Return the backend that speaks ``language``; None for none."""
        return backend_for(Stage.SYNTHESIZER, self.synthesizer, language)


def way_to_hear(language: str) -> str:
    """Return what to run so that ``language`` is heard; "" where nothing here ever hears it."""
    if language != AUTO_LANGUAGE and not any(
        backends_for(Stage.TRANSCRIBER, language_base(language))
    ):
        return ""
    return "pip install 'live-cli[whisper]' and live-cli models pull whisper-base"


def not_heard(language: str) -> str:
    """Return the sentence that refuses a language nothing here hears, with the way out."""
    name = "any language" if language == AUTO_LANGUAGE else language_name(language)
    way = way_to_hear(language)
    how = f"{way}; or use Gemini" if way else "use Gemini"
    return f"Nothing here hears {name}, only English: {how}."


def way_to_speak(language: str) -> str:
    """Return what to install so that ``language`` is spoken; "" where nothing ever speaks it."""
    best = next(backends_for(Stage.SYNTHESIZER, language_base(language)), None)
    if best is None:
        return ""
    return best.install or _extra(best.extra)


def slow_but_better(language: str, than: VoiceQuality | None) -> str:
    """Return how to get a voice of ``language`` that sounds better than one of quality ``than``.

    It may take longer than what it says, so that it is never taken unasked; "" where none is.
    """
    base = language_base(language)
    for backend in backends_for(Stage.SYNTHESIZER, base):
        if backend.slow and backend.quality is not than:
            setting = f'synthesizer = "{backend.name}"'
            return " and ".join([*missing_parts(backend, base), setting])
    return ""


def _extra(name: str | None) -> str:
    return f"pip install 'live-cli[{name}]'"


def _rank(backend: Backend) -> tuple[bool, int]:
    return backend.slow, _QUALITIES.index(backend.quality) if backend.quality else 0
