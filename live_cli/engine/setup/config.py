"""A setup message turned into the config of a session: every option honoured or refused. Pure.

The reason of a refusal is for the person who set the option; the server cuts it at 123 bytes.
"""

from dataclasses import dataclass, field, replace

from live_cli.catalog import AUTO_LANGUAGE, language_name
from live_cli.engine.languages import LocalLanguages
from live_cli.engine.setup.families import NEUTRAL, Family
from live_cli.engine.setup.media import (
    ALL_INPUT,
    ONLY_ACTIVITY,
    Resolution,
    coverage_of,
    resolution_of,
)
from live_cli.engine.setup.toolbox import Toolbox, toolbox_of
from live_cli.engine.setup.validation import (
    AUDIO,
    check_setup,
    family_of,
    language_of,
    modality_of,
    refuses_input,
)
from live_cli.engine.setup.voices import traits_of
from live_cli.engine.speech_in.end_of_turn import UNJUDGED_MS
from live_cli.engine.speech_in.endpointer import EARLY_PAUSE_MS, PAUSE_MS, EndpointingRules
from live_cli.engine.stages import Sampling, VoiceTraits
from live_cli.errors import UnsupportedError
from live_cli.fair_share import OWNER
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.messages import (
    AutomaticActivityDetection,
    Content,
    ContextWindowCompressionConfig,
    GenerationConfig,
    ProactivityConfig,
    RealtimeInputConfig,
    Setup,
    SpeechConfig,
    ThinkingConfig,
)

_DIALECT = Dialect()
_ANY_LANGUAGES = LocalLanguages()

_SPOKEN_STYLE = (
    "You are a friendly assistant in a spoken conversation. Answer in {}, in one or two "
    "short sentences, without lists."
)

AFFECTIVE_STYLE = (
    "A line in parentheses after the user's words tells how the user sounds. "
    "Answer in a tone that fits it, and never mention that line."
)
"""Stands in the system instruction of sessions with affective dialog (`conversation.cues`)."""

_START_THRESHOLD = {"START_SENSITIVITY_HIGH": 0.5, "START_SENSITIVITY_LOW": 0.7}
_END_THRESHOLD = {"END_SENSITIVITY_HIGH": 0.35, "END_SENSITIVITY_LOW": 0.15}
_LEVEL_BUDGET: dict[str, int | None] = {
    "MINIMAL": 0,
    "LOW": 256,
    "MEDIUM": 1024,
    "HIGH": None,
    "XHIGH": None,
}
_CONVERSING_SILENCE_MS = 500
_TRANSCRIBING_SILENCE_MS = 1500
"""A transcription has time, and a transcriber errs less over whole paragraphs: of the beginning of
A Tale of Two Cities 9.2 % of the words are wrong at 500 ms of silence, 1.7 % at 1500 ms."""
_LONGEST_MS = 60_000


