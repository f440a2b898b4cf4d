"""A recorded conversation: sound, events and words as files, written by a thread of their own.

Microphone, speaker and views only put things into a bounded queue, which the writer empties four
times a second. So a slow disk costs parts of the recording, counted and said, and never a callback
its time. What is written is flushed at once: a process that is killed, at whatever moment, leaves
playable sound up to two seconds before its end, whole lines, and the captions of some seconds ago.
"""

import contextlib
import io
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from live_cli.audio.files.flac_writer import FlacWriter
from live_cli.audio.pcm import Samples
from live_cli.audio.playback.playout import Span
from live_cli.audio.stereo_mix import StereoMix
from live_cli.errors import InputFileError
from live_cli.prices import Prices
from live_cli.protocol.events import (
    Event,
    InputTranscript,
    Interrupted,
    SessionOpened,
    TurnComplete,
)
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE
from live_cli.ui.json_lines import JsonView
from live_cli.ui.plain import PlainView
from live_cli.ui.subtitles.dialogue import Dialogue, PlayedTurn
from live_cli.ui.subtitles.subtitles import render
from live_cli.ui.view import View
from live_cli.whole_files import replacing

HELD_BACK_S = 2.0
"""Sound older than this is written: by then all of it has come, whatever the devices' latency."""
QUEUE_LIMIT = 6_000
"""A minute of both sides, 20 ms a piece."""
_LOOK_EVERY_S = 0.25
_NEARLY_FULL_BYTES = 1 << 20
_WORTH_SAYING_S = 0.05
_CAPTIONS_EVERY_S = 2.0
_CAPTIONS_SHARE = 0.02
"""Share of the time that goes into captions while the recording runs: they are written anew, since
later sound moves earlier ones, and that takes longer the more there are."""
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY
_SOUND, _EVENTS, _WORDS, _CAPTIONS = ".flac", ".jsonl", ".txt", ".srt"


