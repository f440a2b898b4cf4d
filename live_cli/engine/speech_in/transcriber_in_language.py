"""A shared transcriber as one session hears with it: in the session's language."""

from live_cli.audio.pcm import Samples
from live_cli.engine.speech_in.language_choice import LanguageChoice
from live_cli.engine.stages import Confidence, DetailedText, Transcriber
from live_cli.sample_rates import INPUT_SAMPLE_RATE


class TranscriberInLanguage:
    """Fits `Transcriber`; tells ``choice`` what it heard, and asks it what to expect."""

    def __init__(self, transcriber: Transcriber, choice: LanguageChoice) -> None:
        self._transcriber = transcriber
        self._choice = choice
        self.times_words = transcriber.times_words

    def transcribe(self, samples: Samples) -> str:
        """The words in ``samples`` (16 kHz), "" for none."""
        return self.transcribe_in_detail(samples, words=False).text

    def transcribe_in_detail(
        self, samples: Samples, *, words: bool, language: str | None = None
    ) -> DetailedText:
        """The words in ``samples``, in ``language`` or the session's."""
        seconds = len(samples) / INPUT_SAMPLE_RATE
        told = language or self._choice.expected(seconds)
        heard = self._transcriber.transcribe_in_detail(samples, words=words, language=told)
        if told is not None or heard.language is None or not heard.certainty:
            return heard
        again = self._choice.instead_of(heard.language, heard.certainty)
        if again is not None:
            return self._transcriber.transcribe_in_detail(samples, words=words, language=again)
        if heard.text:
            self._choice.heard(heard.language, heard.certainty, seconds)
        return heard

    def confidence(self, samples: Samples, text: str) -> Confidence | None:
        """As the shared transcriber's."""
        return self._transcriber.confidence(samples, text)
