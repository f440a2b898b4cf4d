"""The session plan: Settings and a verb in; a server, a model and the Setup message out.

Pure: nothing is connected, started or read. What the chosen model does not support is refused
before any connection, with the name of a model that supports it.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from live_cli.catalog import (
    AUTO_LANGUAGE,
    BUILT_IN_TOOLS,
    LIVE_3_8,
    LOCAL,
    MODELS,
    TRANSCRIBE,
    Model,
    did_you_mean,
    find_model,
    language_base,
    language_name,
)
from live_cli.engine.backends.table import LATIN_VOICES, Stage, find_backend
from live_cli.engine.chat_models.sight import may_see, writes_english_only
from live_cli.engine.languages import LocalLanguages, not_heard, way_to_speak
from live_cli.errors import SettingsError
from live_cli.plan.requirements import Requirements, blindness, newest_supporting, refusals
from live_cli.plan.server import ServerChoice, ServerKind, choose_server, unencrypted
from live_cli.plan.setup import build_setup
from live_cli.protocol.messages import Setup
from live_cli.settings.schema import AUTO_DENOISE, EngineSettings, SessionSettings, Settings

Verb = Literal["talk", "text", "transcribe"]
_OTHER_SCRIPTS = ("ja", "zh")
"""Languages in whose script a voice speaks that otherwise leaves other scripts than Latin out."""


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """What to connect to, and the Setup message to send first.

    ``url``: the server's base (ws or wss); None for "child", which reports its own and its key.
    ``modality``: AUDIO or TEXT, what the model answers in. ``needs``: the engine stages that a
    child must load ahead. ``child_args``: the command line of the child, which
    anybody on the machine can read. ``child_variables``: names of those of the environment that
    its backends need, for their keys.
    ``blind``: why no picture can be sent, in a sentence; None where the model sees, or may.
    ``latin_voice``: a server of ours speaks Latin letters alone. ``warnings``: sentences for the
    user, none of them an error.
    """

    kind: ServerKind
    url: str | None
    key: str | None = field(repr=False)
    label: str
    api_version: str
    model: Model
    modality: str
    setup: Setup
    needs: tuple[Stage, ...] = ()
    child_args: tuple[str, ...] = ()
    child_variables: tuple[str, ...] = ()
    blind: str | None = None
    latin_voice: bool = True
    warnings: tuple[str, ...] = ()


def plan_session(
    settings: Settings,
    verb: Verb,
    *,
    spoken_reply: bool = False,
    history: bool = False,
    word_times: bool = False,
    pictures: bool = False,
    local_installed: bool | None = None,
) -> SessionPlan:
    """Decide server, model and Setup of a session. Raises SettingsError with what to do instead.

    ``spoken_reply``: `text` keeps the reply's sound (``--output FILE``). ``history``: earlier
    turns are sent first. ``word_times``: a transcription tells the times of words, where the model
    can. ``pictures``: the model is shown some. ``local_installed``: whether the local engine's
    packages are there; None looks for them.
    """
    choice = choose_server(settings, local_installed)
    session = _for_verb(settings.session, verb)
    if session.language == AUTO_LANGUAGE and choice.server != "local":
        session = replace(session, language=None)  # Gemini listens unless it is told
    settings = replace(settings, session=session)
    requirements = replace(_requirements(settings, verb, spoken_reply), sees=pictures)
    model, warnings = _choose_model(choice, session, requirements)
    modality = _modality(model, session, verb, spoken_reply)
    blind = _blind(choice, model, requirements, settings.engine.chat)
    _refuse(choice, model, requirements, blind)
    _refuse_together(model, session, verb, spoken_reply, modality)
    warnings += unencrypted(choice)
    warnings += _ended(choice, model)
    if session.proactive and model.proactive == "always":
        warnings.append(f"{model.id} is always proactive: --proactive changes nothing.")
    needs = _needs(verb, modality) if choice.kind == "child" else ()
    engine = settings.engine
    if verb == "talk" and settings.talk.denoise != AUTO_DENOISE:
        engine = replace(engine, denoise=settings.talk.denoise)
    if needs:
        engine, said = _engine_in(session.language, engine, needs)
        warnings += said
    return SessionPlan(
        kind=choice.kind,
        url=choice.url,
        key=choice.key,
        label=choice.label,
        api_version=_api_version(session, model),
        model=model,
        modality=modality,
        setup=build_setup(settings, model, verb, modality, history=history, word_times=word_times),
        needs=needs,
        child_args=_child_args(engine, needs) if needs else (),
        child_variables=_child_variables(engine, needs),
        blind=blind,
        latin_voice=_latin_voice(session.language, engine.synthesizer if needs else None),
        warnings=tuple(warnings),
    )


def _for_verb(session: SessionSettings, verb: Verb) -> SessionSettings:
    """Leave out what has no meaning for a transcription: a settings file serves all verbs."""
    if verb != "transcribe":
        return session
    return SessionSettings(
        model=session.model, api_version=session.api_version, language=session.language
    )


# --- which model -------------------------------------------------------------------------------


def _requirements(settings: Settings, verb: Verb, spoken_reply: bool) -> Requirements:
    session = settings.session
    named = settings.tools.tools if verb != "transcribe" else ()
    built_in = tuple(name for name in named if name in BUILT_IN_TOOLS)
    modality = session.modality.upper() if session.modality else None
    return Requirements(
        task=verb,
        modality="AUDIO" if spoken_reply else modality,
        voice=session.voice,
        system=session.system is not None,
        affective=session.affective,
        proactive=session.proactive,
        thinking_budget=session.thinking_budget is not None,
        thinking_level=session.thinking_level,
        show_thoughts=session.show_thoughts,
        built_in_tools=built_in,
        functions=verb != "transcribe" and calls_functions(settings),
    )


def calls_functions(settings: Settings) -> bool:
    """Return whether the model gets functions: a Python file's, or those of MCP servers."""
    files = len(settings.tools.tools) > len(set(settings.tools.tools) & set(BUILT_IN_TOOLS))
    return files or bool(settings.tools.mcp_files or settings.mcp)