class Recording:
    """Four files in ``folder``, named by the time of the start; nothing that exists is touched.

    The microphone's side is the sound that was let through to be sent; what a slow connection drops
    after that is recorded all the same, and counted in the summary.

    Raises InputFileError when the files cannot be made. A later failure is told to ``tell``, once,
    from the writer's thread; the conversation goes on unrecorded.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        tell: Callable[[str], None],
        prices: Prices | None = None,
    ) -> None:
        self._tell = tell
        self._queue: deque[Callable[[], object]] = deque()
        self._dropped = 0
        self._failed = False
        self._opened = False
        self._last_words: str | None = None
        self._stopping = threading.Event()
        self._paths = _new_files(Path(folder).expanduser())
        self._events = _LineFile(self._paths[_EVENTS])
        self._words = _LineFile(self._paths[_WORDS])
        self._flac = FlacWriter(self._paths[_SOUND], OUTPUT_SAMPLE_RATE, 2)
        self._start = time.monotonic()
        self._mix = StereoMix(self._start)
        self._dialogue = Dialogue()
        self._captions_changed = False
        self._captions_due = self._start
        self.views = self._views(prices)
        """The views that write the events and the words: shown the session like any other."""
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    @property
    def sound_path(self) -> Path:
        """The FLAC file: left the microphone, right the model."""
        return self._paths[_SOUND]

    def _views(self, prices: Prices | None) -> tuple[View, ...]:
        nowhere = _Sink(lambda text: None)
        words = _Sink(lambda text: self._put(lambda: self._words.write(text)))
        events = _Sink(lambda text: self._put(lambda: self._events.write(text)))
        return (
            _CaptionView(self._caption, stdout=words, stderr=nowhere),
            JsonView(stdout=events, stderr=nowhere, prices=prices),
        )

    # --- what is put into the queue, by any thread -------------------------------------------

    def sent(self, pcm16: bytes, ends_at: float) -> None:
        """Record sound on its way to the server, as a `SentCallback`."""
        self._put(lambda: self._mix.sent(pcm16, ends_at))

    def played(self, block: Samples, at: float, spans: tuple[Span, ...]) -> None:
        """Record a block as it is played, as a `PlayedCallback`."""
        self._put(lambda: self._mix.played(block, at, spans))

    def _caption(self, event: Event | str) -> None:
        """Note an event, or a line that was typed, for the captions."""
        at_s = time.monotonic() - self._start
        if isinstance(event, str):
            self._put(lambda: self._note(lambda: self._dialogue.sent(event, at_s)))
            return
        self._opened = self._opened or isinstance(event, SessionOpened)
        closes = isinstance(event, TurnComplete | Interrupted | InputTranscript)
        self._put(lambda: self._note(lambda: self._dialogue.event(event, at_s), changed=closes))

    def _note(self, act: Callable[[], object], *, changed: bool = True) -> None:
        act()
        self._captions_changed = self._captions_changed or changed

    def _put(self, act: Callable[[], object]) -> None:
        if len(self._queue) < QUEUE_LIMIT:
            self._queue.append(act)
        else:
            self._dropped += 1

    # --- the writer --------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            self._write(lambda: self._mix.take(time.monotonic() - HELD_BACK_S))

    def _write(self, sound: Callable[[], npt.NDArray[np.float32]] | None) -> None:
        """Do what is queued, then write ``sound``; after a first failure, do nothing."""
        try:
            for _ in range(len(self._queue)):
                act = self._queue.popleft()
                if not self._failed:
                    act()
            if self._failed:
                return
            if sound is not None and (stereo := sound()).size:
                self._flac.write(stereo)
            self._events.flush()
            self._words.flush()
            if self._captions_changed and time.monotonic() >= self._captions_due:
                self._write_captions()
        except OSError as exc:
            self._fail(exc)

    def _fail(self, exc: OSError) -> None:
        if self._failed:
            return
        self._failed = True
        why = f"{self.sound_path} cannot be written any more ({self._why(exc)})"
        if self._stopping.is_set():
            self._last_words = f"{why}: its end is lost."
        else:
            self._tell(f"{why}: the conversation goes on unrecorded.")

    def _why(self, exc: OSError) -> str:
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self.sound_path.parent).free < _NEARLY_FULL_BYTES:
                return "the disk is full"
        return exc.strerror or str(exc)

    # --- the end -----------------------------------------------------------------------------

    def end_sound(self) -> str | None:
        """Write the sound to its end, once both devices are closed.

        Returns a sentence about what is missing in it, or None.
        """
        self._stopping.set()
        self._thread.join()
        self._write(self._mix.rest)
        try:
            self._flac.close()
        except OSError as exc:
            self._fail(exc)
        lost_s = self._mix.lost_s
        if self._last_words is None and (self._dropped or lost_s > _WORTH_SAYING_S):
            return (
                f"{self.sound_path} has holes: {self._dropped} pieces came faster than they could "
                f"be written, {lost_s:.1f} s came too late."
            )
        return self._last_words

    def close(self) -> None:
        """Write what the views said last, and the captions. Without a session all files go."""
        self._write(None)
        for file in (self._events, self._words):
            with contextlib.suppress(OSError):  # a full disk, which has been told
                file.close()
        if not self._opened:
            for path in self._paths.values():
                path.unlink(missing_ok=True)
            return
        with contextlib.suppress(OSError):
            self._write_captions()

    def _write_captions(self) -> None:
        """Write all captions so far, in one step: a reader finds those before or these, whole."""
        began = time.monotonic()
        self._captions_changed = False
        with replacing(self._paths[_CAPTIONS]) as file:
            file.write(self._captions().encode())
        now = time.monotonic()
        self._captions_due = now + max(_CAPTIONS_EVERY_S, (now - began) / _CAPTIONS_SHARE)

    def _captions(self) -> str:
        mix = self._mix
        turns = {
            turn: PlayedTurn(places.end_s, places.at) for turn, places in mix.turn_places.items()
        }
        subtitles = self._dialogue.subtitles(mix.sent_places.at, mix.speech.runs, turns)
        return render(subtitles, "srt", name=self.sound_path.name, duration_s=0.0)


class _CaptionView(PlainView):
    """Writes the transcript as plain lines, and passes events and typed lines on for captions."""

    def __init__(
        self, caption: Callable[[Event | str], None], *, stdout: "_Sink", stderr: "_Sink"
    ) -> None:
        super().__init__(stdout=stdout, stderr=stderr)
        self._caption = caption

    def event(self, event: Event) -> None:
        self._caption(event)
        super().event(event)

    def sent(self, text: str) -> None:
        self._caption(text)
        super().sent(text)


class _LineFile:
    """A text file that has whole lines on the disk at any moment: none is written in parts."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._pending = ""

    def write(self, text: str) -> None:
        self._pending += text

    def flush(self) -> None:
        """Write the lines that are complete. Raises OSError; what it could not write is dropped."""
        lines, end, self._pending = self._pending.rpartition("\n")
        self._write(lines + end)

    def close(self) -> None:
        """Write what is left, and close the file. Raises OSError."""
        with self._file:
            self._write(self._pending)
            self._pending = ""

    def _write(self, text: str) -> None:
        left = memoryview(text.encode())
        while left:
            left = left[self._file.write(left) :]


class _Sink(io.StringIO):
    """A text stream that passes on what is written to it."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        super().__init__()
        self._on_text = on_text

    def write(self, text: str, /) -> int:
        self._on_text(text)
        return len(text)


def _new_files(folder: Path) -> dict[str, Path]:
    """Create the empty files of one recording, readable by their owner alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        start = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        for number in count(1):
            stem = start if number == 1 else f"{start}-{number}"
            paths = {end: folder / (stem + end) for end in (_SOUND, _EVENTS, _WORDS, _CAPTIONS)}
            if _create(paths.values()):
                return paths
    except OSError as exc:
        raise InputFileError(
            f"{folder} cannot take a recording: {exc.strerror or exc}. Name a folder with --record."
        ) from exc
    raise AssertionError("there is always a next number")


def _create(paths: Iterable[Path]) -> bool:
    """Create all of ``paths``, or none where one is there already."""
    made: list[Path] = []
    for path in paths:
        try:
            os.close(os.open(path, _NEW, 0o600))
        except FileExistsError:
            for other in made:
                other.unlink()
            return False
        made.append(path)
    return True
