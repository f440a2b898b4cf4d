"""The schedule of interim transcriptions, the text so far of speech that goes on. Pure.

An interim transcription starts at the beginning of the open segment, so it is dear: at most one a
second, and none while audio comes faster than real time, from a file, whose final text comes soon.
"""

EVERY_S = 1.0
_AHEAD_S = 1.0
"""How far live audio may be ahead of the time that has passed: clients send in bursts."""


class InterimSchedule:
    """The schedule of one stream; ``now`` is in seconds on any steady clock."""

    def __init__(self) -> None:
        self._began_at: float | None = None
        self._audio_s = 0.0
        self._last_at: float | None = None

    def push(self, seconds: float, now: float) -> None:
        """``seconds`` of audio came."""
        if self._began_at is None or now - self._began_at > self._audio_s:
            # the first audio, or audio after a pause of the sender, which is no lead
            self._began_at, self._audio_s = now, 0.0
        self._audio_s += seconds
        if self._last_at is None:
            self._last_at = now  # too early to tell how fast the audio comes

    def is_due(self, now: float) -> bool:
        """Whether an interim transcription is due; a True is counted as one sent at ``now``."""
        if self._began_at is None or self._last_at is None or now - self._last_at < EVERY_S:
            return False
        if self._audio_s - (now - self._began_at) > _AHEAD_S:
            return False
        self._last_at = now
        return True