def spoken_style(language: str | None, *, listens: bool = False) -> str:
    """Return what precedes the client's own system instruction where the model answers by voice.

    ``language``: a code; ``listens``: it is listened for where none is chosen.
    """
    chosen = None if language == AUTO_LANGUAGE else language
    if chosen is None and (listens or language == AUTO_LANGUAGE):
        return _SPOKEN_STYLE.format("the language that the user speaks")
    return _SPOKEN_STYLE.format(language_name(chosen or "en"))


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """The wishes of one setup to the local engine, with all defaults filled in, and whose they are.

    ``modality``: AUDIO or TEXT. ``system``: the whole system prompt of the chat model.
    ``endpointing``: rules of voice activity detection. ``semantic_end``: the turn detector judges
    whether a pause ends the turn; else the silence of these rules does. ``barge_in_by_words``: what
    is said over an answer decides whether it ends; else any voice ends it. ``manual_activity``: the
    client marks activities itself. ``interrupts``: new input interrupts the answer. ``coverage``:
    which audio and video belongs to a turn. ``history_first``: the first clientContent is history
    alone. ``handle``: the resumption handle to go on from. ``trigger_tokens`` and
    ``target_tokens``: of context window compression, billed. ``longest_audio_s``: seconds of audio
    that a session takes, None for no limit. ``vertex``: the client speaks Vertex AI's dialect.
    ``refuses_input``: the first input ends the session. ``principal``: whose the session is, by an
    opaque name. ``language``: the code to hear and speak, without a region; "auto" listens for it,
    None is as the engine is set up. ``style``: what precedes a system instruction that is spoken.
    """

    modality: str = AUDIO
    system: str = ""
    voice: VoiceTraits = field(default_factory=VoiceTraits)
    sampling: Sampling = field(default_factory=Sampling)
    include_thoughts: bool = False
    endpointing: EndpointingRules = field(default_factory=EndpointingRules)
    semantic_end: bool = False
    barge_in_by_words: bool = False
    manual_activity: bool = False
    interrupts: bool = True
    coverage: str = ONLY_ACTIVITY
    resolution: Resolution = field(default_factory=Resolution)
    affective: bool = False
    proactive: bool = False
    input_transcripts: bool = False
    output_transcripts: bool = False
    word_times: bool = False
    voice_signals: bool = False
    history_first: bool = False
    resumable: bool = False
    handle: str | None = None
    trigger_tokens: int | None = None
    target_tokens: int | None = None
    longest_audio_s: float | None = None
    toolbox: Toolbox = field(default_factory=Toolbox)
    family: Family = NEUTRAL
    vertex: bool = False
    refuses_input: bool = False
    principal: str = OWNER
    language: str | None = None
    style: str = ""

    @property
    def chosen(self) -> str | None:
        """The code of the language, where it is not listened for."""
        return None if self.language == AUTO_LANGUAGE else self.language

    @property
    def model(self) -> str:
        """The model's id as the client wrote it, without a path."""
        return self.family.model.id

    @property
    def transcribes_only(self) -> bool:
        return self.family.model.transcribes_only

    @property
    def speaks(self) -> bool:
        return self.modality == AUDIO

    @property
    def ends_turn_with_call(self) -> bool:
        """Return whether a turnComplete follows a toolCall, before its response."""
        return self.family.half_cascade and self.vertex

    @property
    def shows_calls_as_code(self) -> bool:
        """Return whether an executableCode part with a call precedes its toolCall."""
        return self.family.half_cascade and not self.vertex

    @property
    def all_input(self) -> bool:
        """Return whether audio outside of marked activities belongs to the turn."""
        return self.coverage == ALL_INPUT


def session_config_of(
    setup: Setup,
    dialect: Dialect = _DIALECT,
    *,
    strict: bool = False,
    semantic: bool = False,
    by_words: bool = False,
    languages: LocalLanguages = _ANY_LANGUAGES,
) -> SessionConfig:
    """Return the config that ``setup``, written in ``dialect``, asks for.

    ``strict``: a model that Google has ended is not found. ``semantic``: the engine has a turn
    detector, which judges pauses where the client says nothing of silence or end sensitivity.
    ``by_words``: words decide whether a voice over an answer interrupts, unless the client asks for
    high start sensitivity, which is Google's manner.
    ``languages``: what is heard and spoken here.
    Raises UnsupportedError for the first option that the model's family or this engine refuses.
    """
    family = family_of(setup.model, dialect, strict=strict)
    check_setup(setup, family, dialect, languages)
    transcribes_only = family.model.transcribes_only
    generation = setup.generation_config or GenerationConfig()
    modality = modality_of(generation, family)
    speech = generation.speech_config or SpeechConfig()
    own = "" if transcribes_only else (setup.system_instruction or Content()).text
    affective = family.affective != "no" and bool(generation.enable_affective_dialog)
    language = language_of(setup, family, languages)
    style = spoken_style(language, listens=languages.listens)
    config = SessionConfig(
        modality=modality,
        system=system_prompt(own, modality, style, affective=affective),
        language=language,
        style=style,
        voice=_voice_of(speech),
        sampling=_sampling_of(generation, modality),
        include_thoughts=bool(_thinking(generation).include_thoughts),
        resolution=resolution_of(generation.media_resolution),
        affective=affective,
        proactive=_proactive(setup, family),
        input_transcripts=transcribes_only
        or family.tells_unasked
        or setup.input_audio_transcription is not None,
        word_times=_tells_word_times(setup, family),
        output_transcripts=setup.output_audio_transcription is not None,
        history_first=bool(
            setup.history_config and setup.history_config.initial_history_in_client_content
        ),
        resumable=setup.session_resumption is not None,
        handle=setup.session_resumption.handle if setup.session_resumption else None,
        longest_audio_s=family.model.max_audio_s,
        toolbox=toolbox_of(setup.tools, family),
        family=family,
        vertex=dialect.vertex,
        refuses_input=refuses_input(generation, family, dialect),
    )
    config = _with_compression(config, setup.context_window_compression)
    return _with_turn_rules(config, setup, semantic=semantic, by_words=by_words)


