"""What a setup asks of the local engine: every option honoured or refused. Pure.

Reasons are for the person who set the option; the server cuts them at 123 bytes.
"""

from dataclasses import dataclass, field

from live_cli.catalog import LOCAL, NATIVE_AUDIO_2_5
from live_cli.engine.endpointer import EndpointingRules
from live_cli.engine.families import NEUTRAL, Family, find_family
from live_cli.engine.prosody import STYLE as AFFECTIVE_STYLE
from live_cli.engine.sight import (
    ALL_INPUT,
    ONLY_ACTIVITY,
    Resolution,
    coverage_of,
    resolution_of,
)
from live_cli.engine.stages import Sampling, VoiceTraits
from live_cli.engine.tools import Toolbox, toolbox_of
from live_cli.engine.voices import traits_of
from live_cli.errors import UnsupportedError
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    GenerationConfig,
    ProactivityConfig,
    RealtimeInputConfig,
    Setup,
    SpeechConfig,
    ThinkingConfig,
)

_DIALECT = Dialect()
AUDIO, TEXT = "AUDIO", "TEXT"

SPOKEN_STYLE = (
    "You are a friendly assistant in a spoken conversation. Answer in English, in one or two "
    "short sentences, without lists."
)
"""Stands before the user's own system instruction in sessions that answer by voice."""

_START_THRESHOLD = {"START_SENSITIVITY_HIGH": 0.5, "START_SENSITIVITY_LOW": 0.7}
_END_THRESHOLD = {"END_SENSITIVITY_HIGH": 0.35, "END_SENSITIVITY_LOW": 0.15}
_LEVEL_BUDGET: dict[str, int | None] = {"MINIMAL": 0, "LOW": 256, "MEDIUM": 1024, "HIGH": None}
_NOT_FOUND = 1008
_CONVERSING_SILENCE_MS = 500
_TRANSCRIBING_SILENCE_MS = 1500
"""Nobody waits for an answer, and a transcriber that hears whole paragraphs errs less: of the
opening of A Tale of Two Cities 9.2 % of the words are wrong at 500 ms, 1.7 % at 1500."""
_LONGEST_KNOB_MS = 60_000


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """One setup, understood."""

    model: str
    modality: str = AUDIO
    system: str = ""
    voice: VoiceTraits = field(default_factory=VoiceTraits)
    sampling: Sampling = field(default_factory=Sampling)
    include_thoughts: bool = False
    endpointing: EndpointingRules = field(default_factory=EndpointingRules)
    manual_activity: bool = False
    interrupts: bool = True
    coverage: str = ONLY_ACTIVITY
    resolution: Resolution = field(default_factory=Resolution)
    affective: bool = False
    proactive: bool = False
    input_transcripts: bool = False
    output_transcripts: bool = False
    voice_signals: bool = False
    history_first: bool = False
    resumable: bool = False
    handle: str | None = None
    trigger_tokens: int | None = None
    target_tokens: int | None = None
    transcribes_only: bool = False
    toolbox: Toolbox = field(default_factory=Toolbox)
    family: Family = NEUTRAL

    @property
    def speaks(self) -> bool:
        return self.modality == AUDIO

    @property
    def all_input(self) -> bool:
        """Whether what is said outside an activity belongs to the turn."""
        return self.coverage == ALL_INPUT


def options_of(
    setup: Setup, dialect: Dialect = _DIALECT, *, endpoint_chat: bool = False
) -> SessionOptions:
    """Read ``setup``, said in ``dialect``.

    Raises UnsupportedError for the first thing this engine does not do.

    ``endpoint_chat``: the chat model is an endpoint, which may know more languages than English.
    """
    family = _family_of(setup.model, dialect)
    model = family.model.id
    transcribes_only = family.model.transcribes_only
    generation = setup.generation_config or GenerationConfig()
    modality = _modality_of(generation, model, transcribes_only)
    _refuse_what_is_not_here(setup, generation)
    speech = generation.speech_config or SpeechConfig()
    if not family.any_language and not (endpoint_chat and modality == TEXT):
        _require_english(speech.language_code)
    for asked in (setup.input_audio_transcription, setup.output_audio_transcription):
        _check_transcription(asked)
    realtime = setup.realtime_input_config or RealtimeInputConfig()
    detection = realtime.automatic_activity_detection or AutomaticActivityDetection()
    compression = setup.context_window_compression
    window = compression.sliding_window if compression else None
    own = setup.system_instruction.text if setup.system_instruction else ""
    affective = _affective(generation, family)
    return SessionOptions(
        model=model,
        modality=modality,
        system=system_prompt(own, modality, affective=affective),
        voice=_voice_of(speech),
        sampling=_sampling_of(generation, modality),
        include_thoughts=bool(_thinking(generation).include_thoughts),
        endpointing=_endpointing_of(
            detection, _TRANSCRIBING_SILENCE_MS if transcribes_only else _CONVERSING_SILENCE_MS
        ),
        manual_activity=bool(detection.disabled),
        interrupts=realtime.activity_handling != "NO_INTERRUPTION",
        coverage=coverage_of(realtime.turn_coverage, family.default_turn_coverage),
        resolution=resolution_of(generation.media_resolution),
        affective=affective,
        proactive=_proactive(setup, family),
        input_transcripts=transcribes_only or setup.input_audio_transcription is not None,
        output_transcripts=setup.output_audio_transcription is not None,
        voice_signals=bool(setup.explicit_vad_signal),
        history_first=bool(
            setup.history_config and setup.history_config.initial_history_in_client_content
        ),
        resumable=setup.session_resumption is not None,
        handle=setup.session_resumption.handle if setup.session_resumption else None,
        trigger_tokens=compression.trigger_tokens if compression else None,
        target_tokens=window.target_tokens if window else None,
        transcribes_only=transcribes_only,
        toolbox=toolbox_of(setup.tools, family),
        family=family,
    )


