"""The history of one session: what the chat model reads, what it costs, what is dropped. Pure.

Two counts are kept apart. *Billed* tokens are what a client sees in `usageMetadata`: 25 for each
second of audio, in both directions (the Live API's rate), and those of the text for what was
written. *Model* tokens are what the chat model reads, for which speech is text too: estimated, and
corrected by the model's own count after each reply.

A window that slid with every turn would lose the model's prefix cache with every turn; so the
history is trimmed rarely and in large steps, to half, always at the start of a user turn. The
system instruction stays. Images weigh more than words and age faster: where the chat model's
window is full, or there are too many images, the oldest go before any text does, and the newest
few stay, down to one where even they are too much.

A history never holds more than what could fit into the window under any tokenizer, however much is
added before the model is asked: then it is trimmed at once, and of one turn that is too long by
itself the oldest entries go.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from live_cli.engine.conversation.history.entries import MODEL, TOOL, USER, Entry, Snapshot
from live_cli.engine.conversation.history.messages import messages_of
from live_cli.engine.conversation.history.tokens import (
    TokenCount,
    most_characters,
    text_tokens,
    tokens_of,
)
from live_cli.engine.conversation.history.weight import (
    MESSAGE_TOKENS,
    Weight,
    image_weight,
    weight_of,
)
from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.stages import ChatMessage, ToolUse

_TRIGGER_SHARE = 0.8
_NEWEST_IMAGES = 4
_MOST_IMAGES = 40
_MOST_IMAGE_BYTES = 32 * 1024 * 1024
"""Of one history: all its images travel to the endpoint with each question."""
_DROPPED = "(no longer kept)"


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


class History:
    """What one session has said and shown. `add` appends; `trim` before each request."""

    def __init__(self, system: str, window: ContextWindow) -> None:
        self.system = system
        self.tool_tokens = 0
        """Tokens of the tools' declarations, which precede all messages in a prompt."""
        self._window = window
        self._longest = most_characters(window.context_tokens)
        self._entries: list[Entry] = []
        self._weights: list[Weight] = []  # of each entry
        self._total = Weight()
        self._correction = 1.0

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries)

    @property
    def last(self) -> Entry | None:
        """The newest entry."""
        return self._entries[-1] if self._entries else None

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
        """Append an entry, unless ``text`` is blank and no image comes with it.

        A text that is too long for the window whatever it says is cut at its end.
        """
        text = text[: self._longest].strip()
        if text or images:
            self._append([Entry(role, text, audio_s, images, aside, overheard)])

    def add_calls(self, text: str, audio_s: float, results: Sequence[tuple[ToolUse, str]]) -> None:
        """Append what the model said, the calls it then made, and the result of each call."""
        uses = tuple(use for use, _ in results)
        said = Entry(MODEL, text.strip(), audio_s, calls=uses)
        self._append([said, *(Entry(TOOL, result, call_id=use.id) for use, result in results)])

    def messages(self, heard: str = "") -> tuple[ChatMessage, ...]:
        """Return what the chat model reads, the system instruction first.

        ``heard``: words of the user that are not in the history yet, read as its last entry.
        """
        entries = [*self._entries, Entry(USER, heard)] if heard else self._entries
        system = [ChatMessage("system", self.system)] if self.system else []
        return tuple(system + messages_of(entries))

    def billed(self) -> TokenCount:
        """Return the billed tokens of the whole context as a prompt, by modality."""
        return self._billed(self._total)

    def estimated_tokens(self) -> int:
        """Estimate the tokens of the next prompt, without the correction."""
        return self._estimate(self._total)

    def model_tokens(self) -> int:
        """Estimate the tokens of the next prompt as the chat model counts them."""
        return self._corrected(self._total)

    @property
    def is_full(self) -> bool:
        """Return whether the billed tokens exceed the Live model's context."""
        limit = self._window.limit_tokens
        return limit is not None and self.billed().total > limit

    def calibrate(self, estimated_tokens: int, prompt_tokens: int) -> None:
        """Correct the estimate by the model's own count of the same prompt; 0: not counted."""
        if prompt_tokens > 0:
            self._correction = prompt_tokens / max(1, estimated_tokens)

    def trim(self) -> int:
        """Drop the oldest entries where a limit is passed; return how many were dropped."""
        before = len(self._entries)
        window = self._window
        trigger = window.trigger_tokens
        if trigger is not None and self.billed().total > trigger:
            target = trigger // 2 if window.target_tokens is None else window.target_tokens
            self._drop_turns_until(lambda left: self._billed(left).total <= target)
        if not _has_few_images(self._total, 1.0):
            self._drop_images_until(lambda left: _has_few_images(left, 0.5))
        limit = int(window.context_tokens * _TRIGGER_SHARE)
        if self.model_tokens() > limit:
            self._drop_images_until(lambda left: self._corrected(left) <= limit // 2)
        if self.model_tokens() > limit:
            self._drop_turns_until(lambda left: self._corrected(left) <= limit // 2)
        if self.model_tokens() > limit:
            self._drop_images_until(lambda left: self._corrected(left) <= limit, keep=1)
        self._drop_results_until(lambda left: self._corrected(left) <= limit)
        return before - len(self._entries)

    def snapshot(self) -> Snapshot:
        """Return the history as it is now."""
        return Snapshot(tuple(self._entries))

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the entries by those of ``snapshot``."""
        self._entries, self._weights, self._total = [], [], Weight()
        self._append(snapshot.entries)

    # --- limits --------------------------------------------------------------------------------

    def _append(self, entries: Sequence[Entry]) -> None:
        """Append ``entries``, and drop at once what no request could hold."""
        self._entries += entries
        weights = [weight_of(entry) for entry in entries]
        self._weights += weights
        self._total = sum(weights, self._total)
        most = tokens_of(self._longest)
        if self._total.prompt > most or not _has_few_images(self._total, 1.0):
            self.trim()
            if self._total.prompt > most:
                self._drop_oldest_until(lambda left: left.prompt <= most // 2)

    def _billed(self, total: Weight) -> TokenCount:
        billed = total.billed
        return replace(billed, text=billed.text + text_tokens(self.system) + self.tool_tokens)

    def _estimate(self, total: Weight) -> int:
        system = text_tokens(self.system) + MESSAGE_TOKENS if self.system else 0
        return system + self.tool_tokens + total.prompt

    def _corrected(self, total: Weight) -> int:
        return ceil(self._estimate(total) * self._correction)

    def _drop_images_until(
        self, fits: Callable[[Weight], bool], keep: int = _NEWEST_IMAGES
    ) -> None:
        """Drop the oldest images one by one until ``fits``; the newest ``keep`` stay."""
        droppable = self._total.images - keep
        for index, entry in enumerate(self._entries):
            count = 0
            left = self._total
            while count < min(droppable, len(entry.images)) and not fits(left):
                left -= image_weight(entry.images[count])
                count += 1
            droppable -= count
            if count:
                self._replace(index, replace(entry, images=entry.images[count:]))
        self._drop_empty()

    def _drop_results_until(self, fits: Callable[[Weight], bool]) -> None:
        """Blank the oldest results of a turn that exceeds the window alone; the last one stays."""
        if fits(self._total):
            return
        results = [index for index, entry in enumerate(self._entries) if entry.call_id is not None]
        for index in results[:-1]:
            if fits(self._total):
                return
            self._replace(index, replace(self._entries[index], text=_DROPPED))

    def _drop_turns_until(self, fits: Callable[[Weight], bool]) -> None:
        """Drop whole turns until ``fits``; the last one, which is being answered, stays."""
        starts = (
            index
            for index in range(1, len(self._entries))
            if self._entries[index].is_user_side and self._ends_turn(index - 1)
        )
        self._drop_to(starts, fits)

    def _drop_oldest_until(self, fits: Callable[[Weight], bool]) -> None:
        """Drop entries until ``fits``, calls with their results; the newest stays."""
        starts = (
            index for index in range(1, len(self._entries)) if self._entries[index].call_id is None
        )
        self._drop_to(starts, fits)

    def _ends_turn(self, index: int) -> bool:
        entry = self._entries[index]
        return entry.role != USER or entry.overheard

    def _drop_to(self, starts: Iterable[int], fits: Callable[[Weight], bool]) -> None:
        """Drop what comes before the first of ``starts`` from which all ``fits``, or the last."""
        left, cut = self._total, 0
        for start in starts:
            if fits(left):
                break
            left = left - sum(self._weights[cut:start], Weight())
            cut = start
        self._entries, self._weights = self._entries[cut:], self._weights[cut:]
        self._total = left

    def _replace(self, index: int, entry: Entry) -> None:
        weight = weight_of(entry)
        self._total = self._total - self._weights[index] + weight
        self._entries[index], self._weights[index] = entry, weight

    def _drop_empty(self) -> None:
        kept = [index for index, entry in enumerate(self._entries) if not entry.is_empty]
        if len(kept) < len(self._entries):
            self._entries = [self._entries[index] for index in kept]
            self._weights = [self._weights[index] for index in kept]
            self._total = sum(self._weights, Weight())


def _has_few_images(weight: Weight, share: float) -> bool:
    """Return whether images are within ``share`` of their most, in number and in bytes."""
    few = weight.images <= _MOST_IMAGES * share
    return few and weight.image_bytes <= _MOST_IMAGE_BYTES * share