def _choose_model(
    choice: ServerChoice, session: SessionSettings, requirements: Requirements
) -> tuple[Model, list[str]]:
    """Return the model named, or the newest that meets the requirements; and warnings."""
    if session.model:
        return _named(session.model)
    if requirements.task == "transcribe":
        return TRANSCRIBE, []
    if choice.server == "local":
        return LOCAL, []
    model = newest_supporting(requirements, "gemini")
    if model is None or model is LIVE_3_8:
        return LIVE_3_8, []
    return model, [f"Using {model.id}: {refusals(LIVE_3_8, requirements)[0].partition(';')[0]}."]


def _named(name: str) -> tuple[Model, list[str]]:
    model = find_model(name)
    if model.known:
        return model, []
    near = did_you_mean(model.id, [each.id for each in MODELS]) or "."
    return model, [f"{model.id!r} is not a model that is known here, it is tried as it is{near}"]


def _ended(choice: ServerChoice, model: Model) -> list[str]:
    """Return the warning of a model that Google has ended, or was to end: our own server has it."""
    if choice.server != "gemini" or not (model.ended or model.end_announced):
        return []
    what = (
        f"Google ended {model.id} on {model.ended}, so Gemini will refuse it"
        if model.ended
        else f"Google announced the end of {model.id} for {model.end_announced}: "
        "Gemini may refuse it"
    )
    return [f"{what}. Newer: --model {LIVE_3_8.id}; without Gemini: --server local."]


def _modality(model: Model, session: SessionSettings, verb: Verb, spoken_reply: bool) -> str:
    """Return AUDIO or TEXT: what was asked, else what suits the verb, else the model's first."""
    if verb == "transcribe":
        return "TEXT"
    if spoken_reply:
        return "AUDIO"
    if session.modality:
        return session.modality.upper()
    if verb == "text" and model.known and "TEXT" in model.modalities:
        return "TEXT"
    return model.modalities[0]


def _blind(choice: ServerChoice, model: Model, requirements: Requirements, chat: str) -> str | None:
    """Return why the model can be shown no picture, with one that can; None where it may see."""
    if choice.kind == "child" and model.sees and not may_see(chat):
        return (
            "The chat model of the local engine sees no pictures; "
            f"{LIVE_3_8.title} does (--server gemini), and so do many behind an endpoint "
            '(`chat = "openai:URL#MODEL"` under [engine]) or with a projector (`live-cli models`).'
        )
    return blindness(model, requirements)


def _refuse(
    choice: ServerChoice, model: Model, requirements: Requirements, blind: str | None
) -> None:
    said = refusals(model, requirements)
    if requirements.sees and blind is not None and blind not in said:
        said.append(blind)
    if said:
        raise SettingsError(" ".join(said))


