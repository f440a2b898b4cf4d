"""`live-cli talk` on open speakers: what is played comes back 80 ms later, at half its size."""

import time
from pathlib import Path

import pytest

from tests.rig.virtual_audio import VirtualAudio
from tests.talking import Talk, talking

ANSWER = "This answer goes on and on until somebody speaks. " * 5
LONG = "This answer goes on and on until somebody speaks. " * 40


@pytest.fixture
def open_speakers(virtual_audio: VirtualAudio) -> VirtualAudio:
    virtual_audio.connect_echo(delay_ms=80, gain_db=-6)
    return virtual_audio


def ask(talk: Talk, card: VirtualAudio, question: Path) -> None:
    talk.until("session_open")
    card.feed(question)
    talk.until("audio", turn=1)


def test_a_long_answer_is_not_interrupted_by_itself(
    open_speakers: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    with talking(open_speakers, tmp_path, LIVE_CLI_ENGINE_CHAT=f"scripted:{ANSWER}") as talk:
        ask(talk, open_speakers, question)
        turn = talk.until("turn_complete")
        assert talk.interrupt() == 0
        closed = talk.until("session_close")
    assert not turn["interrupted"]
    assert [record for record in talk.records if record["type"] == "interrupted"] == []
    spoken_ms = max(record["total_ms"] for record in talk.records if record["type"] == "audio")
    assert spoken_ms > 12_000
    assert closed["summary"]["echo_converged"]
    assert closed["summary"]["erle_db"] > 10


def test_without_cancellation_it_is(
    open_speakers: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    with talking(
        open_speakers, tmp_path, "--no-echo-cancel", LIVE_CLI_ENGINE_CHAT=f"scripted:{ANSWER}"
    ) as talk:
        ask(talk, open_speakers, question)
        assert talk.until("turn_complete", turn=1)["interrupted"]


def test_a_question_over_the_answer_interrupts_it(
    open_speakers: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    with talking(open_speakers, tmp_path, LIVE_CLI_ENGINE_CHAT=f"scripted:{LONG}") as talk:
        ask(talk, open_speakers, question)
        time.sleep(5)
        open_speakers.feed(question)
        cut = talk.until("interrupted")
        talk.until("turn_complete", turn=1, interrupted=True)
    assert cut["turn"] == 1
    assert cut["heard_ms"] > 4_000
