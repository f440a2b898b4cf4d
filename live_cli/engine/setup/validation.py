"""Refusals of setups: what the model's family, or this engine, does not do. Pure.

Where the reference quotes the service (§4, §5, §6), close code and wording are the service's; the
other sentences are this project's own. The API version decides which fields exist: a field that the
version does not have is an unknown name, whatever the model.
"""

import logging
from collections.abc import Iterator

from live_cli.catalog import (
    AUTO_LANGUAGE,
    HALF_CASCADE_2_5,
    LOCAL,
    NATIVE_AUDIO_2_5,
    find_language,
    find_voice,
    language_base,
)
from live_cli.engine.languages import LocalLanguages, not_heard
from live_cli.engine.setup.families import INVALID, Family, find_family
from live_cli.errors import UnsupportedError
from live_cli.protocol.dialect import Dialect
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    ContextWindowCompressionConfig,
    GenerationConfig,
    Setup,
    SpeechConfig,
    ThinkingConfig,
)

_log = logging.getLogger("live_cli.serve.engine")

AUDIO, TEXT = "AUDIO", "TEXT"
_NOT_FOUND = 1008
_INT32 = 2**31 - 1
_MOST_CODES = 100
"""More languages than any family has; each that is not spoken here is a line in the log."""
_IN_THE_GUIDE = (HALF_CASCADE_2_5.id,)
"""Models that Google has ended, and the capabilities guide has its programs for."""


def family_of(name: str, dialect: Dialect, *, strict: bool = False) -> Family:
    """Return the family of the model ``name``. Raises UnsupportedError 1008 for no Live model.

    ``strict``: a model that Google has ended is none, but for those of the guide.
    """
    family = find_family(name)
    ended = family.model.ended if family else None
    if family is not None and not (ended and strict and family.model.id not in _IN_THE_GUIDE):
        if ended:
            _log.warning(
                "%s was ended by Google on %s, it is answered as %s",
                *(family.model.id, ended, family.model.title),
            )
        return family
    model = name.rsplit("/", 1)[-1]
    if dialect.vertex:
        raise UnsupportedError(f"Publisher model {model[:60]} was not found", _NOT_FOUND)
    raise UnsupportedError(
        f"models/{model[:60]} is not found for API version {dialect.api_version}, or is not "
        "supported for bidiGenerateContent. Call ListModels to see the list of available models.",
        _NOT_FOUND,
    )


def check_setup(setup: Setup, family: Family, dialect: Dialect, languages: LocalLanguages) -> None:
    """Raise UnsupportedError for the first option that ``family`` or this engine refuses."""
    generation = setup.generation_config or GenerationConfig()
    _check_fields(setup, generation, family, dialect)
    _check_affective(generation, family)
    modality_of(generation, family)
    _check_ranges(generation)
    _check_thinking(generation.thinking_config, family)
    _check_proactive(setup, family)
    for reason, asked in _unsupported(setup, generation, family):
        if asked:
            raise UnsupportedError(reason)
    if dialect.vertex:
        _check_compression(setup.context_window_compression)
    speech = generation.speech_config or SpeechConfig()
    _check_voice(speech, family)
    _check_language(speech.language_code, family)
    language = language_of(setup, family, languages)
    _check_heard(setup, family, language, languages)
    for transcription in (
        setup.input_audio_transcription,
        setup.output_audio_transcription,
        generation.audio_transcription_config,
    ):
        _check_transcription(transcription, family)
    _log_without_effect(setup, generation)


def modality_of(generation: GenerationConfig, family: Family) -> str:
    """Return AUDIO or TEXT. Raises UnsupportedError for two, and for one the model lacks."""
    model = family.model
    asked = [name for name in generation.response_modalities or () if name] or [model.modalities[0]]
    if len(set(asked)) == 1 and asked[0] in model.modalities:
        return asked[0]
    if asked == [TEXT] and family.refuses_text:
        code, reason = family.refuses_text
        raise UnsupportedError(reason, code)
    raise UnsupportedError(
        f"The requested combination of response modalities ({', '.join(asked)}) "
        f"is not supported by the model {model.id}"
    )


def _check_fields(
    setup: Setup, generation: GenerationConfig, family: Family, dialect: Dialect
) -> None:
    """Refuse fields that the API version does not have, whatever the model does with them (§9).

    That the models since 3.1 know affective dialog in every version, if only to refuse it, is an
    observation on the service.
    """
    early = not (family.is_local or dialect.vertex or dialect.api_version == "v1alpha")
    unknown = {
        ("proactivity", "setup"): early and setup.proactivity is not None,
        ("enable_affective_dialog", "setup.generation_config"): early
        and not family.refuses_affective
        and generation.enable_affective_dialog is not None,
        ("transparent", "setup.session_resumption"): setup.session_resumption is not None
        and setup.session_resumption.transparent
        and not dialect.vertex,
        ("explicit_vad_signal", "setup"): setup.explicit_vad_signal
        and not (dialect.vertex or family.is_local),
    }
    for (name, parent), asked in unknown.items():
        if asked:
            raise UnsupportedError(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{parent}': "
                "Cannot find field."
            )


