"""What to open: Settings and a verb in; a server, a model and the Setup message out.

Pure: nothing is connected, started or read here. Whatever the chosen model does not support is
refused here, before any connection, with the name of one that does.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from live_cli.catalog import (
    LIVE_3_8,
    LOCAL,
    LOCAL_LANGUAGES,
    MODELS,
    TRANSCRIBE,
    Model,
    did_you_mean,
    find_model,
    language_name,
)
from live_cli.errors import SettingsError
from live_cli.plan.requirements import Requirements, newest_supporting, refusals
from live_cli.plan.server import ServerChoice, ServerKind, choose_server, unencrypted
from live_cli.plan.setup import build_setup
from live_cli.protocol.messages import Setup
from live_cli.settings.schema import EngineSettings, SessionSettings, Settings

Verb = Literal["talk", "text", "transcribe"]


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """What to connect to and what to say first.

    ``url``: the server's base (ws or wss), None for "child": the child tells its own, and its key.
    ``modality``: AUDIO or TEXT, what the model answers in. ``needs``: the engine stages that a
    child must load (``ears``, ``chat``, ``voice``). ``child_args``: the command line of the child.
    ``warnings``: sentences for the person, none of them an error.
    """

    kind: ServerKind
    url: str | None
    key: str | None = field(repr=False)
    label: str
    api_version: str
    model: Model
    modality: str
    setup: Setup
    needs: tuple[str, ...] = ()
    child_args: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def plan_session(
    settings: Settings,
    verb: Verb,
    *,
    spoken_reply: bool = False,
    history: bool = False,
    local_installed: bool | None = None,
) -> SessionPlan:
    """Decide everything about a session. Raises SettingsError with what to do instead.

    ``spoken_reply``: `text` keeps the reply's sound (``--output FILE``). ``history``: earlier
    turns are sent first. ``local_installed``: None looks for the packages.
    """
    choice = choose_server(settings, local_installed)
    options = _for_verb(settings.session, verb)
    settings = replace(settings, session=options)
    wishes = _wishes(options, verb, spoken_reply)
    if _any_language(choice, settings, wishes):
        wishes = replace(wishes, language=None)
    model, warnings = _choose_model(choice, options, wishes)
    modality = _modality(model, options, verb, spoken_reply)
    _refuse(choice, model, wishes)
    _refuse_together(model, options, verb, spoken_reply, modality)
    warnings += unencrypted(choice)
    if options.proactive and model.proactive == "always":
        warnings.append(f"{model.id} is always proactive: --proactive changes nothing.")
    needs = _needs(verb, modality) if choice.kind == "child" else ()
    return SessionPlan(
        kind=choice.kind,
        url=choice.url,
        key=choice.key,
        label=choice.label,
        api_version=_api_version(options, model),
        model=model,
        modality=modality,
        setup=build_setup(settings, model, verb, modality, history=history),
        needs=needs,
        child_args=_child_args(settings.engine, needs) if needs else (),
        warnings=tuple(warnings),
    )


def _for_verb(options: SessionSettings, verb: Verb) -> SessionSettings:
    """A settings file serves all verbs: what has no meaning for a transcription is left out."""
    if verb != "transcribe":
        return options
    return SessionSettings(
        model=options.model, api_version=options.api_version, language=options.language
    )


# --- which model -------------------------------------------------------------------------------


def _wishes(options: SessionSettings, verb: Verb, spoken_reply: bool) -> Requirements:
    modality = options.modality.upper() if options.modality else None
    return Requirements(
        task=verb,
        modality="AUDIO" if spoken_reply else modality,
        voice=options.voice,
        language=options.language,
        system=options.system is not None,
        affective=options.affective,
        proactive=options.proactive,
        thinking_budget=options.thinking_budget is not None,
        thinking_level=options.thinking_level,
        show_thoughts=options.show_thoughts,
    )


def _any_language(choice: ServerChoice, settings: Settings, wishes: Requirements) -> bool:
    """Whether languages cannot be judged here: a foreign server's, or an endpoint's that writes."""
    writes = wishes.task == "text" and wishes.modality != "AUDIO"
    endpoint = writes and settings.engine.chat.startswith("openai:")
    return choice.server == "local" and (choice.kind == "url" or endpoint)


def _choose_model(
    choice: ServerChoice, options: SessionSettings, wishes: Requirements
) -> tuple[Model, list[str]]:
    """The model named, or the newest that does all that is asked; and what to say about it."""
    if options.model:
        return _named(options.model)
    if wishes.task == "transcribe":
        return TRANSCRIBE, []
    if choice.server == "local":
        return LOCAL, []
    model = newest_supporting(wishes, "gemini")
    if model is None or model is LIVE_3_8:
        return LIVE_3_8, []
    return model, [f"Using {model.id}: {refusals(LIVE_3_8, wishes)[0].partition(';')[0]}."]


def _named(name: str) -> tuple[Model, list[str]]:
    model = find_model(name)
    if model.known:
        return model, []
    near = did_you_mean(model.id, [each.id for each in MODELS]) or "."
    return model, [f"{model.id!r} is not a model that is known here, it is tried as it is{near}"]


def _modality(model: Model, options: SessionSettings, verb: Verb, spoken_reply: bool) -> str:
    """AUDIO or TEXT: what was asked, else what suits the verb, else what the model has."""
    if verb == "transcribe":
        return "TEXT"
    if spoken_reply:
        return "AUDIO"
    if options.modality:
        return options.modality.upper()
    if verb == "text" and model.known and "TEXT" in model.modalities:
        return "TEXT"
    return model.modalities[0]


def _refuse(choice: ServerChoice, model: Model, wishes: Requirements) -> None:
    said = refusals(model, wishes)
    base = (wishes.language or LOCAL_LANGUAGES[0]).partition("-")[0]
    if choice.kind == "child" and not model.languages and base not in LOCAL_LANGUAGES:
        name = language_name(base)
        said.append(f"The local engine has no {name}, only English; Gemini does (--server gemini).")
    if said:
        raise SettingsError(" ".join(said))


def _refuse_together(
    model: Model, options: SessionSettings, verb: Verb, spoken_reply: bool, modality: str
) -> None:
    """What each goes, but not with the other."""
    if model.language == "target" and options.language is None:
        raise SettingsError(f"{model.id} needs the language to translate to: --language CODE.")
    if spoken_reply and options.modality == "text":
        raise SettingsError("--output keeps speech, --modality text has none: leave one away.")
    silent = verb == "text" and modality == "AUDIO" and not spoken_reply
    if silent and not options.output_transcript:
        raise SettingsError(
            f"{model.id} answers in speech, and --no-output-transcript leaves nothing to print: "
            "leave it away, or keep the speech with --output FILE."
        )
    if options.thinking_budget is not None and options.thinking_level is not None:
        raise SettingsError("--thinking-budget and --thinking-level exclude each other.")


def _api_version(options: SessionSettings, model: Model) -> str:
    """v1alpha where Gemini has a feature only there (affective dialog, the proactive flag)."""
    flagged = options.affective or (options.proactive and model.proactive != "always")
    alpha = flagged and model.server == "gemini"
    if alpha and options.api_version not in (None, "v1alpha"):
        feature = "--affective" if options.affective else "--proactive"
        raise SettingsError(f"{feature} needs v1alpha: leave --api-version away.")
    return options.api_version or ("v1alpha" if alpha else "v1beta")


# --- the child ---------------------------------------------------------------------------------


def _needs(verb: Verb, modality: str) -> tuple[str, ...]:
    if verb == "transcribe":
        return ("ears",)
    ears = ("ears",) if verb == "talk" else ()
    voice = ("voice",) if modality == "AUDIO" else ()
    return (*ears, "chat", *voice)


def _child_args(engine: EngineSettings, needs: tuple[str, ...]) -> tuple[str, ...]:
    """The child's own command line: what to load ahead, and which implementations."""
    named = {
        "needs": ",".join(needs),
        "detector": engine.detector,
        "transcriber": engine.transcriber,
        "chat": engine.chat,
        "synthesizer": engine.synthesizer,
        "threads": str(engine.threads),
    }
    return tuple(f"--{name}={value}" for name, value in named.items())
