"""One speech file through a session: its sound out, its transcript in.

A file is one manual activity: ``activityStart``, its sound, ``activityEnd``; the turn's end is the
transcript's end, so nothing is guessed. A server that is the command's own child process is fed as
fast as it takes the sound, any other in real time, as the Live API is meant to be fed. A file
longer than the model takes in one session goes through several, cut where a block is quiet.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
    InputTranscript,
    SessionClosed,
    SessionOpened,
    TurnComplete,
)
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from live_cli.ui.subtitles.subtitles import Subtitle

CHUNK_SAMPLES = INPUT_SAMPLE_RATE // 4
"""Sound in one message: a quarter of a second."""
CUT_WINDOW_S = 20.0
"""Before the limit of a session: from here on a quiet chunk ends the session."""
QUIET = 0.01
"""RMS of full scale (-40 dBFS): a chunk below it is a place to cut."""
SILENT_SERVER_S = 10.0
"""After the end of the sound: a server by its URL that sends nothing for so long is done, also
without ending the turn. A child process always ends its turns."""

ProgressCallback = Callable[[float, float | None], None]
"""Called with the seconds sent so far, and the length of the file where it is known."""
Watch = Callable[[Event], None]
"""Called with every event of a session."""


@dataclass
class Transcript:
    """The speech of a file as text. ``warning``: what was wrong with the file, if anything."""

    subtitles: list[Subtitle] = field(default_factory=list)
    duration_s: float = 0.0
    warning: str | None = None


async def transcribe_file(
    server: RunningServer,
    plan: SessionPlan,
    file: str,
    progress: ProgressCallback,
    watch: Watch = lambda _: None,
) -> Transcript:
    """Transcribe one file; ``watch`` is told every event of its sessions.

    Raises InputFileError for the file, other LiveErrors for the session.
    """
    transcript = Transcript()
    with await asyncio.to_thread(open_speech, file) as speech:
        chunks = _chunks(speech)
        more = True
        while more:
            client = await server.connect(plan.setup)
            async with client:
                part = _Part(server, client, transcript, plan.model.max_audio_s, watch)
                more = await part.run(chunks, speech.duration_s, progress)
        transcript.warning = speech.warning
    return transcript


def _chunks(speech: SpeechReader) -> Iterator[Samples]:
    for block in speech:
        yield from (
            block[start : start + CHUNK_SAMPLES] for start in range(0, block.size, CHUNK_SAMPLES)
        )


class _Part:
    """As much of a file as one session takes; times count from the start of the file."""

    def __init__(
        self,
        server: RunningServer,
        client: LiveClient,
        transcript: Transcript,
        limit_s: float | None,
        watch: Watch,
    ) -> None:
        self._watch = watch
        self._server = server
        self._client = client
        self._transcript = transcript
        self._limit_s = None if server.is_ours else limit_s
        self._start_s = transcript.duration_s
        self._undated = ""
        self._sent_all = False
        self._heard_at = 0.0
        self._heard_any = False

    async def run(
        self, chunks: Iterator[Samples], length_s: float | None, progress: ProgressCallback
    ) -> bool:
        """Send and receive until the transcript is whole. Returns whether the file goes on."""
        sending = asyncio.create_task(self._send(chunks, length_s, progress))
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
        return more

    async def _wait_for_the_end(self, receiving: "asyncio.Task[None]") -> None:
        clock = asyncio.get_running_loop().time
        self._heard_at = clock()
        while not receiving.done():
            left_s = None if self._server.is_ours else self._heard_at + SILENT_SERVER_S - clock()
            if left_s is not None and left_s <= 0:
                if not self._heard_any:
                    raise SessionError(self._server.said_nothing(SILENT_SERVER_S))
                self._end_undated()
                return
            await asyncio.wait((receiving,), timeout=left_s)
        receiving.result()

    async def _send(
        self, chunks: Iterator[Samples], length_s: float | None, progress: ProgressCallback
    ) -> bool:
        clock = asyncio.get_running_loop().time
        started = clock()
        more = False
        await self._client.send(compose.activity_start())
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            await self._client.send(compose.audio(pcm16_from_float(chunk)))
            self._transcript.duration_s += chunk.size / INPUT_SAMPLE_RATE
            progress(self._transcript.duration_s, length_s)
            sent_s = self._transcript.duration_s - self._start_s
            if not self._server.is_ours:
                await asyncio.sleep(max(0.0, started + sent_s - clock()))
            if self._must_cut(sent_s, chunk):
                more = True
                break
        self._sent_all = True
        await self._client.send(compose.activity_end())
        return more

    def _must_cut(self, sent_s: float, chunk: Samples) -> bool:
        if self._limit_s is None or sent_s < self._limit_s - CUT_WINDOW_S:
            return False
        quiet = float(np.sqrt(np.mean(chunk * chunk))) < QUIET
        return quiet or sent_s >= self._limit_s - 1.0

    async def _receive(self) -> None:
        async for event in self._client:
            self._watch(event)
            self._heard_at = asyncio.get_running_loop().time()
            self._heard_any = self._heard_any or not isinstance(event, SessionOpened)
            match event:
                case InputTranscript(interim=False):
                    self._take(event)
                case TurnComplete():
                    self._end_undated()
                    if self._sent_all:  # else the server ended a turn of its own: more will come
                        return
                case SessionClosed():
                    raise await self._server.lost(event)
                case _:
                    pass

    def _take(self, said: InputTranscript) -> None:
        if said.start_s is None or said.end_s is None:
            self._undated += said.text
            if said.finished:
                self._end_undated()
        elif said.text.strip():
            start_s, end_s = self._start_s + said.start_s, self._start_s + said.end_s
            self._transcript.subtitles.append(Subtitle(said.text.strip(), start_s, end_s))

    def _end_undated(self) -> None:
        """Close a subtitle without times: it lasts from the end of the one before until now."""
        text, self._undated = self._undated.strip(), ""
        if text:
            subtitles = self._transcript.subtitles
            start_s = subtitles[-1].end_s if subtitles else self._start_s
            subtitles.append(Subtitle(text, start_s, self._transcript.duration_s))