def _with_compression(
    config: SessionConfig, compression: ContextWindowCompressionConfig | None
) -> SessionConfig:
    """Return ``config`` with what ``compression`` asks of the context window."""
    if compression is None:
        return config
    window = compression.sliding_window
    return replace(
        config,
        trigger_tokens=_trigger(compression, config.family),
        target_tokens=window.target_tokens if window else None,
    )


def _with_turn_rules(
    config: SessionConfig, setup: Setup, *, semantic: bool, by_words: bool
) -> SessionConfig:
    """Return ``config`` with what ``setup`` asks of when turns begin, end and are cut off."""
    realtime = setup.realtime_input_config or RealtimeInputConfig()
    detection = realtime.automatic_activity_detection or AutomaticActivityDetection()
    semantic = semantic and not config.transcribes_only and _leaves_end_open(detection)
    as_google = detection.start_of_speech_sensitivity == "START_SENSITIVITY_HIGH"
    silence_ms = _silence_ms(semantic=semantic, transcribes_only=config.transcribes_only)
    endpointing = replace(
        _endpointing_of(detection, silence_ms),
        pause_ms=PAUSE_MS if config.transcribes_only else EARLY_PAUSE_MS,
        retells_pauses=semantic,
    )
    return replace(
        config,
        endpointing=endpointing,
        semantic_end=semantic,
        barge_in_by_words=by_words and not as_google,
        manual_activity=bool(detection.disabled),
        interrupts=_interrupts(realtime.activity_handling),
        coverage=coverage_of(realtime.turn_coverage, config.family.default_turn_coverage),
        voice_signals=bool(setup.explicit_vad_signal),
    )


def _tells_word_times(setup: Setup, family: Family) -> bool:
    asked = setup.input_audio_transcription
    return family.model.transcribes_only and asked is not None and bool(asked.word_timestamp)


def system_prompt(own: str, modality: str, style: str, *, affective: bool = False) -> str:
    """Return the client's ``own`` instruction, preceded by ``style`` for AUDIO.

    ``affective``: the prompt also explains the lines that tell how the user sounds.
    """
    styles = [style] if modality == AUDIO else []
    styles += [AFFECTIVE_STYLE] if affective else []
    return "\n".join([*styles, own]).strip() if styles else own


def _proactive(setup: Setup, family: Family) -> bool:
    """Return whether the model may leave an utterance unanswered.

    Proactive video means the same here: this engine never speaks because of an image alone.
    """
    proactivity = setup.proactivity or ProactivityConfig()
    asked = proactivity.proactive_audio or proactivity.proactive_video
    return family.proactive == "always" or bool(asked)


def _interrupts(activity_handling: str | None) -> bool:
    handling = activity_handling or "ACTIVITY_HANDLING_UNSPECIFIED"
    known = {
        "ACTIVITY_HANDLING_UNSPECIFIED": True,
        "START_OF_ACTIVITY_INTERRUPTS": True,
        "NO_INTERRUPTION": False,
    }
    if handling not in known:
        raise UnsupportedError(f"Activity handling {handling[:60]!r} is not known.")
    return known[handling]


