"""What a session hears: audio in, what the user said out, on its way to text.

A segment goes to the transcriber as soon as its end is likely (200 ms of silence), while the rest
of the silence is still being waited for. If speech resumes, that text is dropped; if it does not,
it is there already. Ears are loaded with the first sound: who only types needs none.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import zip_longest

from live_cli.engine.speech_in.segmenter import (
    Ended,
    Heard,
    Paused,
    Resumed,
    Segment,
    Segmenter,
    Started,
)
from live_cli.engine.stages import Transcriber
from live_cli.engine.workers import Stage, Workers


@dataclass(frozen=True, slots=True)
class SpeechInput:
    """What a session hears with."""

    ears: Segmenter
    transcriber: Transcriber


@dataclass(slots=True, eq=False)
class Spoken:
    """A segment and its text to be. ``final``: speech ended with it; ``told``: the client knows."""

    segment: Segment
    text: "asyncio.Task[str]"
    final: bool
    told: bool = False


@dataclass(frozen=True, slots=True)
class Began:
    """The user began to speak."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The user fell silent; ``spoken`` is empty when it was only noise."""

    spoken: list[Spoken]
    at_s: float


class Listener:
    """One session's. ``on_pause`` is told what will have been said, should the pause last."""

    def __init__(
        self,
        load: Callable[[], Awaitable[SpeechInput]],
        workers: Workers,
        on_pause: Callable[[Spoken], None],
    ) -> None:
        self._load = load
        self._workers = workers
        self._on_pause = on_pause
        self._hearing: SpeechInput | None = None
        self._ahead: Spoken | None = None
        self._parts: list[Spoken] = []

    def expects(self, spoken: Spoken) -> bool:
        """Whether ``spoken`` is still what will have been said."""
        return self._ahead is spoken

    def underway(self) -> list[Spoken]:
        """What was heard and not handed out yet."""
        return [*self._parts, *([self._ahead] if self._ahead else [])]

    async def hear(self, data: bytes, sample_rate: int) -> list[Began | Finished]:
        """PCM16 mono at ``sample_rate`` Hz. Raises EngineError when there are no ears."""
        if self._hearing is None:
            self._hearing = await self._load()
        ears = self._hearing.ears
        if ears.takes_along(data, sample_rate):
            return []
        return self._told(
            await self._workers.run(Stage.DETECTOR, lambda: ears.hear(data, sample_rate))
        )

    async def flush(self) -> list[Began | Finished]:
        """The stream pauses: what is open ends here."""
        if self._hearing is None:
            return []
        return self._told(await self._workers.run(Stage.DETECTOR, self._hearing.ears.flush))

    def close(self) -> None:
        """Let the detector go now: its memory is native, and no garbage collector sees to it."""
        self._hearing = None

    def _told(self, heard: list[Heard]) -> list[Began | Finished]:
        told: list[Began | Finished] = []
        for event, following in zip_longest(heard, heard[1:]):
            match event:
                case Started(at_s):
                    told.append(Began(at_s))
                case Paused(segment):
                    if not isinstance(following, Resumed):
                        self._ahead = self._transcribed(segment, final=True)
                        self._on_pause(self._ahead)
                case Resumed():
                    self._ahead = None
                case Ended(segment, final, at_s):
                    self._end(segment, final)
                    if final:
                        told.append(Finished(self._parts, at_s))
                        self._parts = []
        return told

    def _end(self, segment: Segment | None, final: bool) -> None:
        ahead, self._ahead = self._ahead, None
        if segment is None:
            return
        known = ahead is not None and ahead.segment.end_s == segment.end_s
        self._parts.append(ahead if known and ahead else self._transcribed(segment, final))

    def _transcribed(self, segment: Segment, final: bool) -> Spoken:
        assert self._hearing is not None  # noqa: S101 - the segment was heard
        transcriber = self._hearing.transcriber
        call = self._workers.run(Stage.TRANSCRIBER, lambda: transcriber.transcribe(segment.samples))
        return Spoken(segment, asyncio.create_task(call), final)
