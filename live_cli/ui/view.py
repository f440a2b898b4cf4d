"""The interface of all views, and the summary at a conversation's end.

A command tells one `View` all that happens, be it the live view, plain lines or JSON lines.

    with view:
        view.status(connection="connecting", label="Gemini · gemini-3.8-live · Kore")
        async for event in client:
            view.event(event)
        view.close(summary)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypedDict, Unpack

from live_cli.protocol.events import Event
from live_cli.sample_rates import FRAME_MS
from live_cli.ui.terminal.line_editor import InputLine
from live_cli.ui.token_ledger import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Connection = Literal["connecting", "connected", "reconnecting", "closed"]
Graphics = Literal["blocks", "sixel", "kitty"]
"""How a terminal draws an image: as characters in two colours, or by one of two protocols."""


@dataclass(frozen=True, slots=True)
class TurnPlayback:
    """Figures of the sound of one answer, as far as it has been played."""

    heard_ms: float
    start_delay_ms: float
    """From the first sound received to the first sound played."""
    underruns: int
    dry_ms: float
    """Silence in mid-answer, all gaps together."""


class StatusChanges(TypedDict, total=False):
    """The arguments of `View.status`; what a call leaves out stays as it was."""

    connection: Connection
    label: str
    """The server, model and voice in one line, such as ``Gemini · gemini-3.8-live · Kore``."""
    muted: bool
    push_to_talk: bool
    hold_to_talk: bool
    """Push to talk: the key is to be held down, since the terminal reports its release."""
    held: bool
    """Push to talk: the microphone is open now."""
    latency_turn: int
    """The turn of the latencies in this call."""
    latency_ms: float | None
    """That turn: end of the user's speech to the first sound that is heard (or word read)."""
    first_audio_ms: float | None
    """That turn: end of the user's speech to the first audio message."""
    first_text_ms: float | None
    """That turn: end of the user's speech (or the message sent) to the first text."""
    heard_ms: float | None
    """Sound of the current turn that has been played; see also `View.levels`."""
    playback: TurnPlayback | None
    """The playback of the turn that ends next; None where nothing of the turn was played."""
    dropped_frames: int
    erle_db: float | None
    """Echo return loss enhancement: how much quieter the echo is made; None while there is none."""
    echo_converged: bool
    """Whether the echo canceller has learned the path from speaker to microphone."""
    runs_tools: bool
    """Whether calls of tools are answered here, and come as `View.tool_call`."""
    may_show_images: bool
    """Whether the model sees, so that a key begins to send images."""
    graphics: Graphics
    """What the terminal can draw, as it has told."""
    typing: InputLine | None
    """The line being typed; None at all other times."""


@dataclass(frozen=True, slots=True)
class DeviceNews:
    """A device that was opened, lost or found again, or fell back to telephone quality."""

    role: str
    """``microphone``, ``speaker``, ``camera`` or ``screen``."""
    state: str
    """``open``, ``lost``, ``back`` or ``hands-free``."""
    name: str
    message: str
    """The news in one line, with what to do."""
    away_s: float = 0.0
    """Time without a device."""
    missed_frames: int = 0
    """Microphone frames of 20 ms that were never captured in that time."""


ShownCallState = Literal["asked", "running", "done", "failed", "refused", "cancelled"]


@dataclass(frozen=True, slots=True)
class CallStatus:
    """A call of one of the client's tools, as it is now."""

    key: str
    """Tells it from the other calls of the session."""
    name: str
    arguments: Mapping[str, object]
    source: str
    """Who provides the tool, such as ``house.py`` or ``MCP server time``."""
    state: ShownCallState
    """``asked``: the person is asked whether it may run."""
    seconds: float = 0.0
    """Since the model asked for it."""
    said: str = ""
    """The first line of its result, or what the tool tells meanwhile."""
    result: Mapping[str, object] | None = None

    @property
    def is_over(self) -> bool:
        """Return whether nothing more comes of it."""
        return self.state not in ("asked", "running")


@dataclass(frozen=True, slots=True)
class SentImage:
    """An image that has left: its MIME type, its size, and the SHA-256 of its bytes in hex."""

    mime_type: str
    bytes: int
    width: int
    height: int
    sha256: str


