"""Phonemes of Japanese: readings by Open JTalk (pyopenjtalk-plus, MIT and BSD) in Kokoro's letters.

A reading is katakana. Small kana change the mora before them; ン sounds as what follows wants it.
"""

import re
from collections.abc import Iterator

from live_cli.engine.backends.tts.open_jtalk_library import open_jtalk

_ROWS = (
    ("", "アイウエオ"), ("k", "カキクケコ"), ("ɡ", "ガギグゲゴ"), ("s", "サシスセソ"),
    ("ʣ", "ザジズゼゾ"), ("t", "タチツテト"), ("d", "ダヂヅデド"), ("n", "ナニヌネノ"),
    ("h", "ハヒフヘホ"), ("b", "バビブベボ"), ("p", "パピプペポ"), ("m", "マミムメモ"),
    ("ɾ", "ラリルレロ"),
)  # fmt: skip
_VOWELS = "aiɯeo"
_PALATAL = ("ʲ", "ɕ", "ʨ", "ʥ", "ɲ", "ç", "j")
_MORAS = {
    kana: f"{consonant}ʲi" if vowel == "i" and consonant else consonant + vowel
    for consonant, row in _ROWS
    for kana, vowel in zip(row, _VOWELS, strict=True)
} | {
    "シ": "ɕi", "ジ": "ʥi", "チ": "ʨi", "ヂ": "ʥi", "ニ": "ɲi", "ヒ": "çi", "ス": "sɨ", "ズ": "zɨ",
    "ツ": "ʦɨ", "ヅ": "zɨ", "フ": "ɸɯ", "ヤ": "ja", "ユ": "jɯ", "ヨ": "jo", "ワ": "βa", "ヲ": "o",
    "ヰ": "i", "ヱ": "e", "ヴ": "vɯ", "ッ": "ʔ", "ー": "ː",
}  # fmt: skip
_SMALL_VOWELS = dict(zip("ァィゥェォ", _VOWELS, strict=True)) | {"ヮ": "a"}
_SMALL_Y = {"ャ": "a", "ュ": "ɨ", "ョ": "o"}
_BEFORE_SMALL_VOWELS = {"ウ": "β", "イ": "j", "ク": "kᵝ", "グ": "ɡᵝ"}
_NASALS = (("mpb", "m"), ("kɡ", "ŋ"), ("ɲʨʥ", "ɲ"), ("ntdɾzʣʦ", "n"))
_MARKS = str.maketrans("、。，．！？：；「」『』《》【】（）・～〜", ",.,.!?:;“”“”“”“”() ——")
_SPOKEN_MARKS = ",.!?:;“”()—…"
_NO_GAP = re.compile(r"(?<![!,.:;?—…”]) (?=ʔ)|(?<=ʔ) ")


def japanese_phonemes(text: str) -> str:
    """Return the phonemes of ``text``, words apart. Raises EngineError without pyopenjtalk-plus."""
    said = ""
    for word in open_jtalk().run_frontend(text, use_sudachi_kanji_yomi=False):
        reading = reading_phonemes(word["pron"])
        mark = str(word["string"]).translate(_MARKS).strip()
        if reading and word["pos"] != "記号":
            said += f" {reading}"
        elif mark and all(each in _SPOKEN_MARKS for each in mark):
            said += f" {mark}" if mark in "“(" else mark
    return _NO_GAP.sub("", said.strip())


def reading_phonemes(reading: str) -> str:
    """Return the phonemes of ``reading``, in katakana; "" for what is none."""
    moras = list(_moras(reading))
    said = ""
    for place, mora in enumerate(moras):
        following = moras[place + 1][:1] if place + 1 < len(moras) else ""
        said += _nasal(following) if mora == "ɴ" else mora
    return said


def _moras(reading: str) -> Iterator[str]:
    """Yield each mora, a small kana with the one before it."""
    place = 0
    while place < len(reading):
        kana, small = reading[place], reading[place + 1 : place + 2]
        mora = "ɴ" if kana == "ン" else _MORAS.get(kana, "")
        if mora and small in _SMALL_Y:
            start = mora[:-1]
            yield f"{start}{'' if start.endswith(_PALATAL) else 'ʲ'}{_SMALL_Y[small]}"
            place += 2
        elif mora and small in _SMALL_VOWELS:
            yield _with_small_vowel(kana, mora[:-1], _SMALL_VOWELS[small])
            place += 2
        else:
            if mora:
                yield mora
            place += 1


def _with_small_vowel(kana: str, start: str, vowel: str) -> str:
    own = _BEFORE_SMALL_VOWELS.get(kana)
    if own is not None:
        return own + vowel
    return f"{start}{'ʲ' if vowel == 'i' and not start.endswith(_PALATAL) else ''}{vowel}"


def _nasal(following: str) -> str:
    return next((own for starts, own in _NASALS if following and following in starts), "ɴ")
