"""JSON lines: one object a line on stdout, for programs.

Every object has ``type`` and ``t``, the seconds since the start (3 decimals). The rest:

    session_open        session_id, server (the label, where one is known)
    sent                text: a message that was typed, or read from a pipe
    input_transcript    text, interim, finished, start_s, end_s; language and words: [{word,
                        start_s, end_s}], where the server tells them
    output_transcript   turn, text, finished
    text                turn, text
    thought             turn, text
    audio               turn, bytes, ms, total_ms: of this message, and of the turn so far
    interrupted         turn, heard_ms (null where nothing was played)
    turn_complete       turn, interrupted, reason, latency_ms (end of the question to the first
                        sound that is heard), first_audio_ms, first_text_ms (to what arrives),
                        heard_ms, start_delay_ms, underruns, dry_ms (null: nothing was played)
    grounding           turn, grounding: groundingMetadata of the service, whole
    url_context         turn, url_context: urlContextMetadata of the service, whole
    code                turn, id, language, code: a program that the service runs, whole
    code_result         turn, id, outcome, output: what came of it, whole
    tool_call           calls: [{id, name, args}], or cancelled: [id]
    tool_result         id, name, state (done, failed, refused, cancelled), result; asked_t, begun_t
                        (null: it never ran): when, as `t`, which is when it ended; seconds from
                        asked_t to then
    usage               total, prompt, response, cached, thoughts, tool_use,
                        prompt_by_modality, response_by_modality: {"AUDIO": n, …}: a snapshot of the
                        turn, in place of an earlier one; session_total; estimated_dollars of the
                        turn, session_estimated_dollars, unpriced_tokens (null: no price is set)
    go_away             time_left_s
    device              role, state (open, lost, back, hands-free), name, message, away_s,
                        missed_frames
    images              role (camera, screen), source, state (on: images are sent from now on; lost:
                        the device is away; off), sent, saved, tokens
    image               one image has left: role (camera, screen, file), source, mime_type, bytes,
                        width, height, sha256
    echo                converged, erle_db: echo cancellation has learned the way from speaker to
                        microphone, or has to learn it anew
    stalled             silent_s: an answer is awaited, and nothing has come for so long
    reconnecting        code, reason, turn_lost: the answer that had begun ends here; `text` asks
                        again, and the answer comes anew as a turn of another number
    reconnected         restored: false where the server has forgotten what was said before
    session_close       code, reason, turn_lost; summary, where this was the end
    error               message; the last of all where the command fails

A value that is not known is null; ``summary`` has the fields of `view.Summary`. Notes go to stderr.
The output is ASCII, with all else as \\u escapes, so no control character can reach a terminal.
"""

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO, Unpack

from live_cli.errors import LiveError
from live_cli.prices import Prices
from live_cli.protocol import events
from live_cli.protocol.messages import UsageMetadata
from live_cli.ui.json_records import (
    Record,
    event_record,
    images_record,
    playback_facts,
    rounded,
    session_close_record,
    summary_facts,
    tool_result_record,
    usage_facts,
)
from live_cli.ui.printable import printable
from live_cli.ui.token_ledger import TokenLedger
from live_cli.ui.view import (
    CallStatus,
    DeviceNews,
    ImageState,
    ImageStatus,
    StatusChanges,
    Summary,
    TurnPlayback,
)

LATENCIES = ("latency_ms", "first_audio_ms", "first_text_ms")


