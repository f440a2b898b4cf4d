"""A file through a foreign server, which tells no times and ends turns at any time, or never."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from websockets.asyncio.server import ServerConnection, serve

from live_cli.commands.connect import RunningServer
from live_cli.commands.transcribe import one_file as transcription
from live_cli.commands.transcribe.one_file import Transcript
from live_cli.errors import SessionError
from live_cli.net.address import Address
from live_cli.plan.plan import SessionPlan, plan_session
from live_cli.protocol.events import Event
from live_cli.protocol.messages import (
    GoAway,
    ServerContent,
    ServerMessage,
    SetupComplete,
    TranscribedWord,
    Transcription,
)
from live_cli.protocol.wire import decode_client, encode
from live_cli.settings.schema import Settings
from live_cli.ui.subtitles.captions import Subtitle


class Watched:
    """What was told of a file."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.subtitles: list[Subtitle] = []
        self.steps: list[tuple[float, float]] = []
        self.real_time_sessions = 0

    def event(self, event: Event) -> None: ...

    def subtitle(self, subtitle: Subtitle) -> None:
        self.subtitles.append(subtitle)

    def progress(self, transcript: Transcript) -> None:
        self.steps.append((transcript.sent_s, transcript.heard_s))

    def real_time(self) -> None:
        self.real_time_sessions += 1

    def note(self, text: str) -> None: ...


def heard(text: str, **more: Any) -> bytes:
    said = Transcription(text=text, **more)
    return encode(ServerMessage(server_content=ServerContent(input_transcription=said)))


DONE = encode(ServerMessage(server_content=ServerContent(turn_complete=True)))


class Script:
    """Says ``early`` with the first sound and ``late`` after the activity, in each session."""

    def __init__(self, early: list[bytes], late: list[bytes], *, leaves: bool = False) -> None:
        self.early, self.late, self.leaves = early, late, leaves
        self.sessions: list[list[str]] = []

    async def handle(self, socket: ServerConnection) -> None:
        kinds: list[str] = []
        self.sessions.append(kinds)
        await socket.send(encode(ServerMessage(setup_complete=SetupComplete())))
        async for frame in socket:
            given = decode_client(frame).realtime_input
            if given is None:
                continue
            kind = next(n for n in given.__struct_fields__ if getattr(given, n) is not None)
            if kind == "audio" and kind not in kinds:
                for message in self.early:
                    await socket.send(message)
            kinds.append(kind)
            if kind == "activity_end":
                for message in self.late:
                    await socket.send(message)
                if self.leaves:
                    await socket.close(1011, "The service is currently unavailable.")


