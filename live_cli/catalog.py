"""The catalog of the Live API: models and what each supports, voices, languages.

Data and lookups in it, no state. Source: the Live API's model pages and capabilities guide, as of
2026-10. A model that is not here is passed on to the server, with a warning.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

VOICES: dict[str, str] = {
    "Zephyr": "bright",
    "Puck": "upbeat",
    "Charon": "informative",
    "Kore": "firm",
    "Fenrir": "excitable",
    "Leda": "youthful",
    "Orus": "firm",
    "Aoede": "breezy",
    "Callirrhoe": "easy-going",
    "Autonoe": "bright",
    "Enceladus": "breathy",
    "Iapetus": "clear",
    "Umbriel": "easy-going",
    "Algieba": "smooth",
    "Despina": "smooth",
    "Erinome": "clear",
    "Algenib": "gravelly",
    "Rasalgethi": "informative",
    "Laomedeia": "upbeat",
    "Achernar": "soft",
    "Alnilam": "firm",
    "Schedar": "even",
    "Gacrux": "mature",
    "Pulcherrima": "forward",
    "Achird": "friendly",
    "Zubenelgenubi": "casual",
    "Vindemiatrix": "gentle",
    "Sadachbia": "lively",
    "Sadaltager": "knowledgeable",
    "Sulafat": "warm",
}
"""The prebuilt voices by name (case matters on the wire), each with its character."""

BUILT_IN_TOOLS = ("search", "code-execution", "url-context", "maps")
"""Tools that the service runs itself: Google Search, code, pages by their address, Google Maps."""

_ALL_VOICES = tuple(VOICES)
_HALF_CASCADE_VOICES = ("Puck", "Charon", "Kore", "Fenrir", "Aoede", "Leda", "Orus", "Zephyr")


def _languages(table: str) -> dict[str, str]:
    pairs = (entry.strip().split(" ", 1) for entry in table.replace("\n", " ").split(","))
    return {pair[0]: pair[1] for pair in pairs}


LANGUAGES: dict[str, str] = _languages(
    """af Afrikaans, sq Albanian, am Amharic, ar Arabic, hy Armenian, as Assamese, az Azerbaijani,
    eu Basque, be Belarusian, bn Bengali, bs Bosnian, bg Bulgarian, ca Catalan, zh Chinese,
    hr Croatian, cs Czech, da Danish, nl Dutch, en English, et Estonian, fil Filipino, fi Finnish,
    fr French, gl Galician, ka Georgian, de German, el Greek, gu Gujarati, iw Hebrew, hi Hindi,
    hu Hungarian, is Icelandic, id Indonesian, it Italian, ja Japanese, kn Kannada, kk Kazakh,
    km Khmer, ko Korean, lo Lao, lv Latvian, lt Lithuanian, mk Macedonian, ms Malay, ml Malayalam,
    mr Marathi, mn Mongolian, ne Nepali, no Norwegian, or Odia, pl Polish, pt Portuguese,
    pa Punjabi, ro Romanian, ru Russian, sr Serbian, sk Slovak, sl Slovenian, es Spanish,
    sw Swahili, sv Swedish, ta Tamil, te Telugu, th Thai, tr Turkish, uk Ukrainian, ur Urdu,
    uz Uzbek, vi Vietnamese, zu Zulu"""
)
"""The languages of the capabilities guide: code and English name."""

NEWER_LANGUAGES: dict[str, str] = _languages(
    """ak Akan, my Burmese, ceb Cebuano, fo Faroese, ha Hausa, ga Irish, rw Kinyarwanda,
    ku Kurdish, ky Kyrgyz, mt Maltese, mi Maori, om Oromo, ps Pashto, fa Persian, qu Quechua,
    rm Romansh, sd Sindhi, si Sinhala, so Somali, st Southern Sotho, tg Tajik, tn Tswana,
    tk Turkmen, cy Welsh, fy Western Frisian, wo Wolof, yo Yoruba"""
)
"""The languages that the models since 3.1 have beside those of `LANGUAGES`: 97 together."""

_NAMES = LANGUAGES | NEWER_LANGUAGES
_ALIASES = {"he": "iw", "nb": "no", "tl": "fil"}
"""Today's codes (ISO 639) of languages that the Live API lists under an older or other code."""

_COUNTRIES = {"jp": "ja", "cn": "zh", "kr": "ko", "ua": "uk", "cz": "cs", "dk": "da", "gr": "el",
              "vn": "vi", "il": "iw", "ir": "fa", "us": "en", "gb": "en"}  # fmt: skip
"""Codes of countries that are no codes of languages, and are often taken for them."""

NOT_UNDERSTOOD = "[not understood]"
"""Stands in a transcript for speech that the transcriber did not understand."""
UNDETERMINED = "und"
"""The language of such speech (ISO 639-2)."""

AUTO_LANGUAGE = "auto"
"""In place of a code: the transcriber listens for the language."""

