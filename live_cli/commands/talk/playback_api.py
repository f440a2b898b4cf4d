"""The interface between a conversation and the device that plays its answers."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from live_cli.devices.playback import SpeakerSnapshot


class PlaybackDevice(Protocol):
    """A speaker, or a file in its place. Every call returns at once."""

    def play(self, turn: int, pcm16: bytes, sample_rate: int) -> None:
        """Queue a chunk of ``turn``, PCM16 mono."""

    def end_turn(self, turn: int) -> None:
        """Play the rest of ``turn`` without waiting for more of it."""

    def interrupt(self, turn: int) -> None:
        """Silence ``turn`` and every turn before it."""

    def duck(self, low: bool) -> None:
        """Turn the volume down, or back up."""

    def snapshot(self) -> "SpeakerSnapshot":
        """Return what is played at this moment, and the counts so far."""
