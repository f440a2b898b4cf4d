"""The history of one session: what the chat model reads, what it costs, what is dropped. Pure.

Two counts are kept apart. *Billed* tokens are what a client sees in `usageMetadata`: 25 for each
second of audio, in both directions (the Live API's rate), and those of the text for what was
written. *Model* tokens are what the chat model reads, for which speech is text too: estimated at
four characters a token and a few for each message around its text, and corrected by the model's
own count after each reply.

A window that slid with every turn would lose the model's prefix cache with every turn; so the
history is trimmed rarely and in large steps, to half, always at the start of a user turn. The
system instruction stays. Images weigh more than words and age faster: where the chat model's
window is full, or there are too many images, the oldest go before any text does, and the newest
few stay.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.setup.media import Resolution
from live_cli.engine.stages import ChatMessage, ToolUse

AUDIO_TOKENS_A_SECOND = 25
_CHARACTERS_A_TOKEN = 4
_MESSAGE_TOKENS = 5
_OVERHEARD = "(Said to somebody else.)"
_IMAGE_TOKENS = Resolution().tokens
_TRIGGER_SHARE = 0.8
_NEWEST_IMAGES = 4
_MOST_IMAGES = 40
_MOST_IMAGE_BYTES = 32 * 1024 * 1024
"""Of one history: all its images travel to the endpoint with each question."""

USER, MODEL, TOOL = "user", "model", "tool"
_ROLES = {MODEL: "assistant", TOOL: "tool"}
_EMPTY_ANSWER = ChatMessage("assistant", "…")
_DROPPED = "(no longer kept)"


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
class ContextWindow:
    """When a history is trimmed, and how far.

    ``context_tokens``: the chat model's context, in model tokens. ``trigger_tokens`` and
    ``target_tokens``: the client's context window compression, in billed tokens; None: not asked
    for. ``limit_tokens``: the context of the Live model, in billed tokens; None: unlimited.
    """

    context_tokens: int
    trigger_tokens: int | None = None
    target_tokens: int | None = None
    limit_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens by modality. ``image``: images sent in turns; ``video``: images of a camera."""

    text: int = 0
    audio: int = 0
    image: int = 0
    video: int = 0

    @property
    def total(self) -> int:
        return self.text + self.audio + self.image + self.video


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The entries of a history at one moment, from which another session can go on."""

    entries: tuple[Entry, ...]

    @property
    def images(self) -> tuple[StoredImage, ...]:
        return tuple(image for entry in self.entries for image in entry.images)

    def without_images(self) -> "Snapshot":
        """Return the snapshot without its images, and without entries that held nothing else."""
        entries = (replace(entry, images=()) for entry in self.entries)
        return Snapshot(tuple(entry for entry in entries if not entry.is_empty))


def text_tokens(text: str) -> int:
    """Estimate the tokens of ``text``, at four characters a token."""
    return ceil(len(text) / _CHARACTERS_A_TOKEN)


def audio_tokens(seconds: float) -> int:
    """Return the billed tokens of ``seconds`` of audio."""
    return ceil(seconds * AUDIO_TOKENS_A_SECOND)


class History:
    """What one session has said and shown. `add` appends; `trim` before each request."""

    def __init__(self, system: str, window: ContextWindow) -> None:
        self.system = system
        self.tool_tokens = 0
        """Tokens of the tools' declarations, which precede all messages in a prompt."""
        self._window = window
        self._entries: list[Entry] = []
        self._correction = 1.0

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries)

    def add(
        self,
        role: str,
        text: str,
        audio_s: float = 0.0,
        images: tuple[StoredImage, ...] = (),
        aside: str = "",
        *,
        overheard: bool = False,
    ) -> None:
        """Append an entry, unless ``text`` is blank and no image comes with it."""
        if text.strip() or images:
            self._entries.append(Entry(role, text.strip(), audio_s, images, aside, overheard))

    def add_calls(self, text: str, audio_s: float, results: Sequence[tuple[ToolUse, str]]) -> None:
        """Append what the model said, the calls it then made, and the result of each call."""
        uses = tuple(use for use, _ in results)
        self._entries.append(Entry(MODEL, text.strip(), audio_s, calls=uses))
        self._entries += [Entry(TOOL, result, call_id=use.id) for use, result in results]

    def messages(self, heard: str = "") -> tuple[ChatMessage, ...]:
        """Return what the chat model reads, the system instruction first.

        ``heard``: words of the user that are not in the history yet, read as its last entry.
        Consecutive entries of one role are one message, for chat templates want turns to
        alternate; some also want a message of the assistant between a tool's and the user's.
        """
        entries = [*self._entries, Entry(USER, heard)] if heard else self._entries
        messages = [ChatMessage("system", self.system)] if self.system else []
        for entry in entries:
            role = "user" if entry.is_user_side else _ROLES[entry.role]
            images = tuple(stored.image for stored in entry.images)
            if role == "user" and messages and messages[-1].role == "tool":
                messages.append(_EMPTY_ANSWER)
            last = messages[-1] if messages else None
            if last is not None and last.role == role != TOOL and not last.calls:
                joined = f"{last.text}\n{entry.model_text}".strip()
                messages[-1] = replace(
                    last, text=joined, images=last.images + images, calls=entry.calls
                )
            else:
                messages.append(
                    ChatMessage(role, entry.model_text, images, entry.calls, call_id=entry.call_id)
                )
        return tuple(messages)

    def billed(self) -> TokenCount:
        """Return the billed tokens of the whole context as a prompt, by modality."""
        return _billed(self._entries, text_tokens(self.system) + self.tool_tokens)

    def model_tokens(self) -> int:
        """Estimate the tokens of the next prompt as the chat model counts them."""
        return ceil(self._estimate(self.messages()) * self._correction)

    @property
    def is_full(self) -> bool:
        """Whether the billed tokens exceed the Live model's context."""
        limit = self._window.limit_tokens
        return limit is not None and self.billed().total > limit

    def calibrate(self, messages: tuple[ChatMessage, ...], prompt_tokens: int) -> None:
        """Correct the estimate by the model's own count of ``messages``; 0: not counted."""
        if prompt_tokens > 0:
            self._correction = prompt_tokens / max(1, self._estimate(messages))

    def trim(self) -> int:
        """Drop the oldest entries where a limit is passed; return how many were dropped."""
        before = len(self._entries)
        window = self._window
        trigger = window.trigger_tokens
        if trigger is not None and self.billed().total > trigger:
            target = trigger // 2 if window.target_tokens is None else window.target_tokens
            self._drop_until(lambda: self.billed().total <= target)
        self._trim_images()
        limit = int(window.context_tokens * _TRIGGER_SHARE)
        if self.model_tokens() > limit:
            self._drop_images_until(lambda: self.model_tokens() <= limit // 2)
        if self.model_tokens() > limit:
            self._drop_until(lambda: self.model_tokens() <= limit // 2)
        self._drop_results_until(lambda: self.model_tokens() <= limit)
        return before - len(self._entries)

    def snapshot(self) -> Snapshot:
        """Return the history as it is now."""
        return Snapshot(tuple(self._entries))

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the entries by those of ``snapshot``."""
        self._entries = list(snapshot.entries)

    def _estimate(self, messages: tuple[ChatMessage, ...]) -> int:
        words = sum(text_tokens(message.text) + _MESSAGE_TOKENS for message in messages)
        images = _IMAGE_TOKENS * sum(len(message.images) for message in messages)
        return words + images + sum(map(_call_tokens, messages)) + self.tool_tokens

    def _trim_images(self) -> None:
        def within(share: float) -> bool:
            images = self.snapshot().images
            size = sum(image.bytes for image in images)
            return len(images) <= _MOST_IMAGES * share and size <= _MOST_IMAGE_BYTES * share

        if not within(1.0):
            self._drop_images_until(lambda: within(0.5))

    def _drop_images_until(self, fits: Callable[[], bool]) -> None:
        """Drop the oldest images one by one until ``fits``; the newest few stay."""
        left = sum(len(entry.images) for entry in self._entries)
        for index, entry in enumerate(self._entries):
            while entry.images and left > _NEWEST_IMAGES and not fits():
                entry = self._entries[index] = replace(entry, images=entry.images[1:])
                left -= 1
        self._entries = [entry for entry in self._entries if not entry.is_empty]

    def _drop_results_until(self, fits: Callable[[], bool]) -> None:
        """Blank the oldest results of a turn that exceeds the window alone; the last one stays."""
        results = [index for index, entry in enumerate(self._entries) if entry.call_id is not None]
        for index in results[:-1]:
            if fits():
                return
            self._entries[index] = replace(self._entries[index], text=_DROPPED)

    def _drop_until(self, fits: Callable[[], bool]) -> None:
        """Drop whole turns until ``fits``; the last one, which is being answered, stays."""
        while not fits():
            cut = self._next_user_turn()
            if cut is None:
                return
            del self._entries[:cut]

    def _next_user_turn(self) -> int | None:
        for index in range(1, len(self._entries)):
            before, entry = self._entries[index - 1], self._entries[index]
            if entry.is_user_side and (before.role != USER or before.overheard):
                return index
        return None


def _billed(entries: list[Entry], before: int) -> TokenCount:
    spoken = sum(audio_tokens(entry.audio_s) for entry in entries)
    written = sum(text_tokens(entry.text) for entry in entries if not entry.audio_s)
    images = [image for entry in entries for image in entry.images]
    return TokenCount(
        text=written + sum(map(_call_tokens, entries)) + before,
        audio=spoken,
        image=sum(image.tokens for image in images if not image.live),
        video=sum(image.tokens for image in images if image.live),
    )


def _call_tokens(message: Entry | ChatMessage) -> int:
    return sum(text_tokens(call.name + json.dumps(call.arguments)) for call in message.calls)
