"""The names of Kokoro's voices: of which language each is, and which of them each of the thirty is.

A name's first letter is its language, the second f or m. Pure.
"""

from collections.abc import Collection

_LETTERS = {"en": "ab", "es": "e", "fr": "f", "it": "i", "ja": "j", "pt": "p", "zh": "z"}
HIGHER = (
    "Kore", "Zephyr", "Leda", "Aoede", "Callirrhoe", "Autonoe", "Despina", "Erinome", "Laomedeia",
    "Achernar", "Gacrux", "Pulcherrima", "Vindemiatrix", "Sulafat",
)  # fmt: skip
LOWER = (
    "Puck", "Charon", "Fenrir", "Orus", "Enceladus", "Iapetus", "Umbriel", "Algieba", "Algenib",
    "Rasalgethi", "Alnilam", "Schedar", "Achird", "Zubenelgenubi", "Sadachbia", "Sadaltager",
)  # fmt: skip
_BEST = ("af_heart", "af_bella", "am_michael", "am_fenrir", "jf_alpha", "jm_kumo")
"""By the grades that its authors give; of the other languages the first is as good as any."""


def voices_of(language: str, names: Collection[str]) -> list[str]:
    """Return those of ``names`` that speak ``language``, the best first."""
    own = [name for name in names if name[:1] in _LETTERS.get(language, ())]
    return sorted(own, key=lambda name: (name not in _BEST, name))


def voice_for(voice: str, language: str, names: Collection[str]) -> str:
    """Return which of ``names`` speaks ``language`` as ``voice``, a name of the Live API.

    The same each time: the one that is called so, else one of the higher or of the lower. Raises
    ValueError where none speaks the language.
    """
    own = voices_of(language, names)
    if not own:
        raise ValueError(f"no voice speaks {language}")
    namesake = [name for name in own if name.partition("_")[2] == voice.lower()]
    if namesake:
        return namesake[0]
    lower = voice in LOWER
    alike = [name for name in own if name[1:2] == ("m" if lower else "f")] or own
    among = LOWER if lower else HIGHER
    return alike[among.index(voice) % len(alike) if voice in among else 0]