def _refuse_together(
    model: Model, session: SessionSettings, verb: Verb, spoken_reply: bool, modality: str
) -> None:
    """Refuse settings that exclude each other, or lack what the model needs."""
    if model.language == "target" and session.language is None:
        raise SettingsError(f"{model.id} needs the language to translate to: --language CODE.")
    if spoken_reply and session.modality == "text":
        raise SettingsError("--output keeps speech, --modality text has none: leave one away.")
    silent = verb == "text" and modality == "AUDIO" and not spoken_reply
    if silent and not session.output_transcript:
        raise SettingsError(
            f"{model.id} answers in speech, and --no-output-transcript leaves nothing to print: "
            "leave it away, or keep the speech with --output FILE."
        )
    if session.thinking_budget is not None and session.thinking_level is not None:
        raise SettingsError("--thinking-budget and --thinking-level exclude each other.")


def _api_version(session: SessionSettings, model: Model) -> str:
    """Return v1alpha for what Gemini has only there: affective dialog and the proactive flag."""
    flagged = session.affective or (session.proactive and model.proactive != "always")
    alpha = flagged and model.server == "gemini"
    if alpha and session.api_version not in (None, "v1alpha"):
        feature = "--affective" if session.affective else "--proactive"
        raise SettingsError(f"{feature} needs v1alpha: leave --api-version away.")
    return session.api_version or ("v1alpha" if alpha else "v1beta")


# --- the languages of the child ----------------------------------------------------------------


def _engine_in(
    language: str | None, engine: EngineSettings, needs: tuple[Stage, ...]
) -> tuple[EngineSettings, list[str]]:
    """Return the engine with the backends of ``language``, and what a person should know of it.

    Raises SettingsError for a language that is to be heard and that nothing here hears.
    """
    if language is None or language_base(language) == "en":
        return engine, []
    there, name = LocalLanguages(engine.transcriber, engine.synthesizer), language_name(language)
    said = []
    hearing, speaking = there.hearing(language), there.speaking(language)
    if Stage.TRANSCRIBER in needs and hearing is None:
        raise SettingsError(not_heard(language))
    if Stage.SYNTHESIZER in needs and speaking is None:
        way = way_to_speak(language)
        said.append(
            f"No voice here speaks {name}: the answers are written alone."
            + (f" For one: {way}." if way else "")
        )
    if Stage.CHAT in needs and language != AUTO_LANGUAGE and writes_english_only(engine.chat):
        said.append(f"The bundled chat model knows no {name}; a better one: live-cli models.")
    return (
        replace(
            engine,
            transcriber=hearing or engine.transcriber,
            synthesizer=speaking or engine.synthesizer,
        ),
        said,
    )


def _latin_voice(language: str | None, synthesizer: str | None) -> bool:
    """Return whether Latin letters are all that is spoken, as far as that is known beforehand."""
    english = language is None or language_base(language) == "en"
    if synthesizer is None or language == AUTO_LANGUAGE:
        return english
    base = language_base(language) if language else "en"
    return synthesizer.partition(":")[0] in LATIN_VOICES and base not in _OTHER_SCRIPTS


# --- the child ---------------------------------------------------------------------------------


def _needs(verb: Verb, modality: str) -> tuple[Stage, ...]:
    if verb == "transcribe":
        return (Stage.TRANSCRIBER,)
    transcriber = (Stage.TRANSCRIBER,) if verb == "talk" else ()
    synthesizer = (Stage.SYNTHESIZER,) if modality == "AUDIO" else ()
    return (*transcriber, Stage.CHAT, *synthesizer)


def _child_args(engine: EngineSettings, needs: tuple[Stage, ...]) -> tuple[str, ...]:
    """Return the child's command line: the stages to load ahead, and the backend of each."""
    named = {
        "needs": ",".join(stage.value for stage in needs),
        **{stage.value: getattr(engine, stage.value) for stage in Stage},
        "barge_in": engine.barge_in,
        "denoise": engine.denoise,
        "device": engine.device,
        "threads": str(engine.threads),
        "voices": ",".join(engine.voices),
    }
    return tuple(f"--{name}={value}" for name, value in named.items())


def _child_variables(engine: EngineSettings, needs: tuple[Stage, ...]) -> tuple[str, ...]:
    backends = (find_backend(stage, getattr(engine, stage.value))[0] for stage in needs)
    return tuple(name for backend in backends if backend for name in backend.variables)
