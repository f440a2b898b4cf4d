"""How each family of Live models behaves, where the local engine has to behave alike. Pure.

What clients ask about a model stands in the catalog; here is what only a server needs to know,
from the reference's table of model families (§6). Any Live id belongs to a family: dated ids and
Vertex's names to the one they are named after, ids newer than this table to the nearest.
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
)
from live_cli.engine.setup.media import ALL_VIDEO, ONLY_ACTIVITY

INVALID = "Request contains an invalid argument."
"""The service's close reason (1007) where it names no field, also for a full context."""
BLOCKING, NON_BLOCKING = "BLOCKING", "NON_BLOCKING"

Feature = Literal["free", "v1alpha", "always", "no"]
"""Asked for in any version; in v1alpha (and on Vertex) only; on without being asked; not there."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family. ``behaviors``: those that a function declaration may ask for.

    ``completes_turn_at_call``: a turnComplete follows the toolCall, before its response.
    ``needs_roles``: contents without a role are refused. ``tells_status``: turnComplete comes with
    an interactionStatus. ``any_language``: takes all codes of ``languages``, and goes by what it
    hears. ``refuses_text``: close code and reason for TEXT, where there are such.
    ``refuses_proactivity``: as an unknown name in every version. ``refuses_affective``: with 1011.
    """

    model: Model
    behaviors: tuple[str, ...] = (BLOCKING, NON_BLOCKING)
    default_behavior: str = BLOCKING
    completes_turn_at_call: bool = False
    default_turn_coverage: str = ONLY_ACTIVITY
    needs_roles: bool = False
    tells_status: bool = False
    any_language: bool = False
    languages: frozenset[str] = frozenset(LANGUAGES)
    refuses_text: tuple[int, str] | None = None
    refuses_proactivity: bool = False
    refuses_affective: bool = False

    @property
    def is_local(self) -> bool:
        """The neutral one: nothing is refused for its name."""
        return self.model.server == "local"

    @property
    def affective(self) -> Feature:
        if not self.model.affective:
            return "no"
        return "free" if self.is_local else "v1alpha"

    @property
    def proactive(self) -> Feature:
        match self.model.proactive:
            case "always":
                return "always"
            case "flag" | "any":
                return "free" if self.is_local else "v1alpha"
            case "no":
                return "no"


_ALL_LANGUAGES = frozenset(LANGUAGES | NEWER_LANGUAGES)

NEUTRAL = Family(LOCAL)
FAMILY_2_0 = Family(HALF_CASCADE_2_0, completes_turn_at_call=True)
FAMILY_2_5_CASCADE = replace(FAMILY_2_0, model=HALF_CASCADE_2_5)
FAMILY_2_5 = Family(
    NATIVE_AUDIO_2_5,
    completes_turn_at_call=True,
    any_language=True,
    refuses_text=(1007, "Cannot extract voices from a non-audio request."),
)
FAMILY_3_1 = Family(
    LIVE_3_1,
    behaviors=(BLOCKING,),
    default_turn_coverage=ALL_VIDEO,
    needs_roles=True,
    any_language=True,
    languages=_ALL_LANGUAGES,
    refuses_text=(1011, "Internal error encountered."),
    refuses_proactivity=True,
    refuses_affective=True,
)
FAMILY_3_8 = Family(
    LIVE_3_8,
    default_behavior=NON_BLOCKING,
    default_turn_coverage=ALL_VIDEO,
    needs_roles=True,
    any_language=True,
    languages=_ALL_LANGUAGES,
    refuses_text=(
        1007,
        "The requested combination of response modalities (TEXT) is not supported by the model",
    ),
)
FAMILY_3_8_THINKING = replace(
    FAMILY_3_8, model=LIVE_3_8_THINKING, behaviors=(NON_BLOCKING,), tells_status=True
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


def find_family(name: str) -> Family | None:
    """The family of a model by its id, with or without the path before it; None: not a Live id.

    An id that is not the catalog's own keeps its name in the family's ``model``.
    """
    model_id = name.rsplit("/", 1)[-1]
    for family in FAMILIES:
        if family.model.id == model_id:
            return family
    if not _LIVE.fullmatch(model_id):
        return None
    nearest = _nearest(model_id)
    return replace(nearest, model=replace(nearest.model, id=model_id))


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