_NATIVE_AUDIO_CONTEXT, _OTHER_CONTEXT = 131_072, 32_768
"""Context windows in tokens: of the native audio models, and of all others."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model and what it supports.

    ``modalities``: what it can answer in, its own choice first. ``thinking``: whether it takes a
    budget in tokens, a level, any of the two, or nothing. ``proactive`` "always": on unasked.
    ``language``: chosen by ``languageCode``, by the system instruction, or as translation target.
    ``client_content``: turns may be sent during the whole session, only as initial history (then
    text goes as realtime input), or never. ``content_interrupts``: any of them interrupts, not only
    one with ``turnComplete:true``. ``max_audio_s``: longest audio of one session.
    ``context_tokens``, ``output_tokens``: the most that goes in, and that one answer takes.
    ``built_in_tools``: those of `BUILT_IN_TOOLS` that it has. ``functions``: whether it waits for
    a function's result, or talks on by default, and then whether a result may be scheduled.
    ``context_update``: instruction and tools may change in mid-session. ``sees``: takes pictures.
    ``ended``: the day (ISO 8601) since which Google answers nobody as this model.
    ``end_announced``: the day for which its end was announced, where no notice of it is known.
    """

    id: str
    title: str
    server: Literal["gemini", "local"] = "gemini"
    modalities: tuple[str, ...] = ("AUDIO",)
    thinking: Literal["budget", "level", "any", "none"] = "none"
    thinking_levels: tuple[str, ...] = ()
    default_thinking_level: str | None = None
    affective: bool = False
    proactive: Literal["flag", "always", "any", "no"] = "no"
    language: Literal["code", "prompt", "target"] = "prompt"
    client_content: Literal["session", "initial", "none"] = "session"
    content_interrupts: bool = True
    voices: tuple[str, ...] = _ALL_VOICES
    context_tokens: int | None = None
    output_tokens: int | None = None
    transcribes_only: bool = False
    translates_only: bool = False
    max_audio_s: float | None = None
    built_in_tools: tuple[str, ...] = ("search",)
    functions: Literal["blocking", "non-blocking", "unscheduled", "no"] = "blocking"
    context_update: bool = False
    sees: bool = True
    known: bool = True
    ended: str | None = None
    end_announced: str | None = None


LIVE_3_8 = Model(
    "gemini-3.8-live",
    "Gemini 3.8 Live",
    proactive="always",
    content_interrupts=False,
    context_tokens=_NATIVE_AUDIO_CONTEXT,
    output_tokens=65_536,
    functions="non-blocking",
    context_update=True,
)
LIVE_3_8_THINKING = Model(
    "gemini-3.8-live-extended-thinking",
    "Gemini 3.8 Live Extended Thinking",
    thinking="any",
    thinking_levels=("low", "medium", "high"),
    default_thinking_level="low",
    proactive="always",
    content_interrupts=False,
    context_tokens=_NATIVE_AUDIO_CONTEXT,
    output_tokens=65_536,
    functions="unscheduled",
    context_update=True,
)
LIVE_3_1 = Model(
    "gemini-3.1-flash-live-preview",
    "Gemini 3.1 Flash Live",
    thinking="level",
    thinking_levels=("minimal", "low", "medium", "high"),
    client_content="initial",
    context_tokens=_NATIVE_AUDIO_CONTEXT,
    output_tokens=65_536,
    end_announced="2026-11-17",
)
NATIVE_AUDIO_2_5 = Model(
    "gemini-2.5-flash-native-audio-preview-12-2025",
    "Gemini 2.5 Flash native audio",
    thinking="budget",
    affective=True,
    proactive="flag",
    context_tokens=_NATIVE_AUDIO_CONTEXT,
    output_tokens=8_192,
    end_announced="2026-11-17",
)
HALF_CASCADE_2_5 = Model(
    "gemini-live-2.5-flash-preview",
    "Gemini 2.5 Flash Live, half-cascade",
    modalities=("AUDIO", "TEXT"),
    language="code",
    voices=_HALF_CASCADE_VOICES,
    context_tokens=_OTHER_CONTEXT,
    output_tokens=8_192,
    ended="2025-12-09",
    built_in_tools=("search", "code-execution", "url-context"),
)
HALF_CASCADE_2_0 = Model(
    "gemini-2.0-flash-live-001",
    "Gemini 2.0 Flash Live, half-cascade",
    modalities=("AUDIO", "TEXT"),
    language="code",
    voices=_HALF_CASCADE_VOICES,
    context_tokens=_OTHER_CONTEXT,
    output_tokens=8_192,
    ended="2025-12-09",
    built_in_tools=("search", "code-execution", "url-context"),
)
TRANSLATE = Model(
    "gemini-3.5-live-translate-preview",
    "Gemini 3.5 Live Translate",
    language="target",
    client_content="none",
    sees=False,
    translates_only=True,
    context_tokens=_OTHER_CONTEXT,
    output_tokens=8_192,
    built_in_tools=(),
    functions="no",
)
TRANSCRIBE = Model(
    "gemini-3.5-transcribe-live",
    "Gemini 3.5 Transcribe Live",
    modalities=("TEXT",),
    language="code",
    client_content="none",
    voices=(),
    sees=False,
    transcribes_only=True,
    max_audio_s=600.0,
    context_tokens=_OTHER_CONTEXT,
    output_tokens=8_192,
    built_in_tools=(),
    functions="no",
)
LOCAL = Model(
    "local",
    "the engine on this machine",
    server="local",
    modalities=("AUDIO", "TEXT"),
    thinking="any",
    affective=True,
    proactive="flag",
    language="code",
    built_in_tools=(),
    context_update=True,
)

