"""The history of one session: what the chat model reads, what it costs, what is dropped. Pure.

Two counts are kept apart. *Billed* tokens are what a client sees in `usageMetadata`: 25 for each
second of audio, either way (the Live API's rate), and the text's own for text. *Model* tokens are
what the chat model behind reads, where speech is text too: estimated at four characters a token
and a few for each message's frame, corrected by the model's own count after each reply.

A window that slided every turn would lose the model's prefix cache every turn; so it is trimmed
rarely and in large steps, to half, always at the start of a user turn. The system instruction
stays. Pictures weigh more than words and age faster: where the chat model's window is full, or
there are too many of them, the oldest go before any text does, and the newest few stay.
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
_FRAME_TOKENS = 5
_OVERHEARD = "(Said to somebody else.)"
_PICTURE_TOKENS = Resolution().tokens
_TRIGGER_SHARE = 0.8
_NEWEST_PICTURES = 4
_MOST_PICTURES = 40
_MOST_PICTURE_BYTES = 32 * 1024 * 1024
"""Of one history: all of them travel to the endpoint with each question."""

USER, MODEL, TOOL = "user", "model", "tool"
_ROLES = {MODEL: "assistant", TOOL: "tool"}
_NO_WORD = ChatMessage("assistant", "…")
_DROPPED = "(no longer kept)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of a turn; ``audio_s`` > 0 when it was spoken, by whichever side.

    ``pictures``: what the user showed with it. ``aside``: a line that the model reads after it and
    nobody said. ``overheard``: it was said to somebody else. ``calls``: what the model called in
    it. ``call_id``: the call whose result it is; what a tool tells without one, the model reads as
    it reads the user.
    """

    role: str
    text: str
    audio_s: float = 0.0
    pictures: tuple[StoredImage, ...] = ()
    aside: str = ""
    overheard: bool = False
    calls: tuple[ToolUse, ...] = ()
    call_id: str | None = None

    @property
    def asks(self) -> bool:
        """Whether it stands on the user's side, where a turn may begin."""
        return self.role == USER or (self.role == TOOL and self.call_id is None)

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.pictures or self.calls or self.call_id)

    @property
    def read(self) -> str:
        """What the chat model reads of it."""
        aside = _OVERHEARD if self.overheard else self.aside
        return f"{self.text}\n{aside}".strip() if aside else self.text


