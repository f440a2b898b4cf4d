"""The families of Live models, and how the local engine behaves when asked for one of each. Pure.

The catalog knows what a client asks about a model; a `Family` adds what only a server needs to
know, from the reference's table of model families (§6). Any Live id belongs to a family: dated ids
and Vertex's names to the one they are named after, ids newer than this table to the nearest.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from live_cli.catalog import (
    HALF_CASCADE_2_0,
    HALF_CASCADE_2_5,
    LANGUAGES,
    LIVE_3_1,
    LIVE_3_8,
    LIVE_3_8_THINKING,
    LOCAL,
    NATIVE_AUDIO_2_5,
    NEWER_LANGUAGES,
    TRANSCRIBE,
    TRANSLATE,
    Model,
    find_ended,
)
from live_cli.engine.setup.media import ALL_VIDEO, ONLY_ACTIVITY

INVALID = "Request contains an invalid argument."
"""The service's close reason with 1007 where it names no field, also for a full context."""
BLOCKING, NON_BLOCKING = "BLOCKING", "NON_BLOCKING"

Feature = Literal["free", "v1alpha", "always", "no"]
"""Where a setup may ask for a feature: in any version; in v1alpha and on Vertex only; nowhere, for
it is always on; nowhere, for the family does not have it."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family of Live models: its ``model`` in the catalog and the behaviour of its server.

    ``behaviors``: those that a function declaration may ask for.
    ``half_cascade``: it writes what it speaks. On Vertex AI its turn ends with a toolCall; on the
    Gemini API its calls are shown as executableCode before the toolCall (reference §9).
    ``tells_unasked``: it tells the user's words, and where speech cuts its answer off, unasked.
    ``needs_roles``: contents without a role are refused.
    ``tells_status``: turnComplete comes with an interactionStatus.
    ``any_language``: all codes of ``languages`` are accepted; the audio decides the language.
    ``refuses_text``: close code and reason for the modality TEXT, None where it is not special.
    ``refuses_affective``: affective dialog is an invalid argument, at the setup or at the first
    input after it; "": it is taken, or unknown to the version.
    ``needs_thinking``: a setup without a thinking level and without a budget is refused.
    ``schedules_results``: a function's response may say when it is told of.
    ``ignores_speakers``: a voice for each of several speakers is taken, and one is heard.
    """

    model: Model
    behaviors: tuple[str, ...] = (BLOCKING, NON_BLOCKING)
    default_behavior: str = BLOCKING
    half_cascade: bool = False
    tells_unasked: bool = False
    default_turn_coverage: str = ONLY_ACTIVITY
    needs_roles: bool = False
    tells_status: bool = False
    any_language: bool = False
    languages: frozenset[str] = frozenset(LANGUAGES)
    refuses_text: tuple[int, str] | None = None
    refuses_affective: Literal["", "setup", "input"] = ""
    needs_thinking: bool = False
    schedules_results: bool = True
    ignores_speakers: bool = False

    @property
    def is_local(self) -> bool:
        """Whether this is the local engine's own model, whose features need no version."""
        return self.model.server == "local"

    @property
    def affective(self) -> Feature:
        """Where a setup may ask for affective dialog."""
        if not self.model.affective:
            return "no"
        return "free" if self.is_local else "v1alpha"

    @property
    def proactive(self) -> Feature:
        """Where a setup may ask for proactive audio."""
        match self.model.proactive:
            case "always":
                return "always"
            case "flag" | "any":
                return "free" if self.is_local else "v1alpha"
            case "no":
                return "no"


_ALL_LANGUAGES = frozenset(LANGUAGES | NEWER_LANGUAGES)

NEUTRAL = Family(LOCAL)
FAMILY_2_0 = Family(HALF_CASCADE_2_0, half_cascade=True)
FAMILY_2_5_CASCADE = replace(FAMILY_2_0, model=HALF_CASCADE_2_5)
FAMILY_2_5 = Family(
    NATIVE_AUDIO_2_5,
    any_language=True,
    refuses_text=(1007, "Cannot extract voices from a non-audio request."),
)
FAMILY_3_1 = Family(
    LIVE_3_1,
    behaviors=(BLOCKING,),
    default_turn_coverage=ALL_VIDEO,
    needs_roles=True,
    tells_unasked=True,
    any_language=True,
    languages=_ALL_LANGUAGES,
    refuses_text=(1011, "Internal error encountered."),
    refuses_affective="setup",
    ignores_speakers=True,
)
FAMILY_3_8 = Family(
    LIVE_3_8,
    default_behavior=NON_BLOCKING,
    default_turn_coverage=ALL_VIDEO,
    needs_roles=True,
    tells_unasked=True,
    any_language=True,
    languages=_ALL_LANGUAGES,
    refuses_text=(
        1007,
        "The requested combination of response modalities (TEXT) is not supported by the model",
    ),
    refuses_affective="input",
    ignores_speakers=True,
)
FAMILY_3_8_THINKING = replace(
    FAMILY_3_8,
    model=LIVE_3_8_THINKING,
    behaviors=(NON_BLOCKING,),
    tells_status=True,
    needs_thinking=True,
    schedules_results=False,
)
FAMILY_TRANSLATE = Family(TRANSLATE, any_language=True, languages=_ALL_LANGUAGES)
FAMILY_TRANSCRIBE = Family(TRANSCRIBE)

FAMILIES = (
    NEUTRAL,
    FAMILY_3_8,
    FAMILY_3_8_THINKING,
    FAMILY_3_1,
    FAMILY_2_5,
    FAMILY_2_5_CASCADE,
    FAMILY_2_0,
    FAMILY_TRANSLATE,
    FAMILY_TRANSCRIBE,
)

_LIVE = re.compile(r"gemini-(?:[a-z0-9.]+-)*(live|native-audio)(?:-[a-z0-9.]+)*")
_VERSION = re.compile(r"(?:^|-)(\d+(?:\.\d+)?)(?:-|$)")
_UNNUMBERED = "3.8"
_LONGEST_ID = 128
"""The longest of Google's has 50 characters; this one is kept with every handle."""


def find_family(name: str) -> Family | None:
    """Return the family of a model id, with or without a path before it; None for no Live id.

    Where the catalog does not have the id, the family's ``model`` is the nearest under that id.
    """
    model_id = name.rsplit("/", 1)[-1]
    for family in FAMILIES:
        if family.model.id == model_id:
            return family
    if len(model_id) > _LONGEST_ID:
        return None
    if (ended := find_ended(model_id)) is not None:
        return replace(FAMILY_2_0, model=ended)
    if not _LIVE.fullmatch(model_id):
        return None
    nearest = _nearest(model_id)
    own = replace(nearest.model, id=model_id, ended=None, end_announced=None)
    return replace(nearest, model=own)


def _nearest(model_id: str) -> Family:
    if "transcribe" in model_id:
        return FAMILY_TRANSCRIBE
    if "translate" in model_id:
        return FAMILY_TRANSLATE
    number = _VERSION.search(model_id.removeprefix("gemini"))
    version = float(number[1] if number else _UNNUMBERED)
    if version < 3:
        if "native-audio" in model_id:
            return FAMILY_2_5
        return FAMILY_2_5_CASCADE if version > 2 else FAMILY_2_0
    if version < float(_UNNUMBERED) and version - 3.1 < float(_UNNUMBERED) - version:
        return FAMILY_3_1
    return FAMILY_3_8_THINKING if "thinking" in model_id else FAMILY_3_8