def _check_ranges(generation: GenerationConfig) -> None:
    """Refuse sampling numbers out of range, which a chat model would refuse only later."""
    thinking = generation.thinking_config or ThinkingConfig()
    for name, value, least, most in (
        ("temperature", generation.temperature, 0, 2),
        ("topP", generation.top_p, 0, 1),
        ("topK", generation.top_k, 0, _INT32),
        ("maxOutputTokens", generation.max_output_tokens, 1, _INT32),
        ("presencePenalty", generation.presence_penalty, -2, 2),
        ("frequencyPenalty", generation.frequency_penalty, -2, 2),
        ("thinkingBudget", thinking.thinking_budget, -1, _INT32),
    ):
        if value is not None and not least <= value <= most:
            raise UnsupportedError(f"{name} must lie between {least} and {most}, not {value:g}.")


def _check_thinking(asked: ThinkingConfig | None, family: Family) -> None:
    model = family.model
    name = model.id[:40]
    given = asked or ThinkingConfig()
    level = (given.thinking_level or "").removeprefix("THINKING_LEVEL_").lower()
    level = level.removeprefix("unspecified")
    if model.thinking == "none" and family.any_language and given != ThinkingConfig():
        raise UnsupportedError(f"{name} takes no thinkingConfig: leave it out.")
    if family.needs_thinking and not level and given.thinking_budget is None:
        raise UnsupportedError("Thinking level must be specified for this model")
    if model.thinking == "level" and given.thinking_budget is not None:
        raise UnsupportedError(f"{name} takes a thinkingLevel, no thinkingBudget.")
    if model.thinking == "budget" and level:
        raise UnsupportedError(f"{name} takes a thinkingBudget, no thinkingLevel.")
    if level and model.thinking_levels and level not in model.thinking_levels:
        raise UnsupportedError(
            f"{name} has no thinking level {level[:20]!r}: {', '.join(model.thinking_levels)}."
        )


def _check_proactive(setup: Setup, family: Family) -> None:
    """Refuse False where proactive audio is always on (§4.12); every model takes the field."""
    asked = setup.proactivity
    if asked is None:
        return
    if family.proactive == "always" and asked.proactive_audio is False:
        raise UnsupportedError(INVALID)
    if family.proactive == "no" and (asked.proactive_audio or asked.proactive_video):
        _log.warning("ignored, %s has no proactive audio", family.model.id)


def _check_affective(generation: GenerationConfig, family: Family) -> None:
    """Refuse affective dialog where the family does so at once (§9)."""
    if not generation.enable_affective_dialog or family.affective != "no":
        return
    if family.refuses_affective == "setup":
        raise UnsupportedError(INVALID)
    if not family.refuses_affective:
        raise UnsupportedError(
            f"{family.model.id[:40]} has no affective dialog: "
            f"{LOCAL.id} and {NATIVE_AUDIO_2_5.id} have."
        )


def refuses_input(generation: GenerationConfig, family: Family, dialect: Dialect) -> bool:
    """Return whether the session opens, and its first input is an invalid argument (§9).

    On Vertex affective dialog is built into the models that do so: there is nothing to refuse.
    """
    asked = bool(generation.enable_affective_dialog)
    return asked and family.refuses_affective == "input" and not dialect.vertex


def _check_compression(asked: ContextWindowCompressionConfig | None) -> None:
    """Refuse numbers of tokens outside of Vertex's ranges (reference §4.7)."""
    window = asked.sliding_window if asked else None
    trigger = asked.trigger_tokens if asked else None
    target = window.target_tokens if window else None
    if not 5_000 <= (5_000 if trigger is None else trigger) <= 128_000:
        raise UnsupportedError(f"triggerTokens must lie between 5000 and 128000, not {trigger}.")
    if not 0 <= (target or 0) <= 128_000:
        raise UnsupportedError(f"targetTokens must lie between 0 and 128000, not {target}.")


