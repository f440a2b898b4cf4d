"""The entries of a history, and a history at one moment. Pure."""

from dataclasses import dataclass, replace

from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.stages import ToolUse

USER, MODEL, TOOL = "user", "model", "tool"
_OVERHEARD = "(Said to somebody else.)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of a turn: text of ``role`` USER, MODEL or TOOL, with what came along with it.

    ``audio_s``: its length in seconds where it was spoken, 0 where it was written.
    ``images``: what the user showed with the text.
    ``aside``: a line that the chat model reads after the text, and that nobody said.
    ``overheard``: the user said the text to somebody else.
    ``calls``: the functions that the model called after the text.
    ``call_id``: the call whose result the text is. A TOOL entry without one is a late result; the
    chat model reads it as a message of the user.
    """

    role: str
    text: str
    audio_s: float = 0.0
    images: tuple[StoredImage, ...] = ()
    aside: str = ""
    overheard: bool = False
    calls: tuple[ToolUse, ...] = ()
    call_id: str | None = None

    @property
    def is_user_side(self) -> bool:
        """Whether the chat model reads the entry as the user's; only there can a turn begin."""
        return self.role == USER or (self.role == TOOL and self.call_id is None)

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.images or self.calls or self.call_id)

    @property
    def model_text(self) -> str:
        """The text as the chat model reads it: with the aside, or marked as overheard."""
        aside = _OVERHEARD if self.overheard else self.aside
        return f"{self.text}\n{aside}".strip() if aside else self.text


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The entries of a history at one moment, from which another session can go on."""

    entries: tuple[Entry, ...]

    @property
    def images(self) -> tuple[StoredImage, ...]:
        return tuple(image for entry in self.entries for image in entry.images)

    def without_images(self) -> "Snapshot":
        """Return the snapshot without its images, and without entries that held nothing else."""
        entries = (replace(entry, images=()) if entry.images else entry for entry in self.entries)
        return Snapshot(tuple(entry for entry in entries if not entry.is_empty))
