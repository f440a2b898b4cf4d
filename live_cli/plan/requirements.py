"""What a session requires of its model, checked against what each model supports."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from live_cli.catalog import MODELS, Model


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a session requires of its model; the defaults require nothing.

    ``task``: speak with the model, write to it, or transcribe. ``modality``: AUDIO or TEXT.
    ``sees``: it is shown pictures.
    """

    task: Literal["talk", "text", "transcribe"] = "talk"
    modality: str | None = None
    voice: str | None = None
    system: bool = False
    affective: bool = False
    proactive: bool = False
    thinking_budget: bool = False
    thinking_level: str | None = None
    show_thoughts: bool = False
    built_in_tools: tuple[str, ...] = ()
    functions: bool = False
    sees: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    """One requirement: whether it is made, whether a model meets it, and the refusal if not.

    ``refusal`` is the end of a sentence that starts with the model's id.
    """

    required: Callable[[Requirements], bool]
    met: Callable[[Model, Requirements], bool]
    refusal: Callable[[Model, Requirements], str]


def _level_met(model: Model, requirements: Requirements) -> bool:
    if model.thinking_levels:
        return requirements.thinking_level in model.thinking_levels
    return model.thinking == "any"


def _level_refusal(model: Model, requirements: Requirements) -> str:
    if model.thinking_levels:
        levels = ", ".join(model.thinking_levels)
        return f"has no thinking level {requirements.thinking_level} (it has {levels})"
    return "takes no thinking level"


def _lacking(model: Model, requirements: Requirements) -> list[str]:
    return [each for each in requirements.built_in_tools if each not in model.built_in_tools]


_SIGHT = _Rule(
    lambda requirements: requirements.sees,
    lambda model, _: model.sees,
    lambda *_: "sees no pictures",
)
_RULES = (
    _Rule(
        lambda requirements: requirements.task == "transcribe",
        lambda model, _: model.transcribes_only or not model.known,
        lambda *_: "answers instead of transcribing",
    ),
    _Rule(
        lambda requirements: requirements.task != "transcribe",
        lambda model, _: not model.transcribes_only,
        lambda *_: "only transcribes",
    ),
    _Rule(
        lambda requirements: requirements.task == "text",
        lambda model, _: not model.translates_only,
        lambda *_: "only translates speech",
    ),
    _Rule(
        lambda requirements: requirements.modality is not None,
        lambda model, requirements: requirements.modality in model.modalities,
        lambda _, requirements: f"does not answer in {(requirements.modality or '').lower()}",
    ),
    _Rule(
        lambda requirements: requirements.voice is not None,
        lambda model, requirements: requirements.voice in model.voices,
        lambda _, requirements: f"has no voice {requirements.voice}",
    ),
    _Rule(
        lambda requirements: requirements.system,
        lambda model, _: not (model.translates_only or model.transcribes_only),
        lambda *_: "takes no system instruction",
    ),
    _Rule(
        lambda requirements: requirements.affective,
        lambda model, _: model.affective,
        lambda *_: "has no affective dialog",
    ),
    _Rule(
        lambda requirements: requirements.proactive,
        lambda model, _: model.proactive != "no",
        lambda *_: "has no proactive audio",
    ),
    _Rule(
        lambda requirements: requirements.thinking_budget,
        lambda model, _: model.thinking in ("budget", "any"),
        lambda *_: "takes no thinking budget",
    ),
    _Rule(lambda requirements: requirements.thinking_level is not None, _level_met, _level_refusal),
    _Rule(
        lambda requirements: requirements.show_thoughts,
        lambda model, _: model.thinking != "none",
        lambda *_: "does not show its thoughts",
    ),
    _Rule(
        lambda requirements: bool(requirements.built_in_tools),
        lambda model, requirements: not _lacking(model, requirements),
        lambda model, requirements: f"has no tool {' or '.join(_lacking(model, requirements))}",
    ),
    _Rule(
        lambda requirements: requirements.functions,
        lambda model, _: model.functions != "no",
        lambda *_: "calls no functions",
    ),
    _SIGHT,
)


def supports(model: Model, requirements: Requirements) -> bool:
    """Return whether ``model`` meets all requirements."""
    return all(rule.met(model, requirements) for rule in _RULES if rule.required(requirements))


def newest_supporting(requirements: Requirements, server: str) -> Model | None:
    """Return the newest model of ``server`` (gemini or local) that meets all requirements."""
    return next((m for m in MODELS if m.server == server and supports(m, requirements)), None)


def refusals(model: Model, requirements: Requirements) -> list[str]:
    """Return a sentence for each requirement that ``model`` does not meet, with one that does."""
    return [
        _refusal(model, requirements, rule)
        for rule in _RULES
        if rule.required(requirements) and not rule.met(model, requirements)
    ]


def blindness(model: Model, requirements: Requirements) -> str | None:
    """Return the sentence that refuses to show ``model`` a picture; None where it sees."""
    return None if model.sees else _refusal(model, replace(requirements, sees=True), _SIGHT)


def _refusal(model: Model, requirements: Requirements, rule: _Rule) -> str:
    return f"{model.id} {rule.refusal(model, requirements)}{_instead(model, requirements, rule)}"


def _instead(model: Model, requirements: Requirements, rule: _Rule) -> str:
    """Return the end of a refusal: which model meets the rule, if any.

    First one that meets all requirements, then one of the same server.
    """
    able = [each for each in MODELS if rule.met(each, requirements)]
    if not able:
        return "; no model does."
    able.sort(key=lambda each: (not supports(each, requirements), each.server != model.server))
    best = able[0]
    server = "" if best.server == model.server else f" --server {best.server}"
    return f"; {best.id} does (--model {best.id}{server})."
