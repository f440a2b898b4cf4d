"""The synthesizer of each language behind the one stage: loaded when it is first needed.

A session says in its voice which language is spoken next; the voices of one process are shared.
"""

import logging
import threading
from collections.abc import Callable, Iterator

from live_cli.audio.pcm import Samples
from live_cli.engine.stages import Synthesizer, VoiceTraits
from live_cli.errors import EngineError

_log = logging.getLogger("live_cli.serve.engine")


class SynthesizerByLanguage:
    """Speaks each language with what ``backend_for`` names, made by ``make``.

    ``backend_for`` returns the name of a backend for a code, "" for a language that is left open;
    None where none speaks it, and then nothing is spoken.
    """

    def __init__(
        self, backend_for: Callable[[str], str | None], make: Callable[[str], Synthesizer]
    ) -> None:
        self._backend_for = backend_for
        self._make = make
        self._lock = threading.Lock()
        self._made: dict[str, Synthesizer] = {}
        self._told: set[str] = set()
        self._of("")

    def speak(self, text: str, voice: VoiceTraits) -> Iterator[Samples]:
        """Yield ``text`` in ``voice``'s language; none where nothing here speaks it."""
        synthesizer = self._of(voice.language)
        if synthesizer is not None:
            yield from synthesizer.speak(text, voice)

    def close(self) -> None:
        """Free the voices that were loaded."""
        with self._lock:
            made, self._made = self._made, {}
        for synthesizer in made.values():
            close = getattr(synthesizer, "close", None)
            if close is not None:
                close()

    def _of(self, language: str) -> Synthesizer | None:
        with self._lock:
            name = self._backend_for(language)
            if name is None:
                self._tell(language, "no voice here speaks %s: text alone is sent")
                return None
            if name not in self._made:
                try:
                    self._made[name] = self._make(name)
                except EngineError as exc:
                    if not language:
                        raise
                    self._tell(language, f"the voice of %s does not load: {exc}")
                    return None
            return self._made[name]

    def _tell(self, language: str, text: str) -> None:
        if language not in self._told:
            self._told.add(language)
            _log.warning(text, language)
