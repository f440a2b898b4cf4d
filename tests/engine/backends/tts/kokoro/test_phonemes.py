"""Text made phonemes: numbers, marks, tones, moras; only what the model knows comes out."""

import pytest

from live_cli.engine.backends.tts.kokoro.chinese import chinese_phonemes, syllable_phonemes
from live_cli.engine.backends.tts.kokoro.chinese_numerals import with_numerals
from live_cli.engine.backends.tts.kokoro.espeak_ipa import espeak_phonemes
from live_cli.engine.backends.tts.kokoro.japanese import japanese_phonemes, reading_phonemes
from live_cli.engine.backends.tts.kokoro.tokens import TOKENS


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0", "零"), ("10", "十"), ("15个", "十五个"), ("20", "二十"), ("101", "一百零一"),
        ("110", "一百一十"), ("1010", "一千零一十"), ("10230", "一万零二百三十"),
        ("120005", "十二万零五"), ("100010000", "一亿零一万"), ("100000000", "一亿"),
        ("2024年", "二零二四年"), ("3.14", "三点一四"), ("0.5", "零点五"), ("50%", "百分之五十"),
        ("1,234,567", "一百二十三万四千五百六十七"), ("12:30", "十二点三十"),
        ("9:00", "九点整"), ("8:05", "八点零五"), ("007", "零零七"), ("1" * 20, "一" * 20),
        ("没有", "没有"),
    ],
)  # fmt: skip
def test_numbers_are_read_in_chinese(text, read):
    assert with_numerals(text) == read


@pytest.mark.parametrize(
    ("syllable", "phonemes"),
    [
        ("zhong1", "ꭧʊ→ŋ"), ("yi1", "i→"), ("yuan2", "ɥɛ↗n"), ("wu3", "u↓"), ("er2", "ɚ↗"),
        ("nü3", "ny↓"), ("ju4", "ʨy↘"), ("shi4", "ʂɨ↘"), ("si4", "sɨ↘"), ("ri4", "ɻɨ↘"),
        ("xiong2", "ɕjʊ↗ŋ"), ("bo1", "pwo→"), ("liu2", "ljou↗"), ("gui4", "kwei↘"),
        ("zhun3", "ꭧwə↓n"), ("de5", "tɤ"), ("ma", "ma"), ("ng2", "ŋ↗"), ("o4", "ɔ↘"),
    ],
)  # fmt: skip
def test_a_syllable_of_pinyin(syllable, phonemes):
    assert syllable_phonemes(syllable) == phonemes


@pytest.mark.parametrize(
    ("reading", "phonemes"),
    [
        ("コンニチワ", "koɲɲiʨiβa"), ("キョー", "kʲoː"), ("シャシン", "ɕaɕiɴ"), ("サンポ", "sampo"),
        ("テンキ", "teŋkʲi"), ("ホントー", "hontoː"), ("パーティー", "paːtʲiː"),
        ("チェック", "ʨeʔkɯ"), ("ウィキ", "βikʲi"), ("クォーツ", "kᵝoːʦɨ"), ("デス’", "desɨ"),
        ("ジュース", "ʥɨːsɨ"), ("ヴァン", "vaɴ"), ("フィルム", "ɸʲiɾɯmɯ"), ("、", ""),
    ],
)  # fmt: skip
def test_a_reading_in_katakana(reading, phonemes):
    assert reading_phonemes(reading) == phonemes


@pytest.mark.parametrize(
    ("read", "text", "holds"),
    [
        (japanese_phonemes, "「はい」、会議は午後3時からです。", ("hai", "saɴ ʥi", ",", ".")),
        (chinese_phonemes, "银行，我长大了！", ("xa↗ŋ", "ꭧa↓ŋ", ",", "!")),
    ],
)
def test_words_and_marks_of_a_sentence(read, text, holds):
    phonemes = read(text)
    assert all(each in phonemes for each in holds)
    assert set(phonemes) <= set(TOKENS)


@pytest.mark.parametrize(
    ("language", "text", "marks"),
    [
        ("es", "¿Cómo estás, (amigo)? «Bien»; 1,5 km de Google.", ",?;."),
        ("fr", "« Ça va, garçon ? » Oui… l’homme à vélo.", ",?…."),
        ("pt", "Não: João não vai à praia amanhã!", ":!"),
        ("it", "Zucchero, gelato e pizza: perché no?", ",:?"),
        ("en", "The bird, over there; watch it!", ",;!"),
        ("es", "a, " * 300, "," * 24),
    ],
)
def test_what_the_program_answers_is_what_the_model_knows(language, text, marks):
    phonemes = espeak_phonemes(text, language)
    assert "".join(each for each in phonemes if each in ";:,.!?…") == marks
    assert set(phonemes) <= set(TOKENS)
    assert espeak_phonemes("?! ...", language) == ""


def test_latin_words_in_chinese_are_read_as_english():
    assert espeak_phonemes("photo", "en") in chinese_phonemes("一张 photo 吧")