def _trigger(compression: ContextWindowCompressionConfig, family: Family) -> int | None:
    """Return the trigger in billed tokens; the default is 80 % of the context (reference §4.7)."""
    context = family.model.context_tokens
    if compression.trigger_tokens is None and context is not None:
        return context * 8 // 10
    return compression.trigger_tokens


def _voice_of(speech: SpeechConfig) -> VoiceTraits:
    prebuilt = speech.voice_config.prebuilt_voice_config if speech.voice_config else None
    return traits_of(prebuilt.voice_name if prebuilt else None)


def _thinking(generation: GenerationConfig) -> ThinkingConfig:
    return generation.thinking_config or ThinkingConfig()


def _sampling_of(generation: GenerationConfig, modality: str) -> Sampling:
    top_k = generation.top_k
    return Sampling(
        max_tokens=generation.max_output_tokens,
        temperature=generation.temperature,
        top_p=generation.top_p,
        top_k=None if top_k is None else int(top_k),
        seed=generation.seed,
        presence_penalty=generation.presence_penalty,
        frequency_penalty=generation.frequency_penalty,
        thinking_budget=_budget_of(_thinking(generation), modality),
    )


def _budget_of(thinking: ThinkingConfig, modality: str) -> int | None:
    """Return a thinking budget: 0 off, n at most n tokens, None as the model likes.

    Where the setup leaves it open, thinking is off in spoken sessions, so that nobody waits.
    """
    if thinking.thinking_budget is not None:
        return None if thinking.thinking_budget < 0 else thinking.thinking_budget
    if thinking.thinking_level is not None:
        level = thinking.thinking_level.removeprefix("THINKING_LEVEL_")
        if level not in _LEVEL_BUDGET:
            raise UnsupportedError(
                f"Thinking level {level[:20]!r} is not known: {', '.join(_LEVEL_BUDGET)}."
            )
        return _LEVEL_BUDGET[level]
    return 0 if modality == AUDIO and not thinking.include_thoughts else None


def _endpointing_of(
    detection: AutomaticActivityDetection, default_silence_ms: int
) -> EndpointingRules:
    default = EndpointingRules()
    return EndpointingRules(
        start_threshold=_threshold(
            detection.start_of_speech_sensitivity, _START_THRESHOLD, default.start_threshold
        ),
        end_threshold=_threshold(
            detection.end_of_speech_sensitivity, _END_THRESHOLD, default.end_threshold
        ),
        prefix_padding_ms=_milliseconds(
            "prefixPaddingMs", detection.prefix_padding_ms, default.prefix_padding_ms
        ),
        silence_ms=_milliseconds(
            "silenceDurationMs", detection.silence_duration_ms, default_silence_ms
        ),
    )


def _silence_ms(*, semantic: bool, transcribes_only: bool) -> int:
    """Return the silence that ends speech where the client names none."""
    if transcribes_only:
        return _TRANSCRIBING_SILENCE_MS
    return UNJUDGED_MS if semantic else _CONVERSING_SILENCE_MS


def _leaves_end_open(detection: AutomaticActivityDetection) -> bool:
    """Return whether the client says nothing of when speech ends; what it says is the law."""
    sensitivity = detection.end_of_speech_sensitivity
    unset = sensitivity is None or sensitivity.endswith("_UNSPECIFIED")
    return unset and detection.silence_duration_ms is None and not detection.disabled


def _threshold(sensitivity: str | None, table: dict[str, float], default: float) -> float:
    if sensitivity is None or sensitivity.endswith("_UNSPECIFIED"):
        return default
    if sensitivity not in table:
        raise UnsupportedError(
            f"Sensitivity {sensitivity[:40]!r} is not known: {' or '.join(table)}."
        )
    return table[sensitivity]


def _milliseconds(name: str, value: int | None, default: int) -> int:
    if value is None:
        return default
    if not 0 <= value <= _LONGEST_MS:
        raise UnsupportedError(f"{name} must lie between 0 and {_LONGEST_MS} ms, not {value}.")
    return value