@dataclass(frozen=True, slots=True)
class Window:
    """When to trim. ``trigger_tokens`` and ``target_tokens`` are the client's, billed; or None.

    ``limit_tokens``: more, billed, the model cannot take; None: no limit but the chat model's own.
    """

    context_tokens: int
    trigger_tokens: int | None = None
    target_tokens: int | None = None
    limit_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TokenCount:
    """By modality; ``image``: pictures sent in turns, ``video``: frames of a camera."""

    text: int = 0
    audio: int = 0
    image: int = 0
    video: int = 0

    @property
    def total(self) -> int:
        return self.text + self.audio + self.image + self.video


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A history at one moment, to go on from in another session."""

    entries: tuple[Entry, ...]

    @property
    def pictures(self) -> tuple[StoredImage, ...]:
        return tuple(picture for entry in self.entries for picture in entry.pictures)

    def without_pictures(self) -> "Snapshot":
        """What was said alone."""
        entries = (replace(entry, pictures=()) for entry in self.entries)
        return Snapshot(tuple(entry for entry in entries if not entry.is_empty))


def text_tokens(text: str) -> int:
    """About how many tokens ``text`` is, where nobody counted."""
    return ceil(len(text) / _CHARACTERS_A_TOKEN)


def audio_tokens(seconds: float) -> int:
    return ceil(seconds * AUDIO_TOKENS_A_SECOND)


class History:
    """Grows by `add`; `trim` before asking the model."""

    def __init__(self, system: str, window: Window) -> None:
        self.system = system
        self.tool_tokens = 0
        """What the declarations of the tools weigh: they stand before all that is said."""
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
        pictures: tuple[StoredImage, ...] = (),
        aside: str = "",
        *,
        overheard: bool = False,
    ) -> None:
        """Append; text without words is not worth a place, but for what it comes with."""
        if text.strip() or pictures:
            self._entries.append(Entry(role, text.strip(), audio_s, pictures, aside, overheard))

    def add_calls(self, text: str, audio_s: float, results: Sequence[tuple[ToolUse, str]]) -> None:
        """Append what the model said, what it called then, and what came of each call."""
        uses = tuple(use for use, _ in results)
        self._entries.append(Entry(MODEL, text.strip(), audio_s, calls=uses))
        self._entries += [Entry(TOOL, result, call_id=use.id) for use, result in results]

    def messages(self, heard: str = "") -> tuple[ChatMessage, ...]:
        """What the model reads; ``heard``: as if the user had also said that.

        Consecutive entries of one role are one message: chat templates want turns to alternate.
        Some want a word of the assistant's after a tool, too.
        """
        entries = [*self._entries, Entry(USER, heard)] if heard else self._entries
        messages = [ChatMessage("system", self.system)] if self.system else []
        for entry in entries:
            role = "user" if entry.asks else _ROLES[entry.role]
            images = tuple(picture.image for picture in entry.pictures)
            if role == "user" and messages and messages[-1].role == "tool":
                messages.append(_NO_WORD)
            last = messages[-1] if messages else None
            if last is not None and last.role == role != TOOL and not last.calls:
                joined = f"{last.text}\n{entry.read}".strip()
                messages[-1] = replace(
                    last, text=joined, images=last.images + images, calls=entry.calls
                )
            else:
                messages.append(
                    ChatMessage(role, entry.read, images, entry.calls, call_id=entry.call_id)
                )
        return tuple(messages)

    def billed(self) -> TokenCount:
        """The whole context as a prompt, by modality."""
        return _billed(self._entries, text_tokens(self.system) + self.tool_tokens)

    def model_tokens(self) -> int:
        """What the chat model will read, estimated."""
        return ceil(self._estimate(self.messages()) * self._correction)

    @property
    def is_full(self) -> bool:
        """Whether there is more than the model's context takes, billed."""
        limit = self._window.limit_tokens
        return limit is not None and self.billed().total > limit

    def calibrate(self, messages: tuple[ChatMessage, ...], prompt_tokens: int) -> None:
        """Learn from the model's own count of ``messages``."""
        if prompt_tokens > 0:
            self._correction = prompt_tokens / max(1, self._estimate(messages))

    def trim(self) -> int:
        """Drop the oldest if a limit is passed; returns how many entries went."""
        before = len(self._entries)
        window = self._window
        trigger = window.trigger_tokens
        if trigger is not None and self.billed().total > trigger:
            target = trigger // 2 if window.target_tokens is None else window.target_tokens
            self._drop_until(lambda: self.billed().total <= target)
        self._trim_pictures()
        limit = int(window.context_tokens * _TRIGGER_SHARE)
        if self.model_tokens() > limit:
            self._drop_pictures_until(lambda: self.model_tokens() <= limit // 2)
        if self.model_tokens() > limit:
            self._drop_until(lambda: self.model_tokens() <= limit // 2)
        self._drop_results_until(lambda: self.model_tokens() <= limit)
        return before - len(self._entries)

    def snapshot(self) -> Snapshot:
        return Snapshot(tuple(self._entries))

    def restore(self, snapshot: Snapshot) -> None:
        self._entries = list(snapshot.entries)

    def _estimate(self, messages: tuple[ChatMessage, ...]) -> int:
        words = sum(text_tokens(message.text) + _FRAME_TOKENS for message in messages)
        pictures = _PICTURE_TOKENS * sum(len(message.images) for message in messages)
        return words + pictures + sum(map(_call_tokens, messages)) + self.tool_tokens

    def _trim_pictures(self) -> None:
        def within(share: float) -> bool:
            pictures = self.snapshot().pictures
            size = sum(picture.bytes for picture in pictures)
            return len(pictures) <= _MOST_PICTURES * share and size <= _MOST_PICTURE_BYTES * share

        if not within(1.0):
            self._drop_pictures_until(lambda: within(0.5))

    def _drop_pictures_until(self, fits: Callable[[], bool]) -> None:
        """Drop the oldest pictures one by one; the newest few stay."""
        left = sum(len(entry.pictures) for entry in self._entries)
        for index, entry in enumerate(self._entries):
            while entry.pictures and left > _NEWEST_PICTURES and not fits():
                entry = self._entries[index] = replace(entry, pictures=entry.pictures[1:])
                left -= 1
        self._entries = [entry for entry in self._entries if not entry.is_empty]

    def _drop_results_until(self, fits: Callable[[], bool]) -> None:
        """Forget the oldest results of a turn that is itself too much; the last one stays."""
        held = [index for index, entry in enumerate(self._entries) if entry.call_id is not None]
        for index in held[:-1]:
            if fits():
                return
            self._entries[index] = replace(self._entries[index], text=_DROPPED)

    def _drop_until(self, fits: Callable[[], bool]) -> None:
        """Cut at the start of a user turn; the last one is being answered: it stays."""
        while not fits():
            cut = self._next_user_turn()
            if cut is None:
                return
            del self._entries[:cut]

    def _next_user_turn(self) -> int | None:
        for index in range(1, len(self._entries)):
            before, entry = self._entries[index - 1], self._entries[index]
            if entry.asks and (before.role != USER or before.overheard):
                return index
        return None


def _billed(entries: list[Entry], before: int) -> TokenCount:
    spoken = sum(audio_tokens(entry.audio_s) for entry in entries)
    written = sum(text_tokens(entry.text) for entry in entries if not entry.audio_s)
    pictures = [picture for entry in entries for picture in entry.pictures]
    return TokenCount(
        text=written + sum(map(_call_tokens, entries)) + before,
        audio=spoken,
        image=sum(picture.tokens for picture in pictures if not picture.live),
        video=sum(picture.tokens for picture in pictures if picture.live),
    )


def _call_tokens(message: Entry | ChatMessage) -> int:
    return sum(text_tokens(call.name + json.dumps(call.arguments)) for call in message.calls)
