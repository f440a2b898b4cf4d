"""Media settings of a setup: what an image costs, and what belongs to the user's turn. Pure."""

from dataclasses import dataclass

from live_cli.errors import UnsupportedError

ONLY_ACTIVITY = "TURN_INCLUDES_ONLY_ACTIVITY"
ALL_INPUT = "TURN_INCLUDES_ALL_INPUT"
ALL_VIDEO = "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"

_TOKENS = {"LOW": (64, "low"), "MEDIUM": (256, "auto"), "HIGH": (256, "high")}
_DEFAULT_TOKENS = (258, "auto")


@dataclass(frozen=True, slots=True)
class Resolution:
    """Billed ``tokens`` of one image, and the ``detail`` that an endpoint is asked for."""

    tokens: int = _DEFAULT_TOKENS[0]
    detail: str = _DEFAULT_TOKENS[1]


def resolution_of(media_resolution: str | None) -> Resolution:
    """Return the resolution for a value of mediaResolution (reference §4.9).

    Raises UnsupportedError for an unknown value.
    """
    name = (media_resolution or "UNSPECIFIED").upper().removeprefix("MEDIA_RESOLUTION_")
    if name == "UNSPECIFIED":
        return Resolution()
    if name not in _TOKENS:
        raise UnsupportedError(
            f"Media resolution {name[:20]!r} is not known: MEDIA_RESOLUTION_LOW, MEDIUM or HIGH."
        )
    return Resolution(*_TOKENS[name])


def coverage_of(turn_coverage: str | None, default: str) -> str:
    """Return the turn coverage, or ``default`` where it is left open (reference §2.3).

    Raises UnsupportedError for an unknown value.
    """
    if not turn_coverage or turn_coverage == "TURN_COVERAGE_UNSPECIFIED":
        return default
    if turn_coverage not in (ONLY_ACTIVITY, ALL_INPUT, ALL_VIDEO):
        raise UnsupportedError(f"Turn coverage {turn_coverage[:60]!r} is not known.")
    return turn_coverage
