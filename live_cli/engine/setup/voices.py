"""The thirty voice names of the Live API as traits of the synthesizer's one voice. Pure.

A name is a point in pitch x pace x timbre around the synthesizer's own voice, chosen after the
character that the Live API's speech guide gives the name. Pitches of x0.62 to x1.3 are measured to
keep every word intelligible; timbre (formants) and pace stay well inside of such limits.
"""

from difflib import get_close_matches

from live_cli.catalog import find_voice
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import UnsupportedError

DEFAULT_VOICE = "Kore"

#                           pitch  pace  timbre
_GRID: dict[str, tuple[float, float, float]] = {
    # higher voices
    "Zephyr": (1.12, 1.05, 1.08),  # bright
    "Kore": (1.00, 1.00, 1.00),  # firm
    "Leda": (1.28, 1.06, 1.10),  # youthful
    "Aoede": (1.06, 1.10, 1.04),  # breezy
    "Callirrhoe": (0.98, 0.92, 1.06),  # easy-going
    "Autonoe": (1.18, 1.00, 1.04),  # bright
    "Despina": (1.04, 0.94, 0.96),  # smooth
    "Erinome": (1.10, 0.98, 1.00),  # clear
    "Laomedeia": (1.22, 1.12, 1.06),  # upbeat
    "Achernar": (1.16, 0.90, 1.10),  # soft
    "Gacrux": (0.86, 0.94, 0.98),  # mature
    "Pulcherrima": (1.08, 1.14, 0.98),  # forward
    "Vindemiatrix": (0.94, 0.88, 1.02),  # gentle
    "Sulafat": (0.92, 0.97, 1.06),  # warm
    # lower voices
    "Puck": (0.84, 1.13, 0.94),  # upbeat
    "Charon": (0.66, 0.98, 0.90),  # informative
    "Fenrir": (0.80, 1.16, 0.88),  # excitable
    "Orus": (0.70, 1.03, 0.86),  # firm
    "Enceladus": (0.76, 0.88, 0.92),  # breathy
    "Iapetus": (0.74, 1.00, 0.95),  # clear
    "Umbriel": (0.72, 0.92, 0.88),  # easy-going
    "Algieba": (0.68, 0.90, 0.94),  # smooth
    "Algenib": (0.62, 0.94, 0.86),  # gravelly
    "Rasalgethi": (0.78, 1.06, 0.92),  # informative
    "Alnilam": (0.66, 1.10, 0.94),  # firm
    "Schedar": (0.82, 0.97, 0.90),  # even
    "Achird": (0.88, 1.04, 0.92),  # friendly
    "Zubenelgenubi": (0.80, 0.90, 0.96),  # casual
    "Sadachbia": (0.90, 1.14, 0.90),  # lively
    "Sadaltager": (0.64, 1.03, 0.90),  # knowledgeable
}

VOICE_TRAITS: dict[str, VoiceTraits] = {
    name: VoiceTraits(*traits, name=name) for name, traits in _GRID.items()
}


def traits_of(name: str | None) -> VoiceTraits:
    """Return the traits of the voice ``name``; of `DEFAULT_VOICE` for None.

    Names are read in any case. Raises UnsupportedError for an unknown one.
    """
    voice = VOICE_TRAITS.get(find_voice(name or DEFAULT_VOICE) or "")
    if voice is not None:
        return voice
    near = get_close_matches((name or "")[:40].title(), VOICE_TRAITS, n=1)
    hint = f" Did you mean {near[0]}?" if near else " There are 30: see `live-cli voices`."
    raise UnsupportedError(f"Voice {(name or '')[:40]!r} is not known.{hint}")
