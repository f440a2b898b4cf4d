"""Phonemes of languages that Kokoro learned in eSpeak NG's transcription, by its program.

Kokoro writes a diphthong or an affricate as one letter, which the program marks by a tie. Marks
that part phrases are not in the program's answer, so that it is asked phrase by phrase.
"""

import re
import unicodedata

from live_cli.engine.backends.tts.espeak_program import output_of
from live_cli.engine.backends.tts.plain_words import plain_words

READ_BY_PROGRAM = frozenset({"en", "es", "fr", "it", "pt"})
"""The languages that Kokoro learned so."""
_TIE = "^"
_LETTERS = {
    "a^ɪ": "I", "a^ʊ": "W", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "ɔ^ɪ": "Y",
    "d^z": "ʣ", "d^ʒ": "ʤ", "s^s": "S", "t^s": "ʦ", "t^ʃ": "ʧ",
}  # fmt: skip
_ENGLISH_LETTERS = {"ɜː": "ɜɹ", "ɚɹ": "əɹ", "ɚ": "əɹ", "ɐ": "ə", "ː": ""}
_PHRASE = re.compile(r"([;:,.!?…—]+)(?=\s|$)")
_AROUND = re.compile(r"[¿¡()\"“”„«»]")
_OTHER_LANGUAGE = re.compile(r"\([a-z-]+\)")
"""The program names the language of a word that it takes for a foreign one."""
_MOST_PHRASES = 24
"""A run of the program each; what follows is one phrase, for a clause has no more."""


def espeak_phonemes(text: str, language: str) -> str:
    """Return the phonemes of ``text`` in ``language``, one of `READ_BY_PROGRAM`, with its marks.

    Raises EngineError where the program is not installed or does not run.
    """
    words = _AROUND.sub(" ", plain_words(text))
    parts = [*_PHRASE.split(words, maxsplit=_MOST_PHRASES), ""]
    said = []
    for phrase, marks in zip(parts[::2], parts[1::2], strict=True):
        if any(letter.isalnum() for letter in phrase):
            said.append(_of_phrase(phrase + marks, language))
        if said:
            said[-1] += marks
    return " ".join(said)


def _of_phrase(phrase: str, language: str) -> str:
    answer = output_of(phrase, language, "-q", "--ipa", f"--tie={_TIE}")
    ipa = _OTHER_LANGUAGE.sub("", " ".join(answer.decode(errors="ignore").split()))
    ipa = unicodedata.normalize("NFD", ipa).replace("c\u0327", "ç")
    for pair, letter in _LETTERS.items():
        ipa = ipa.replace(pair, letter)
    if language == "en":
        for letters, own in _ENGLISH_LETTERS.items():
            ipa = ipa.replace(letters, own)
    return ipa.replace(_TIE, "").replace("-", "")