ImageState = Literal["on", "lost", "off"]


@dataclass(frozen=True, slots=True, eq=False)
class ImageStatus:
    """The images of a camera or a screen that are sent: whether they are, and how many were."""

    role: str
    """``camera`` or ``screen``, or ``file`` for a picture that was named."""
    source: str
    """What people call it, as in ``camera 0 (Integrated Webcam)``."""
    state: ImageState
    """``on``: what it shows is sent. ``lost``: the device is away, and tried again."""
    sent: int = 0
    saved: int = 0
    """Images that were not sent, since they showed nothing new."""
    tokens: int = 0
    """What the images are billed, each counted once."""
    image: SentImage | None = None
    """The image that leaves with this news, if one does."""
    preview: "NDArray[np.uint8] | None" = None
    """That image in small: RGB, ``(height, width, 3)``."""


class View(Protocol):
    """Shows a session to a person, a pipe or a program.

    All calls return quickly and come from one thread. A closed stdout raises BrokenPipeError.
    """

    def event(self, event: Event) -> None:
        """Show an event of the session; events come in the order in which the session gave them."""

    def sent(self, text: str) -> None:
        """Show a typed message that has been sent."""

    def note(self, text: str) -> None:
        """Show a remark for the user, one line (never on stdout of a pipe)."""

    def error(self, text: str) -> None:
        """Show an error for the user: what went wrong and what to do, one line."""

    def device(self, news: DeviceNews) -> None:
        """Show that a device came or went."""

    def tool_call(self, status: CallStatus) -> None:
        """Show what has become of a call of one of the client's tools."""

    def images(self, status: ImageStatus) -> None:
        """Show whether images are sent, and the one that leaves."""

    def levels(
        self, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
    ) -> None:
        """Show the levels of this moment.

        ``speaking``: the model's voice is playing, ``heard_ms`` of its turn so far.
        """

    def status(self, **changes: Unpack[StatusChanges]) -> None:
        """Show a change that is no event of the session, such as a muted microphone."""

    def close(self, summary: "Summary | None" = None) -> None:
        """Show the summary and restore the terminal. A second call does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a whole conversation."""

    duration_s: float = 0.0
    turns: int = 0
    interruptions: int = 0
    median_latency_ms: float | None = None
    total_tokens: int | None = None
    tokens_by_modality: Mapping[str, int] = field(default_factory=dict)
    """Such as ``{"AUDIO": 900, "TEXT": 304}``."""
    dropped_frames: int = 0
    missed_frames: int = 0
    """Frames of 20 ms of the time without a microphone."""
    underruns: int = 0
    dry_ms: float = 0.0
    """Silence in mid-answer, all gaps together."""
    start_delay_ms: float | None = None
    """From the first sound received to the first sound played: the mean of all answers."""
    erle_db: float | None = None
    """Echo return loss enhancement; None: there was no echo, or it was not cancelled."""
    echo_converged: bool | None = None
    """Whether the echo path was known at the end; None: echo was not cancelled."""
    estimated_dollars: float | None = None
    """What the tokens cost by the prices of the settings; None without a price."""
    unpriced_tokens: int = 0
    """Tokens that have no price and are not in the estimate."""
    images_sent: int = 0
    images_saved: int = 0
    """Images of a camera or a screen that showed nothing new, and were not sent."""
    image_tokens: int = 0
    """What the images are billed by media resolution, each counted once; a server bills those in
    its context anew with every turn, and its own count is in the tokens above."""


def summary_lines(summary: Summary) -> list[str]:
    """Return one line of figures, and a second one only where sound was lost.

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
    if summary.estimated_dollars is not None:
        facts.append(str(Estimate(summary.estimated_dollars, summary.unpriced_tokens)))
    if summary.images_sent:
        facts.append(_images(summary))
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


def _images(summary: Summary) -> str:
    """``12 images (3,096 tokens), 48 not sent since nothing had changed``."""
    told = f"{_count(summary.images_sent, 'image')} ({_count(summary.image_tokens, 'token')})"
    saved = f", {summary.images_saved:,} not sent since nothing had changed"
    return told + (saved if summary.images_saved else "")


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
