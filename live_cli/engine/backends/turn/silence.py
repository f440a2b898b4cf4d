"""The turn detector that judges nothing: silence alone ends a turn."""

from live_cli.audio.pcm import Samples


class SilenceTurnDetector:
    """Leaves the end of a turn to the rules of the endpointer."""

    def probability(self, samples: Samples) -> float | None:
        """Return None."""
        return None
