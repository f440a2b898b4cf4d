"""The language of a session: chosen, or listened for until it has settled. Pure.

A short segment tells little: "Ja." is German, Danish, Norwegian. So each segment votes with its
seconds and how sure the transcriber is of the language; what has two certain seconds and twice the
votes of the next is the session's language, and so is at once what was surely heard for two
seconds. Older votes fade. A speaker may change over.
"""

_SETTLED_S = 2.0
_AHEAD = 2.0
_FADES = 0.6
_SURE = 0.8
_SURE_AT_ONCE = 0.9
_SHORT_S = 2.0


class LanguageChoice:
    """Told the languages of segments; tells what to expect. ``chosen``: a code, None to listen."""

    def __init__(self, chosen: str | None = None) -> None:
        self._chosen = chosen
        self._votes: dict[str, float] = {}
        self._settled = chosen
        self._last = chosen or ""

    @property
    def current(self) -> str:
        """The code of the language that is spoken now; "" while nothing has been heard."""
        return self._settled or self._last

    def expected(self, seconds: float) -> str | None:
        """Return the language to expect of a segment; None where it is to be listened for."""
        if self._chosen or (self._settled and seconds < _SHORT_S):
            return self._settled
        return None

    def instead_of(self, language: str, certainty: float) -> str | None:
        """Return the language in which to hear a segment again that seemed to be ``language``."""
        strange = self._settled is not None and language != self._settled
        return self._settled if strange and certainty < _SURE else None

    def heard(self, language: str, certainty: float, seconds: float) -> None:
        """Count a segment in ``language``."""
        if self._chosen:
            return
        self._last = language
        self._votes = {code: votes * _FADES for code, votes in self._votes.items()}
        self._votes[language] = self._votes.get(language, 0.0) + certainty * seconds
        first, *others = sorted(self._votes.items(), key=lambda vote: vote[1], reverse=True)
        if certainty >= _SURE_AT_ONCE and seconds >= _SHORT_S:
            self._settled = language
        elif first[1] >= _SETTLED_S and all(first[1] >= _AHEAD * votes for _, votes in others):
            self._settled = first[0]
