"""What every face can do, and the summary at a conversation's end.

A command speaks to one `View` and does not know which: the rich view, plain lines or JSON lines.

    with face:
        face.status(connection="connecting", label="Gemini · gemini-3.8-live · Kore")
        async for event in client:
            face.event(event)
        face.close(summary)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self, TypedDict, Unpack

from live_cli.protocol.events import Event
from live_cli.sample_rates import FRAME_MS
from live_cli.ui.terminal.line_editor import InputLine

Connection = Literal["connecting", "connected", "reconnecting", "closed"]


@dataclass(frozen=True, slots=True)
class TurnPlayback:
    """How the sound of an answer has been played so far."""

    heard_ms: float
    start_delay_ms: float
    """First sound received to first sound played."""
    underruns: int
    dry_ms: float
    """Silence in its middle, all gaps together."""


class StatusChanges(TypedDict, total=False):
    """What `View.status` can be told; what is not named stays as it was."""

    connection: Connection
    label: str
    """The server, model and voice in one line, such as ``Gemini · gemini-3.8-live · Kore``."""
    muted: bool
    push_to_talk: bool
    hold_to_talk: bool
    """Push to talk: the key is held down, since the terminal tells when it comes up."""
    held: bool
    """Push to talk: the microphone is open now."""
    latency_ms: float | None
    """Last turn: end of the user's speech to the first sound (or word) of the answer."""
    first_audio_ms: float | None
    """Last turn: end of the user's speech to the first audio message."""
    first_text_ms: float | None
    """Last turn: end of the user's speech (or the message sent) to the first text."""
    heard_ms: float | None
    """How much of the current turn has been played; see also `View.levels`."""
    playback: TurnPlayback | None
    """Of the turn that ends next; None where nothing of it was played."""
    dropped_frames: int
    erle_db: float | None
    """How much quieter the echo of the speaker is made; None while none was heard."""
    echo_converged: bool
    """Whether the way of the echo is known."""
    typing: InputLine | None
    """The line being typed, None when nobody types."""


@dataclass(frozen=True, slots=True)
class DeviceNews:
    """A microphone or speaker was opened, lost, found again, or has become a telephone."""

    role: str
    """``microphone`` or ``speaker``."""
    state: str
    """``open``, ``lost``, ``back`` or ``hands-free``."""
    name: str
    message: str
    """All of it in one line, with what to do."""
    away_s: float = 0.0
    """How long there was no device."""
    missed_frames: int = 0
    """Of the microphone: frames of 20 ms that nobody heard."""


class View(Protocol):
    """Shows a session to whoever looks: a person, a pipe or a program.

    All calls are quick and come from one thread. A closed stdout raises BrokenPipeError.
    """

    def event(self, event: Event) -> None:
        """Show one fact of the session, in the order in which the session told it."""

    def sent(self, text: str) -> None:
        """Show a message that the user typed and that has been sent."""

    def note(self, text: str) -> None:
        """Tell the person something in one line (never on stdout of a pipe)."""

    def error(self, text: str) -> None:
        """Tell the person what went wrong and what to do, in one line."""

    def device(self, news: DeviceNews) -> None:
        """Tell of a device that came or went."""

    def levels(
        self, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
    ) -> None:
        """Levels now; ``speaking``: the model's voice is playing; ``heard_ms`` of its turn."""

    def status(self, **changes: Unpack[StatusChanges]) -> None:
        """Change what is known of the session besides its events."""

    def close(self, summary: "Summary | None" = None) -> None:
        """Show what is left and the summary, and give the terminal back. Twice is once."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What a conversation came to."""

    duration_s: float = 0.0
    turns: int = 0
    interruptions: int = 0
    median_latency_ms: float | None = None
    total_tokens: int | None = None
    tokens_by_modality: Mapping[str, int] = field(default_factory=dict)
    """Such as ``{"AUDIO": 900, "TEXT": 304}``."""
    dropped_frames: int = 0
    missed_frames: int = 0
    """Of the microphone, while there was none."""
    underruns: int = 0
    dry_ms: float = 0.0
    """Silence in mid-answer, all gaps together."""
    start_delay_ms: float | None = None
    """First sound received to first sound played: the mean of all answers."""
    erle_db: float | None = None
    """How much quieter the echo of the speaker was made; None: none was heard, or not cancelled."""
    echo_converged: bool | None = None
    """Whether the way of the echo was known at the end; None: echo was not cancelled."""


def summary_lines(summary: Summary) -> list[str]:
    """One line of what a conversation came to, and a second one only if sound was lost.

    >>> summary_lines(Summary(72.0, 3, 0, 820.4, 1204))
    ['3 turns in 1 min 12 s · median latency 820 ms · 1,204 tokens']
    """
    facts = [f"{_count(summary.turns, 'turn')} in {duration(summary.duration_s)}"]
    if summary.interruptions:
        facts.append(_count(summary.interruptions, "interruption"))
    if summary.median_latency_ms is not None:
        facts.append(f"median latency {summary.median_latency_ms:,.0f} ms")
    if summary.total_tokens is not None:
        facts.append(_tokens(summary.total_tokens, summary.tokens_by_modality))
    lost = []
    if summary.dropped_frames:
        lost.append(f"{_count(summary.dropped_frames, 'microphone frame')} dropped")
    if summary.missed_frames:
        missed_s = summary.missed_frames * FRAME_MS / 1000
        lost.append(f"{duration(missed_s)} without a microphone")
    if summary.underruns:
        dry = f" ({summary.dry_ms:,.0f} ms)" if summary.dry_ms else ""
        lost.append(f"{_count(summary.underruns, 'gap')} in playback{dry}")
        if summary.start_delay_ms is not None:
            lost.append(f"playback began after {summary.start_delay_ms:,.0f} ms")
    return [" · ".join(facts)] + ([" · ".join(lost)] if lost else [])


def duration(seconds: float) -> str:
    """``4.2 s``, ``42 s``, ``1 min 12 s``, ``2 h 5 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _tokens(total: int, by_modality: Mapping[str, int]) -> str:
    told = _count(total, "token")
    if len(by_modality) > 1:
        parts = ", ".join(f"{name.lower()} {count:,}" for name, count in by_modality.items())
        told += f" ({parts})"
    return told


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
