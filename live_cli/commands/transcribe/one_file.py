"""One speech file through a session: its sound out, its transcript in.

A file is one manual activity: ``activityStart``, its sound, ``activityEnd``; the turn's end is the
transcript's end, so nothing is guessed. A server that says so in its handshake is fed as fast as it
takes the sound, any other in real time, as the Live API is meant to be fed. A file longer than the
model takes in one session, or than the connection lasts, goes through several, cut where a block is
quiet.
"""

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from live_cli.audio.files.speech_files import SpeechReader, open_speech
from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.commands.connect import RunningServer
from live_cli.errors import SessionError
from live_cli.net.client.client import LiveClient
from live_cli.plan.plan import SessionPlan
from live_cli.protocol import compose
from live_cli.protocol.events import (
    Event,
    GoingAway,
    InputTranscript,
    SessionClosed,
    SessionOpened,
    TurnComplete,
)
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from live_cli.ui.subtitles.captions import Subtitle, TimedWord

CHUNK_SAMPLES = INPUT_SAMPLE_RATE // 4
"""Sound in one message: a quarter of a second."""
CUT_WINDOW_S = 20.0
"""Before the limit of a session: from here on a quiet chunk ends the session."""
QUIET = 0.01
"""RMS of full scale (-40 dBFS): a chunk below it is a place to cut."""
SILENT_SERVER_S = 10.0
"""After the end of the sound: a server fed in real time that sends nothing for so long is done,
also without ending the turn. One that takes sound faster is ours, and always ends its turns."""
LEAVING_S = 5.0
"""After a goAway: how much more sound at most is sent before the session is ended."""

_SENTENCE_BORDER = re.compile(r"(?<=[.!?。！？])\s+")
_LONG_CHARACTERS = 160
"""Text without times that has no sentence in it is given on from here."""

_T = TypeVar("_T")


@dataclass
class Transcript:
    """How far a file has come. Times are in seconds from its start.

    ``length_s``: by the file's header, None where that says nothing. ``sent_s``: sound that the
    server got; ``heard_s``: sound whose words are known. ``warning``: what was wrong with the file.
    """

    length_s: float | None = None
    sent_s: float = 0.0
    heard_s: float = 0.0
    warning: str | None = None


class Watcher(Protocol):
    """Who is told of a file while it is transcribed."""

    def event(self, event: Event) -> None:
        """Take an event of one of the file's sessions."""

    def subtitle(self, subtitle: Subtitle) -> None:
        """Take the next words, final."""

    def progress(self, transcript: Transcript) -> None:
        """Take note of more sound that was heard."""

    def real_time(self) -> None:
        """Take note that the server is fed in real time: a session of the file begins."""

    def note(self, text: str) -> None:
        """Take a sentence for the user."""


async def transcribe_file(
    server: RunningServer,
    plan: SessionPlan,
    file: str,
    transcript: Transcript,
    watcher: Watcher,
) -> None:
    """Transcribe one file; ``transcript`` tells how far it came, also where that failed.

    Raises InputFileError for the file, other LiveErrors for the session.
    """
    with await _in_thread_of_its_own(lambda: open_speech(file)) as speech:
        transcript.length_s = speech.duration_s
        sound = _Sound(speech)
        more = True
        while more:
            async with await server.connect_first(plan.setup, watcher.note) as client:
                if not client.takes_audio_faster:
                    watcher.real_time()
                watcher.progress(transcript)
                limit_s = None if server.is_ours else plan.model.max_audio_s
                more = await _Part(server, client, transcript, limit_s, watcher).run(sound)
        transcript.warning = speech.warning


async def _in_thread_of_its_own(call: Callable[[], _T]) -> _T:
    """Await ``call``; one that never returns, as on a pipe without end, holds up no exit."""
    loop = asyncio.get_running_loop()
    returned: asyncio.Future[_T] = loop.create_future()

    def tell(result: _T | None, error: BaseException | None) -> None:
        if returned.cancelled():
            return
        if error is not None:
            returned.set_exception(error)
        else:
            returned.set_result(result)  # type: ignore[arg-type]  # what `call` returned

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as exc:  # noqa: BLE001 - raised where it is awaited
            error = exc
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="speech file", daemon=True).start()
    return await returned


class _Sound:
    """The sound of a file in chunks, read in a thread."""

    def __init__(self, speech: SpeechReader) -> None:
        self._blocks = iter(speech)
        self._block: Samples = np.zeros(0, np.float32)

    async def chunk(self) -> Samples | None:
        """Return the next chunk, None after the last one. Raises InputFileError."""
        while not self._block.size:
            reading = asyncio.create_task(asyncio.to_thread(next, self._blocks, None))
            try:
                block = await asyncio.shield(reading)
            except asyncio.CancelledError:
                await asyncio.wait((reading,))  # the file is closed next, and must not be in use
                raise
            if block is None:
                return None
            self._block = block
        chunk, self._block = self._block[:CHUNK_SAMPLES], self._block[CHUNK_SAMPLES:]
        return chunk


