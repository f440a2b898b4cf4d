"""Phonemes of Mandarin: readings by pypinyin (MIT), and each syllable's in Kokoro's letters.

The tone is an arrow behind the vowel. Numbers are read as words. Words in Latin letters are read
as English by the program espeak-ng, and left out where it is not installed.
"""

import re

from live_cli.engine.backends.tts.espeak_program import program
from live_cli.engine.backends.tts.kokoro.chinese_numerals import with_numerals
from live_cli.engine.backends.tts.kokoro.espeak_ipa import espeak_phonemes
from live_cli.errors import EngineError

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l",
    "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ",
    "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
}  # fmt: skip
_FINALS = {
    "a": "a0", "o": "wo0", "e": "ɤ0", "ai": "ai0", "ei": "ei0", "ao": "au0", "ou": "ou0",
    "an": "a0n", "en": "ə0n", "ang": "a0ŋ", "eng": "ə0ŋ", "ong": "ʊ0ŋ", "er": "ɚ0", "ê": "ɛ0",
    "i": "i0", "ia": "ja0", "ie": "je0", "iao": "jau0", "iou": "jou0", "ian": "jɛ0n",
    "in": "i0n", "iang": "ja0ŋ", "ing": "i0ŋ", "iong": "jʊ0ŋ", "io": "jɔ0",
    "u": "u0", "ua": "wa0", "uo": "wo0", "uai": "wai0", "uei": "wei0", "uan": "wa0n",
    "uen": "wə0n", "uang": "wa0ŋ", "ueng": "wə0ŋ",
    "v": "y0", "ve": "ɥe0", "van": "ɥɛ0n", "vn": "y0n",
}  # fmt: skip
_HUMMED = {"m": "m0", "n": "n0", "ng": "ŋ0"}
_BUZZED = ("zh", "ch", "sh", "r", "z", "c", "s")
"""Initials that an i behind them only lengthens."""
_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
_RUN = re.compile(
    r"([\u3007\u3400-\u4dbf\u4e00-\u9fff]+)|([A-Za-z](?:[A-Za-z' -]*[A-Za-z])?)|([,.!?;:…—“”()])"
)
_MARKS = str.maketrans("，、。．！？；：「」『』《》【】（）", ",,..!?;:“”“”“”“”()")


def chinese_phonemes(text: str) -> str:
    """Return the phonemes of ``text``. Raises EngineError where pypinyin is not installed."""
    said = ""
    for han, latin, mark in _RUN.findall(with_numerals(text).translate(_MARKS)):
        if han:
            said += f" {_of_run(han)}"
        elif latin and program() is not None:
            said += f" {espeak_phonemes(latin, 'en')}"
        else:
            said += mark
    return said.strip()


def _of_run(han: str) -> str:
    try:
        from pypinyin import Style, lazy_pinyin
    except ImportError as exc:
        raise EngineError(
            "Chinese needs pypinyin, which is not installed: pip install 'live-cli[voices]'"
        ) from exc
    syllables = lazy_pinyin(
        han, style=Style.TONE3, neutral_tone_with_five=True, tone_sandhi=True, errors="ignore"
    )
    return "".join(map(syllable_phonemes, syllables))


def syllable_phonemes(syllable: str) -> str:
    """Return the phonemes of a ``syllable`` of pinyin with its tone as a number, as in "zhong1"."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    spelled, tone = (syllable[:-1], syllable[-1]) if syllable[-1:].isdigit() else (syllable, "5")
    if spelled in _HUMMED:
        return _HUMMED[spelled].replace("0", _TONES[tone])
    initial = to_initials(spelled, strict=True)
    final = to_finals(spelled, strict=True).replace("ü", "v") or spelled.removeprefix(initial)
    if final == "i" and initial in _BUZZED:
        rest = "ɨ0"
    elif final == "o" and not initial:
        rest = "ɔ0"
    else:
        rest = _FINALS.get(final, "")
    return _INITIALS.get(initial, "") + rest.replace("0", _TONES[tone])