class JsonView:
    """A `View` that writes every event as a JSON line. A closed stdout raises BrokenPipeError."""

    def __init__(
        self,
        *,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        prices: Prices | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stdout = sys.stdout if stdout is None else stdout
        self._stderr = sys.stderr if stderr is None else stderr
        self._clock = clock
        self._start = clock()
        self._label: str | None = None
        self._latencies: dict[str, float | None] = dict.fromkeys(LATENCIES)
        self._latency_turn = 0
        self._playback: TurnPlayback | None = None
        self._audio_turn = 0
        self._audio_ms = 0.0
        self._heard_ms: float | None = None
        self._last_close: Record | None = None
        self._echo_converged: bool | None = False
        self._tokens = TokenLedger(prices)
        self._begun_calls: dict[str, float] = {}
        self._image_state: ImageState = "off"
        self._open = False
        self._closed = False

    def event(self, event: events.Event) -> None:
        self._write_last_close()
        self._tokens = self._tokens.after(event)
        record = self._record(event)
        if isinstance(event, events.SessionClosed):
            # Held back: the record carries a summary if this close was the last.
            self._last_close, self._open = self._stamped(record or {}), False
        elif record is not None:
            self._write(self._stamped(record))

    def sent(self, text: str) -> None:
        self._write_last_close()
        self._write(self._stamped({"type": "sent", "text": text}))

    def note(self, text: str) -> None:
        self._stderr.write(printable(text) + "\n")
        self._stderr.flush()

    def error(self, text: str) -> None:
        self._write_last_close()
        self._write(self._stamped({"type": "error", "message": text}))

    def device(self, news: DeviceNews) -> None:
        self._write_last_close()
        self._write(self._stamped({"type": "device", **dataclasses.asdict(news)}))

    def tool_call(self, status: CallStatus) -> None:
        now = self._clock() - self._start
        if status.state == "running":
            self._begun_calls.setdefault(status.key, now)
        if status.is_over:
            self._write_last_close()
            begun = self._begun_calls.pop(status.key, None)
            self._write(self._stamped(tool_result_record(status, now, begun)))

    def images(self, status: ImageStatus) -> None:
        self._write_last_close()
        if status.state != self._image_state:
            self._image_state = status.state
            self._write(self._stamped(images_record(status)))
        if status.image is not None:
            told = {"type": "image", "role": status.role, "source": status.source}
            self._write(self._stamped({**told, **dataclasses.asdict(status.image)}))

    def levels(
        self, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
    ) -> None:
        if speaking:
            self._heard_ms = heard_ms

    def status(self, **changes: Unpack[StatusChanges]) -> None:
        self._label = changes.get("label", self._label)
        self._heard_ms = changes.get("heard_ms", self._heard_ms)
        self._playback = changes.get("playback", self._playback)
        turn = changes.get("latency_turn", self._latency_turn)
        if turn != self._latency_turn:
            self._latency_turn, self._latencies = turn, dict.fromkeys(LATENCIES)
        for name in LATENCIES:
            if name in changes:
                self._latencies[name] = changes[name]  # type: ignore[literal-required]
        self._note_echo(changes)

    def _note_echo(self, changes: StatusChanges) -> None:
        converged = changes.get("echo_converged", self._echo_converged)
        if converged != self._echo_converged:
            self._echo_converged = converged
            erle_db = rounded(changes.get("erle_db"))
            self._write(self._stamped({"type": "echo", "converged": converged, "erle_db": erle_db}))

    def close(self, summary: Summary | None = None) -> None:
        if self._closed:
            return
        self._closed = True
        if self._open:
            self._last_close = self._stamped(session_close_record(None, None, turn_lost=False))
            self._open = False
        if self._last_close is not None and summary is not None:
            self._last_close["summary"] = summary_facts(summary)
        self._write_last_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if isinstance(error, LiveError):
                self.error(str(error))
            self.close()
        except BrokenPipeError:
            if error is None:
                raise

    def _record(self, event: events.Event) -> Record | None:
        match event:
            case events.SessionOpened(session_id):
                self._open = True
                return {"type": "session_open", "session_id": session_id, "server": self._label}
            case events.AudioChunk():
                return self._audio(event)
            case events.Interrupted(turn):
                return {"type": "interrupted", "turn": turn, "heard_ms": rounded(self._heard_ms)}
            case events.TurnComplete():
                return self._turn_complete(event)
            case events.UsageReported(usage):
                return self._usage(usage)
            case _:
                return event_record(event)

    def _audio(self, chunk: events.AudioChunk) -> Record:
        if chunk.turn != self._audio_turn:
            self._audio_turn, self._audio_ms, self._heard_ms = chunk.turn, 0.0, None
        ms = len(chunk.data) / 2 / chunk.sample_rate * 1000
        self._audio_ms += ms
        return {
            "type": "audio",
            "turn": chunk.turn,
            "bytes": len(chunk.data),
            "ms": round(ms, 1),
            "total_ms": round(self._audio_ms, 1),
        }

    def _turn_complete(self, event: events.TurnComplete) -> Record:
        mine = self._latency_turn in (0, event.turn)
        latencies = {
            name: rounded(value) if mine else None for name, value in self._latencies.items()
        }
        self._latencies = dict.fromkeys(LATENCIES)
        playback, self._playback = self._playback, None
        return {
            "type": "turn_complete",
            "turn": event.turn,
            "interrupted": event.interrupted,
            "reason": event.reason,
            **latencies,
            **playback_facts(playback),
        }

    def _usage(self, usage: UsageMetadata) -> Record:
        of_turn, of_session = self._tokens.estimate_of(usage), self._tokens.estimate
        return {
            "type": "usage",
            **usage_facts(usage),
            "session_total": self._tokens.total,
            "estimated_dollars": of_turn.dollars if of_turn else None,
            "session_estimated_dollars": of_session.dollars if of_session else None,
            "unpriced_tokens": of_turn.unpriced_tokens if of_turn else None,
        }

    def _stamped(self, record: Record) -> Record:
        kind = record.pop("type")
        return {"type": kind, "t": round(self._clock() - self._start, 3), **record}

    def _write_last_close(self) -> None:
        if self._last_close is not None:
            record, self._last_close = self._last_close, None
            self._write(record)

    def _write(self, record: Record) -> None:
        # ensure_ascii leaves one control character unescaped: DEL.
        text = json.dumps(record, ensure_ascii=True)
        self._stdout.write(text.replace("\x7f", "\\u007f") + "\n")
        self._stdout.flush()