class _Part:
    """As much of a file as one session takes; times count from the start of the file."""

    def __init__(
        self,
        server: RunningServer,
        client: LiveClient,
        transcript: Transcript,
        limit_s: float | None,
        watcher: Watcher,
    ) -> None:
        self._server = server
        self._client = client
        self._real_time = not client.takes_audio_faster
        self._transcript = transcript
        self._limit_s = limit_s
        self._watcher = watcher
        self._start_s = transcript.sent_s
        self._undated_from_s = transcript.sent_s
        self._undated = ""
        self._sent_all = False
        self._leave_at_s: float | None = None
        self._last_event_at = 0.0
        self._answered = False

    async def run(self, sound: _Sound) -> bool:
        """Send and receive until the transcript is whole. Returns whether the file goes on."""
        sending = asyncio.create_task(self._send(sound))
        receiving = asyncio.create_task(self._receive())
        try:
            await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                receiving.result()  # raises where the session broke off
            more = await sending
            await self._wait_for_the_end(receiving)
        finally:
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)
            self._end_undated()
        self._hear(self._transcript.sent_s)
        return more

    async def _wait_for_the_end(self, receiving: "asyncio.Task[None]") -> None:
        clock = asyncio.get_running_loop().time
        self._last_event_at = clock()
        while not receiving.done():
            left_s = None
            if self._real_time:
                left_s = self._last_event_at + SILENT_SERVER_S - clock()
                if left_s <= 0:
                    if not self._answered:
                        raise SessionError(self._server.said_nothing(SILENT_SERVER_S))
                    return
            await asyncio.wait((receiving,), timeout=left_s)
        receiving.result()

    # --- sound out ---

    async def _send(self, sound: _Sound) -> bool:
        clock = asyncio.get_running_loop().time
        started = clock()
        more = False
        await self._client.send(compose.activity_start())
        while (chunk := await sound.chunk()) is not None:
            await self._client.send(compose.audio(pcm16_from_float(chunk)))
            self._transcript.sent_s += chunk.size / INPUT_SAMPLE_RATE
            sent_s = self._transcript.sent_s - self._start_s
            if self._real_time:
                await asyncio.sleep(max(0.0, started + sent_s - clock()))
                self._hear(self._transcript.sent_s)
            if self._must_cut(sent_s, chunk):
                more = True
                break
        self._sent_all = True
        await self._client.send(compose.activity_end())
        return more

    def _must_cut(self, sent_s: float, chunk: Samples) -> bool:
        quiet = float(np.sqrt(np.mean(chunk * chunk))) < QUIET
        if self._leave_at_s is not None:
            return quiet or sent_s >= self._leave_at_s
        if self._limit_s is None or sent_s < self._limit_s - CUT_WINDOW_S:
            return False
        return quiet or sent_s >= self._limit_s - 1.0

    # --- text in ---

    async def _receive(self) -> None:
        async for event in self._client:
            self._watcher.event(event)
            self._last_event_at = asyncio.get_running_loop().time()
            self._answered = self._answered or not isinstance(event, SessionOpened)
            match event:
                case InputTranscript(interim=False):
                    self._take(event)
                case GoingAway():
                    self._leave_at_s = self._transcript.sent_s - self._start_s + LEAVING_S
                case TurnComplete():
                    self._end_undated()
                    if self._sent_all:  # else the server ended a turn of its own: more will come
                        return
                case SessionClosed():
                    raise await self._server.lost(event)
                case _:
                    pass

    def _take(self, said: InputTranscript) -> None:
        start_s, end_s = said.start_s, said.end_s
        words = tuple(
            TimedWord(word.text, self._start_s + word.start_s, self._start_s + word.end_s)
            for word in said.words
        )
        if words and (start_s is None or end_s is None):
            start_s, end_s = said.words[0].start_s, said.words[-1].end_s
        if start_s is None or end_s is None:
            self._take_undated(said)
        elif text := said.text.strip():
            start_s, end_s = self._start_s + start_s, self._start_s + end_s
            self._watcher.subtitle(Subtitle(text, start_s, end_s, words, said.language))
            self._hear(end_s)

    def _take_undated(self, said: InputTranscript) -> None:
        """Give on whole sentences of text without times: each ends where the sound is now."""
        *whole, self._undated = _SENTENCE_BORDER.split(self._undated + said.text)
        if said.finished:
            whole, self._undated = [*whole, self._undated], ""
        elif len(self._undated) > _LONG_CHARACTERS and " " in self._undated.strip():
            words, _, self._undated = self._undated.rpartition(" ")  # a word may still go on
            whole = [*whole, words]
        self._give_undated(" ".join(whole))

    def _end_undated(self) -> None:
        text, self._undated = self._undated, ""
        self._give_undated(text)

    def _give_undated(self, text: str) -> None:
        if text.strip():
            start_s, self._undated_from_s = self._undated_from_s, self._transcript.sent_s
            self._watcher.subtitle(Subtitle(text.strip(), start_s, self._transcript.sent_s))

    def _hear(self, until_s: float) -> None:
        self._transcript.heard_s = max(self._transcript.heard_s, until_s)
        self._watcher.progress(self._transcript)