def system_prompt(own: str, modality: str, *, affective: bool = False) -> str:
    """The user's instruction, after a word on style where the answer is spoken.

    ``affective``: and a word on the lines that tell how the user sounds.
    """
    styles = [SPOKEN_STYLE] if modality == AUDIO else []
    styles += [AFFECTIVE_STYLE] if affective else []
    return "\n".join([*styles, own]).strip() if styles else own


def _family_of(name: str, dialect: Dialect) -> Family:
    family = find_family(name)
    if family is not None:
        return family
    model = name.rsplit("/", 1)[-1]
    if dialect.vertex:
        raise UnsupportedError(f"Publisher model {model[:60]} was not found", _NOT_FOUND)
    raise UnsupportedError(
        f"models/{model[:60]} is not found for API version {dialect.api_version}, or is not "
        "supported for bidiGenerateContent. Call ListModels to see the list of available models.",
        _NOT_FOUND,
    )


def _modality_of(generation: GenerationConfig, model: str, transcribes_only: bool) -> str:
    asked = generation.response_modalities or ([TEXT] if transcribes_only else [AUDIO])
    modality = asked[0]
    refused = len(set(asked)) > 1 or modality not in (AUDIO, TEXT)
    if refused or (transcribes_only and modality == AUDIO):
        raise UnsupportedError(
            f"The requested combination of response modalities ({', '.join(asked)}) "
            f"is not supported by the model {model}"
        )
    return modality


def _refuse_what_is_not_here(setup: Setup, generation: GenerationConfig) -> None:
    speech = generation.speech_config or SpeechConfig()
    voice = speech.voice_config
    resumption = setup.session_resumption
    refusals = {
        "A transcription model calls no functions.": setup.tools and "transcribe" in setup.model,
        "The local engine does not translate.": generation.translation_config,
        "The local engine cannot copy a voice: choose one of the 30.": voice
        and (voice.replicated_voice_config or voice.voice),
        "The local engine speaks with one voice a session.": speech.multi_speaker_voice_config,
        "The local engine gives one candidate.": (generation.candidate_count or 1) > 1,
        "The local engine takes no prefixTurns: send them as clientContent.": setup.prefix_turns,
        "Transparent resumption is not supported: leave out `transparent`.": resumption
        and resumption.transparent,
    }
    for reason, asked in refusals.items():
        if asked:
            raise UnsupportedError(reason)


def _affective(generation: GenerationConfig, family: Family) -> bool:
    asked = bool(generation.enable_affective_dialog)
    if asked and not family.model.affective:
        raise UnsupportedError(
            f"{family.model.id[:40]} has no affective dialog: "
            f"{LOCAL.id} and {NATIVE_AUDIO_2_5.id} have."
        )
    return asked


def _proactive(setup: Setup, family: Family) -> bool:
    """Whether it may stay silent. Video asks for the same: what is shown prompts no words here."""
    wish = setup.proactivity or ProactivityConfig()
    asked = bool(wish.proactive_audio or wish.proactive_video)
    if asked and family.model.proactive == "no":
        raise UnsupportedError(
            f"{family.model.id[:40]} has no proactive audio: "
            f"{LOCAL.id} and {NATIVE_AUDIO_2_5.id} have."
        )
    return asked


def _check_transcription(asked: AudioTranscriptionConfig | None) -> None:
    if asked is None:
        return
    refusals = {
        "The local transcriber gives no word timestamps.": asked.word_timestamp,
        "The local transcriber does not tell speakers apart.": asked.diarization,
        "The local transcriber takes no vocabulary.": asked.custom_vocabulary
        or asked.adaptation_phrases,
        "The local transcriber writes what is said: mode SMART is not supported.": asked.mode
        == "SMART",
    }
    for reason, wanted in refusals.items():
        if wanted:
            raise UnsupportedError(reason)
    for code in asked.language_codes or ():
        _require_english(code)


def _require_english(code: str | None) -> None:
    if code and code.replace("_", "-").split("-")[0].lower() != "en":
        raise UnsupportedError(
            f"The bundled engine hears and speaks English only, not {code[:20]!r}: "
            "use Gemini for other languages."
        )


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
    """0 off, n a cap, None the model's own way. Left open, a voice does not make people wait."""
    if thinking.thinking_budget is not None:
        return None if thinking.thinking_budget < 0 else thinking.thinking_budget
    if thinking.thinking_level is not None:
        level = thinking.thinking_level.removeprefix("THINKING_LEVEL_")
        if level not in _LEVEL_BUDGET:
            raise UnsupportedError(
                f"Thinking level {level[:20]!r} is not known: MINIMAL, LOW, MEDIUM or HIGH."
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
        prefix_padding_ms=_knob(
            "prefixPaddingMs", detection.prefix_padding_ms, default.prefix_padding_ms
        ),
        silence_ms=_knob("silenceDurationMs", detection.silence_duration_ms, default_silence_ms),
    )


def _threshold(sensitivity: str | None, table: dict[str, float], default: float) -> float:
    if sensitivity is None or sensitivity.endswith("_UNSPECIFIED"):
        return default
    if sensitivity not in table:
        raise UnsupportedError(
            f"Sensitivity {sensitivity[:40]!r} is not known: {' or '.join(table)}."
        )
    return table[sensitivity]


def _knob(name: str, value: int | None, default: int) -> int:
    if value is None:
        return default
    if not 0 <= value <= _LONGEST_KNOB_MS:
        raise UnsupportedError(f"{name} must lie between 0 and {_LONGEST_KNOB_MS} ms, not {value}.")
    return value
