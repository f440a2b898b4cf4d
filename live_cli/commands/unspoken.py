"""What of an answer was not spoken: a voice speaks the letters that it knows, and the text has all.

The wire has no word for it: an answer in another script comes as a transcript without sound.
"""

from live_cli.protocol.events import (
    AudioChunk,
    Event,
    OutputTranscript,
    Reconnecting,
    TurnComplete,
)
from live_cli.scripts import foreign_scripts

_WAY_OUT = (
    "Ask for the answer in English, or name the language of the conversation (--language) where "
    "a voice of the server speaks it: live-cli languages."
)


class UnspokenAnswers:
    """Told every event of a session, it says at the end of a turn what was not spoken.

    The same is said once. ``latin_only``: whether the voice is known to speak Latin letters alone,
    so that a part of an answer can be missed as well. ``missed``: what was last said.
    """

    def __init__(self, *, latin_only: bool) -> None:
        self._latin_only = latin_only
        self._text = ""
        self._audio_bytes = 0
        self.missed: str | None = None

    def event(self, event: Event) -> str | None:
        """Return one line for the person where ``event`` ends a turn that was not all spoken."""
        match event:
            case OutputTranscript(_, text):
                self._text += text
            case AudioChunk(_, data):
                self._audio_bytes += len(data)
            case TurnComplete(interrupted=interrupted):
                missed = None if interrupted else self._missed()
                self._text, self._audio_bytes = "", 0
                if missed is not None and missed != self.missed:
                    self.missed = missed
                    return missed
            case Reconnecting():
                self._text, self._audio_bytes = "", 0
        return None

    def _missed(self) -> str | None:
        scripts = " and ".join(foreign_scripts(self._text))
        if self._audio_bytes:
            partly = scripts and self._latin_only
            return f"Words in {scripts} letters were not spoken. {_WAY_OUT}" if partly else None
        if not any(letter.isalnum() for letter in self._text):
            return None
        if not scripts:
            return "The answer came without sound: the server sent its text alone."
        return f"The answer is in {scripts} letters, which the voice does not speak. {_WAY_OUT}"