@pytest.fixture
def transcribe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """One second of sound, in real time, to a script."""
    monkeypatch.setattr(transcription, "SILENT_SERVER_S", 0.3)
    file = tmp_path / "second.wav"
    soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000)

    async def run(script: Script, watched: Watched | None = None, **model: Any) -> Watched:
        watched = watched or Watched()
        async with serve(script.handle, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            address = Address(f"ws://127.0.0.1:{port}", None, "v1beta", "the bench")
            plan: SessionPlan = plan_session(Settings(server=address.url), "transcribe")
            plan = replace(plan, model=replace(plan.model, **model))
            await transcription.transcribe_file(
                RunningServer(address), plan, str(file), watched.transcript, watched
            )
            return watched

    return run


async def test_deltas_without_times_become_one_segment(transcribe: Callable[..., Any]) -> None:
    script = Script(
        [heard(" How many"), heard(" legs")], [heard(" does it ha"), heard("ve?"), DONE]
    )
    transcript = await transcribe(script)
    [subtitle] = transcript.subtitles
    assert subtitle.text == "How many legs does it have?"
    assert (subtitle.start_s, subtitle.end_s) == (0.0, pytest.approx(1.0))


async def test_a_turn_that_the_server_ends_early_does_not_end_the_file(
    transcribe: Callable[..., Any],
) -> None:
    script = Script([heard("One."), DONE], [heard("Two."), DONE])
    transcript = await transcribe(script)
    assert [subtitle.text for subtitle in transcript.subtitles] == ["One.", "Two."]


async def test_a_server_that_never_ends_a_turn_is_done_when_it_falls_silent(
    transcribe: Callable[..., Any],
) -> None:
    transcript = await transcribe(Script([], [heard("All.", finished=True), heard(" Of it")]))
    assert [subtitle.text for subtitle in transcript.subtitles] == ["All.", "Of it"]


async def test_a_server_that_says_nothing_is_no_empty_transcript(
    transcribe: Callable[..., Any],
) -> None:
    with pytest.raises(SessionError, match="said nothing"):
        await transcribe(Script([], []))


async def test_a_long_file_goes_in_parts_whose_times_go_on(transcribe: Callable[..., Any]) -> None:
    said = heard("Part.", start_offset="0.25s", end_offset="1s")
    script = Script([], [said, DONE])
    transcript = await transcribe(script, max_audio_s=1.5)
    starts = [subtitle.start_s for subtitle in transcript.subtitles]
    assert len(script.sessions) == len(starts) > 1
    assert all(kinds[0] == "activity_start" for kinds in script.sessions)
    assert all(kinds[-1] == "activity_end" for kinds in script.sessions)
    assert starts[0] == 0.25
    assert starts == sorted(set(starts))
    sent = sum(kinds.count("audio") for kinds in script.sessions)
    assert transcript.transcript.sent_s == pytest.approx(sent * 0.25, abs=0.25)


async def test_a_server_that_leaves_is_said(transcribe: Callable[..., Any]) -> None:
    with pytest.raises(SessionError, match="overloaded"):
        await transcribe(Script([], [heard("Half")], leaves=True))


async def test_text_without_times_is_told_sentence_by_sentence(
    transcribe: Callable[..., Any],
) -> None:
    script = Script([heard("One. Two"), heard(" and. Th")], [heard("ree."), DONE])
    watched = Watched()
    await transcribe(script, watched)
    assert [subtitle.text for subtitle in watched.subtitles] == ["One.", "Two and.", "Three."]
    assert watched.subtitles[0].end_s < 1.0  # told while the sound went on


async def test_what_was_said_before_the_session_broke_off_is_told(
    transcribe: Callable[..., Any],
) -> None:
    watched = Watched()
    with pytest.raises(SessionError):
        await transcribe(Script([heard("One. And ")], [heard("half")], leaves=True), watched)
    assert [subtitle.text for subtitle in watched.subtitles] == ["One.", "And half"]


async def test_a_server_that_does_not_say_so_is_fed_in_real_time(
    transcribe: Callable[..., Any],
) -> None:
    watched = await transcribe(Script([], [heard("All."), DONE]))
    assert watched.real_time_sessions == 1
    # the bar goes with the sound
    assert [sent for sent, told in watched.steps if sent != told] == []


async def test_a_connection_that_will_end_is_left_at_the_next_quiet_moment(
    transcribe: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcription, "LEAVING_S", 0.25)
    leaving = encode(ServerMessage(go_away=GoAway(time_left="50s")))
    script = Script([leaving], [heard("Part."), DONE])
    watched = await transcribe(script)
    assert len(script.sessions) > 1
    assert sum(kinds.count("audio") for kinds in script.sessions) == 4
    assert [subtitle.text for subtitle in watched.subtitles] == ["Part."] * len(script.sessions)


async def test_words_with_times_date_a_transcript_that_has_none(
    transcribe: Callable[..., Any],
) -> None:
    words = [
        TranscribedWord("Two", "0.1s", "0.3s"),
        TranscribedWord("words.", "0.4s", "0.9s"),
        TranscribedWord("undated"),
    ]
    watched = await transcribe(
        Script([], [heard(" Two words.", words=words, language_code="fr"), DONE])
    )
    [subtitle] = watched.subtitles
    assert (subtitle.start_s, subtitle.end_s, subtitle.language) == (0.1, 0.9, "fr")
    assert [word.text for word in subtitle.words] == ["Two", "words."]
