"""The speech over an answer, read as it grows until it is known whether it interrupts.

One reading at a time: what it costs is bounded by the transcriber's own pace.
"""

import asyncio
from collections.abc import Sequence

from live_cli.engine.conversation.floor.barge_in import (
    EARLY_MS,
    Overlap,
    OverlapJudge,
    needs_confidence,
)
from live_cli.engine.conversation.floor.hum import is_hum
from live_cli.engine.speech_in.endpointer import EARLY_PAUSE_MS, LOOK_BACK_MS
from live_cli.engine.speech_in.listener import Listener, Spoken
from live_cli.engine.speech_in.segmenter import Segment

_PADDING_MS = LOOK_BACK_MS + EARLY_PAUSE_MS
"""Of a segment: before its first voice and after its last."""


class Overhearing:
    """Reads what one session's user says over one answer after the other."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._judge = OverlapJudge()
        self._reading: asyncio.Task[Overlap] | None = None

    def begin(self) -> None:
        """Begin with a new overlap."""
        self.end()
        self._judge = OverlapJudge()

    def end(self) -> None:
        """Let go of a reading that is under way."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def look(self) -> Overlap:
        """Return what the last reading found, and begin the next where none is under way.

        To be called after each piece of sound. Raises EngineError when the transcriber fails.
        """
        found = Overlap.OPEN
        if self._reading is not None:
            if not self._reading.done():
                return found
            found, self._reading = self._reading.result(), None
        heard = self._listener.open_speech()
        if heard is not None and heard[1] >= EARLY_MS and found is Overlap.OPEN:
            self._reading = asyncio.create_task(self._read(*heard))
        return found

    async def decide(self, utterance: Sequence[Spoken]) -> Overlap:
        """Return what a whole ``utterance`` over the answer was; of noise, a backchannel."""
        self.end()
        if not utterance:
            return Overlap.BACKCHANNEL
        last = utterance[-1]
        text = " ".join([await asyncio.shield(spoken.text) for spoken in utterance])
        spoken_ms = 1000 * sum(spoken.segment.seconds for spoken in utterance) - _PADDING_MS
        return await self._judged(last.segment, text, spoken_ms, ended=True)

    async def _read(self, segment: Segment, spoken_ms: float) -> Overlap:
        text = await self._listener.read(segment)
        return await self._judged(segment, text, spoken_ms, ended=False)

    async def _judged(
        self, segment: Segment, text: str, spoken_ms: float, *, ended: bool
    ) -> Overlap:
        asks = needs_confidence(text, spoken_ms) and len(segment.samples) > 0
        confidence = await self._listener.confidence(segment, text) if asks else None
        hummed = asks and is_hum(segment.samples)
        return self._judge.judge(text, confidence, spoken_ms, ended=ended, hummed=hummed)