MODELS: tuple[Model, ...] = (
    LIVE_3_8,
    LIVE_3_8_THINKING,
    LIVE_3_1,
    NATIVE_AUDIO_2_5,
    HALF_CASCADE_2_5,
    HALF_CASCADE_2_0,
    TRANSLATE,
    TRANSCRIBE,
    LOCAL,
)
"""The known models, newest first: the first that meets all requirements is the default."""

_FAMILIES = (
    ("gemini-2.5-flash-native-audio", NATIVE_AUDIO_2_5),
    ("gemini-live-2.5-flash-native-audio", NATIVE_AUDIO_2_5),
)
"""Prefixes of the dated and Vertex ids of a known model, whose end is not known to be theirs."""

_ENDED_PREFIXES = ("gemini-2.0-flash-exp", "gemini-2.0-flash-live")
"""Of the ids of the first Live models, which very many public programs still name."""
_NEVER_LIVE = "image"
"""In the ids of models of those years that drew pictures."""


def find_ended(model_id: str) -> Model | None:
    """Return a model of the first generation under its id, None where the id is none of theirs."""
    if not model_id.startswith(_ENDED_PREFIXES) or _NEVER_LIVE in model_id:
        return None
    return replace(HALF_CASCADE_2_0, id=model_id)


def find_model(name: str) -> Model:
    """Return the model with an id, with or without ``models/``; an unknown one supports all."""
    model_id = name.removeprefix("models/")
    for model in MODELS:
        if model.id == model_id:
            return model
    for prefix, model in _FAMILIES:
        if model_id.startswith(prefix):
            return replace(model, id=model_id, end_announced=None)
    if (ended := find_ended(model_id)) is not None:
        return ended
    return Model(
        model_id,
        model_id,
        modalities=("AUDIO", "TEXT"),
        thinking="any",
        affective=True,
        proactive="any",
        built_in_tools=BUILT_IN_TOOLS,
        known=False,
    )


def find_voice(name: str) -> str | None:
    """Return the voice as the wire spells it, whatever the case of ``name``; None if unknown."""
    lower = name.lower()
    return next((voice for voice in VOICES if voice.lower() == lower), None)


def find_language(code: str) -> str | None:
    """Return the Live API's code, "iw" for "he", a region kept ("de-DE"); None if unknown."""
    base, separator, region = code.replace("_", "-").partition("-")
    base = _ALIASES.get(base.lower(), base.lower())
    if base not in _NAMES or (separator and not region.isalnum()):
        return None
    return f"{base}-{region.upper()}" if region else base


def near_language(text: str) -> str | None:
    """Return the code that ``text`` may mean: a language's name, a country's code, or a slip."""
    codes = {name.lower(): code for code, name in _NAMES.items()}
    base = text.strip().lower().replace("_", "-").partition("-")[0]
    meant = codes.get(base) or _COUNTRIES.get(base)
    name = near_match(base, codes)
    return meant or (codes[name] if name else near_match(base, _NAMES))


def language_base(code: str) -> str:
    """Return a code without its region, by the Live API's spelling where that is known."""
    base = code.replace("_", "-").partition("-")[0].lower()
    return _ALIASES.get(base, base)


def language_name(code: str) -> str:
    """Return the English name of a code; the code itself where it has none here."""
    return _NAMES.get(language_base(code), code)


_LEAST_PART = 3
"""Letters that a part of a word needs to mean it: one or two are in too many words."""


def near_match(word: str, known: Iterable[str]) -> str | None:
    """Return the word of ``known`` nearest to ``word``, upper and lower case aside, or None.

    One with a letter or two wrong, else the first that begins with ``word`` or has it in it.
    """
    by_lower = {each.lower(): each for each in known}
    lower = word.strip().lower()
    close = get_close_matches(lower, by_lower, n=1, cutoff=0.6)
    if not close and len(lower) >= _LEAST_PART:
        close = [each for each in by_lower if each.startswith(lower)] or [
            each for each in by_lower if lower in each
        ]
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean X?"``, or an empty text where no known word is near."""
    match = near_match(word, known)
    return f"; did you mean {match!r}?" if match else ""
