"""Clips of other languages than English, and what is said in them."""

from pathlib import Path

from tests.harness.places import DATA

SAID = {
    "de": "Wie viele Beine hat ein Hund?",
    "es": "El veloz murciélago hindú comía feliz cardillo y kiwi.",
    "fr": "Portez ce vieux whisky au juge blond qui fume.",
    "hi": "ऊँट के मुँह में जीरा कहावत बहुत पुरानी और मशहूर है।",
    "it": "Quel vituperabile fez sbagliato ci provoca danni.",
    "ja": "いろはにほへと散りぬるを我が世誰ぞ常ならん。",
    "pl": "Pchnąć w tę łódź jeża lub ośm skrzyń fig.",
    "pt": "A rápida raposa marrom salta sobre o cachorro preguiçoso.",
    "zh": "天地玄黄宇宙洪荒日月盈昃辰宿列张。",
}
"""By code; pangrams, harder than everyday speech, but for the German question."""


def clip(language: str) -> Path:
    """The recording of what is said in ``language``."""
    return (
        DATA / "question_de.flac"
        if language == "de"
        else DATA / "other_languages" / f"{language}.flac"
    )
