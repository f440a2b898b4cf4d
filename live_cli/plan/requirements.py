"""What a model refuses: everything asked of a session, held against what the model supports."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from live_cli.catalog import MODELS, Model, language_name


@dataclass(frozen=True, slots=True)
class Requirements:
    """What is asked of a model. ``task``: converse by voice, write to it, or transcribe."""

    task: Literal["talk", "text", "transcribe"] = "talk"
    modality: str | None = None
    voice: str | None = None
    language: str | None = None
    system: bool = False
    affective: bool = False
    proactive: bool = False
    thinking_budget: bool = False
    thinking_level: str | None = None
    show_thoughts: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    asked: Callable[[Requirements], bool]
    met: Callable[[Model, Requirements], bool]
    says: Callable[[Model, Requirements], str]
    """What the model does not do; the sentence starts with its name."""


def _level_met(model: Model, wishes: Requirements) -> bool:
    if model.thinking == "level":
        return wishes.thinking_level in model.thinking_levels
    return model.thinking == "any"


def _level_says(model: Model, wishes: Requirements) -> str:
    if model.thinking == "level":
        levels = ", ".join(model.thinking_levels)
        return f"has no thinking level {wishes.thinking_level} (it has {levels})"
    return "takes no thinking level"


def _language_met(model: Model, wishes: Requirements) -> bool:
    base = (wishes.language or "").partition("-")[0]
    return not model.languages or base in model.languages


_RULES = (
    _Rule(
        lambda wishes: wishes.task == "transcribe",
        lambda model, _: model.transcribes_only or not model.known,
        lambda *_: "answers instead of transcribing",
    ),
    _Rule(
        lambda wishes: wishes.task != "transcribe",
        lambda model, _: not model.transcribes_only,
        lambda *_: "only transcribes",
    ),
    _Rule(
        lambda wishes: wishes.task == "text",
        lambda model, _: not model.translates_only,
        lambda *_: "only translates speech",
    ),
    _Rule(
        lambda wishes: wishes.modality is not None,
        lambda model, wishes: wishes.modality in model.modalities,
        lambda _, wishes: f"does not answer in {(wishes.modality or '').lower()}",
    ),
    _Rule(
        lambda wishes: wishes.voice is not None,
        lambda model, wishes: wishes.voice in model.voices,
        lambda _, wishes: f"has no voice {wishes.voice}",
    ),
    _Rule(
        lambda wishes: wishes.language is not None,
        _language_met,
        lambda _, wishes: f"does not speak {language_name(wishes.language or 'en')}",
    ),
    _Rule(
        lambda wishes: wishes.system,
        lambda model, _: not (model.translates_only or model.transcribes_only),
        lambda *_: "takes no system instruction",
    ),
    _Rule(
        lambda wishes: wishes.affective,
        lambda model, _: model.affective,
        lambda *_: "has no affective dialog",
    ),
    _Rule(
        lambda wishes: wishes.proactive,
        lambda model, _: model.proactive != "no",
        lambda *_: "has no proactive audio",
    ),
    _Rule(
        lambda wishes: wishes.thinking_budget,
        lambda model, _: model.thinking in ("budget", "any"),
        lambda *_: "takes no thinking budget",
    ),
    _Rule(lambda wishes: wishes.thinking_level is not None, _level_met, _level_says),
    _Rule(
        lambda wishes: wishes.show_thoughts,
        lambda model, _: model.thinking != "none",
        lambda *_: "does not show its thoughts",
    ),
)


def supports(model: Model, wishes: Requirements) -> bool:
    """Whether the model does all that is asked."""
    return all(rule.met(model, wishes) for rule in _RULES if rule.asked(wishes))


def newest_supporting(wishes: Requirements, server: str) -> Model | None:
    """The newest model of that server (``gemini`` or ``local``) that does all that is asked."""
    return next((m for m in MODELS if m.server == server and supports(m, wishes)), None)


def refusals(model: Model, wishes: Requirements) -> list[str]:
    """One sentence for each thing asked that the model does not do, naming one that does."""
    return [
        f"{model.id} {rule.says(model, wishes)}{_instead(model, wishes, rule)}"
        for rule in _RULES
        if rule.asked(wishes) and not rule.met(model, wishes)
    ]


def _instead(model: Model, wishes: Requirements, rule: _Rule) -> str:
    """Who does it: rather one that does all that is asked, rather on the same server."""
    able = [each for each in MODELS if rule.met(each, wishes)]
    if not able:
        return "; no model does."
    able.sort(key=lambda each: (not supports(each, wishes), each.server != model.server))
    best = able[0]
    server = "" if best.server == model.server else f" --server {best.server}"
    return f"; {best.id} does (--model {best.id}{server})."