def _unsupported(
    setup: Setup, generation: GenerationConfig, family: Family
) -> Iterator[tuple[str, object]]:
    speech = generation.speech_config or SpeechConfig()
    voice = speech.voice_config
    resumption = setup.session_resumption
    yield "A transcription model calls no functions.", setup.tools and family.model.transcribes_only
    yield (
        "The local engine does not translate.",
        generation.translation_config or family.model.translates_only,
    )
    yield (
        "The local engine cannot copy a voice: choose one of the 30.",
        voice and (voice.replicated_voice_config or voice.voice),
    )
    yield (
        "The local engine speaks with one voice a session.",
        speech.multi_speaker_voice_config and not family.ignores_speakers,
    )
    yield "The local engine gives one candidate.", (generation.candidate_count or 1) > 1
    yield (
        "The local engine takes no prefixTurns: send them as clientContent.",
        setup.prefix_turns,
    )
    yield (
        "Transparent resumption is not supported: leave out `transparent`.",
        resumption and resumption.transparent,
    )


_WITHOUT_EFFECT = (
    *("stop_sequences", "response_format", "response_mime_type", "response_schema"),
    *("response_json_schema", "response_logprobs", "logprobs", "audio_timestamp"),
    *("routing_config", "model_selection_config", "enable_enhanced_civic_answers"),
    *("safety_settings", "avatar_config", "multi_speaker_voice_config"),
)
"""Options that a setup may name and this engine does not have; the Live API ignores most of them
too (reference §2.2)."""


def _log_without_effect(setup: Setup, generation: GenerationConfig) -> None:
    places = (generation, setup, generation.speech_config)
    given = (
        name for name in _WITHOUT_EFFECT if any(getattr(place, name, None) for place in places)
    )
    if names := ", ".join(given):
        _log.warning("ignored, it has no effect here: %s", names)


def _check_voice(speech: SpeechConfig, family: Family) -> None:
    """Refuse a voice that the family lacks; `voices.traits_of` refuses names that no family has."""
    prebuilt = speech.voice_config.prebuilt_voice_config if speech.voice_config else None
    name = find_voice((prebuilt.voice_name if prebuilt else None) or "")
    voices = family.model.voices
    if name is not None and voices and name not in voices:
        raise UnsupportedError(f"{family.model.id[:40]} has no voice {name}: {', '.join(voices)}.")


def language_of(setup: Setup, family: Family, languages: LocalLanguages) -> str | None:
    """Return the code of the language to hear and speak; "auto" to listen for it; None: unset.

    What a family of Gemini's accepts and nothing here hears is told in the log, and left.
    """
    generation = setup.generation_config or GenerationConfig()
    asked = (generation.speech_config or SpeechConfig()).language_code
    transcription = setup.input_audio_transcription or AudioTranscriptionConfig()
    codes = [code for code in transcription.language_codes or () if code]
    if not asked and codes:
        asked = codes[0] if len(codes) == 1 else AUTO_LANGUAGE
    if not asked:
        return None
    base = language_base(asked)
    if family.any_language and languages.hearing(base) is None:
        _log.warning("language %s is taken, but nothing here hears it", base[:20])
        return None
    return base


def _check_language(code: str | None, family: Family) -> None:
    """Refuse a language that the family lacks; native audio accepts all it lists (§2.2)."""
    if not code or (code == AUTO_LANGUAGE and not family.any_language):
        return
    known = (find_language(code) or "").partition("-")[0]
    if known and (known in family.languages or not family.any_language):
        return
    raise UnsupportedError(
        f"Unsupported language code {code[:20]!r} for model {family.model.id[:50]}"
    )


def _check_heard(
    setup: Setup, family: Family, language: str | None, languages: LocalLanguages
) -> None:
    """Refuse to listen to a language that nothing here hears; who types is not listened to."""
    listens = family.model.transcribes_only or bool(
        setup.realtime_input_config or setup.input_audio_transcription
    )
    if listens and language and languages.hearing(language) is None:
        raise UnsupportedError(not_heard(language))


def _check_transcription(asked: AudioTranscriptionConfig | None, family: Family) -> None:
    if asked is None:
        return
    refusals = {
        "Word timestamps are for transcription models.": asked.word_timestamp
        and not family.model.transcribes_only,
        "The local transcriber does not tell speakers apart.": asked.diarization,
        "The local transcriber takes no vocabulary.": asked.custom_vocabulary
        or asked.adaptation_phrases,
        "The local transcriber writes what is said: mode SMART is not supported.": asked.mode
        == "SMART",
    }
    for reason, wanted in refusals.items():
        if wanted:
            raise UnsupportedError(reason)
    codes = set(asked.language_codes or ())
    if len(codes) > _MOST_CODES:
        raise UnsupportedError(f"A transcription takes {_MOST_CODES} languages, not {len(codes)}.")
    for code in sorted(codes):
        _check_language(code, family)
