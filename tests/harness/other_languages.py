"""Clips of other languages than English, and what is said in them."""

from pathlib import Path

from tests.harness.places import DATA
from tests.harness.speech import character_error_rate

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

EVERYDAY = {
    "de": (
        "Morgen früh gehen wir auf den Markt und kaufen Obst und Gemüse.",
        "Können Sie mir bitte sagen, wo der nächste Bahnhof ist?",
    ),
    "es": (
        "Mañana por la mañana iremos al mercado a comprar fruta y verdura.",
        "Hace mucho calor hoy, así que prefiero quedarme en casa.",
    ),
    "fr": (
        "Demain matin, nous irons au marché pour acheter des fruits et des légumes.",
        "Il fait très chaud aujourd'hui, donc je préfère rester à la maison.",
    ),
    "it": (
        "Domani mattina andremo al mercato a comprare frutta e verdura.",
        "Oggi fa molto caldo, quindi preferisco rimanere a casa.",
    ),
    "ja": (
        "明日の朝、市場へ果物と野菜を買いに行きます。",
        "今日はとても暑いので、家にいたいです。",
    ),
    "pl": (
        "Jutro rano pójdziemy na targ kupić owoce i warzywa.",
        "Dzisiaj jest bardzo gorąco, więc wolę zostać w domu.",
    ),
    "pt": (
        "Amanhã de manhã vamos ao mercado comprar frutas e legumes.",
        "Hoje está muito calor, então prefiro ficar em casa.",
    ),
    "zh": (
        "明天早上我们去市场买水果和蔬菜。",
        "今天天气很热，所以我想待在家里。",
    ),
}
"""By code; what people say to each other, without numbers, which may be written in two ways."""


def sound_error_rate(language: str, said: str, heard: str) -> float:
    """Errors per letter of how ``said`` sounds: one sound is written in many ways in ja and zh.

    Compared are readings in kana, and syllables of pinyin without tones.
    """
    if language == "ja":
        import pyopenjtalk

        said, heard = (
            pyopenjtalk.g2p(text, kana=True, use_sudachi_kanji_yomi=False) for text in (said, heard)
        )
    elif language == "zh":
        from pypinyin import lazy_pinyin

        said, heard = (" ".join(lazy_pinyin(text, errors="ignore")) for text in (said, heard))
    return character_error_rate(said, heard)


def clip(language: str) -> Path:
    """The recording of what is said in ``language``."""
    return (
        DATA / "question_de.flac"
        if language == "de"
        else DATA / "other_languages" / f"{language}.flac"
    )
