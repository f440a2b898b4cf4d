"""The enums of the wire by their numbers, which proto-JSON takes in place of names. Pure.

Keys are a Struct and its field. Source: the .proto files and generated types that Google publishes
(generativelanguage v1beta, aiplatform v1beta1), and, where those are older than a value, the order
of the official SDKs' enums. A field whose numbers are not published is not here.
"""

from typing import Final

from live_cli.protocol.messages import (
    AutomaticActivityDetection,
    CodeExecutionResult,
    ExecutableCode,
    FunctionDeclaration,
    FunctionResponse,
    GenerationConfig,
    Message,
    ModalityTokenCount,
    RealtimeInputConfig,
    ThinkingConfig,
    UsageMetadata,
    VoiceActivity,
    VoiceActivityDetectionSignal,
)

_NAMES: Final[dict[tuple[type[Message], str], str]] = {
    (GenerationConfig, "response_modalities"): "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO VIDEO",
    (GenerationConfig, "media_resolution"): (
        "MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW MEDIA_RESOLUTION_MEDIUM "
        "MEDIA_RESOLUTION_HIGH"
    ),
    (ThinkingConfig, "thinking_level"): "THINKING_LEVEL_UNSPECIFIED LOW MEDIUM HIGH MINIMAL",
    (AutomaticActivityDetection, "start_of_speech_sensitivity"): (
        "START_SENSITIVITY_UNSPECIFIED START_SENSITIVITY_HIGH START_SENSITIVITY_LOW"
    ),
    (AutomaticActivityDetection, "end_of_speech_sensitivity"): (
        "END_SENSITIVITY_UNSPECIFIED END_SENSITIVITY_HIGH END_SENSITIVITY_LOW"
    ),
    (RealtimeInputConfig, "activity_handling"): (
        "ACTIVITY_HANDLING_UNSPECIFIED START_OF_ACTIVITY_INTERRUPTS NO_INTERRUPTION"
    ),
    (RealtimeInputConfig, "turn_coverage"): (
        "TURN_COVERAGE_UNSPECIFIED TURN_INCLUDES_ONLY_ACTIVITY TURN_INCLUDES_ALL_INPUT "
        "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"
    ),
    (FunctionDeclaration, "behavior"): "UNSPECIFIED BLOCKING NON_BLOCKING",
    (FunctionResponse, "scheduling"): "SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT",
    (ExecutableCode, "language"): "LANGUAGE_UNSPECIFIED PYTHON",
    (CodeExecutionResult, "outcome"): (
        "OUTCOME_UNSPECIFIED OUTCOME_OK OUTCOME_FAILED OUTCOME_DEADLINE_EXCEEDED"
    ),
    (VoiceActivity, "type"): "TYPE_UNSPECIFIED ACTIVITY_START ACTIVITY_END",
    (VoiceActivityDetectionSignal, "vad_signal_type"): (
        "VAD_SIGNAL_TYPE_UNSPECIFIED VAD_SIGNAL_TYPE_SOS VAD_SIGNAL_TYPE_EOS"
    ),
    (ModalityTokenCount, "modality"): "MODALITY_UNSPECIFIED TEXT IMAGE VIDEO AUDIO DOCUMENT",
    (UsageMetadata, "traffic_type"): "TRAFFIC_TYPE_UNSPECIFIED ON_DEMAND PROVISIONED_THROUGHPUT",
}

ENUM_NAMES: Final[dict[tuple[type[Message], str], tuple[str, ...]]] = {
    field: tuple(names.split()) for field, names in _NAMES.items()
}
"""The names of an enum field's values; a value's index is its number."""

SCHEMA_TYPES: Final = (
    "TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL",
)  # fmt: skip
"""The types of an OpenAPI schema under ``parameters``, by number."""


def named(value: object, names: tuple[str, ...]) -> object:
    """Return the name of an enum value given by number; one that is not known as its digits.

    All but integers and integral floats is returned as it is.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int:
        return value
    return names[value] if 0 <= value < len(names) else str(value)
