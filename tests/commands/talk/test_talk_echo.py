"""`live-cli talk` on open speakers: the echo comes 80 ms later, at half the amplitude."""

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests.harness.speech import QUESTION_WORDS, word_error_rate
from tests.harness.talking import Talk, talking
from tests.harness.virtual_audio import VirtualAudio

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


def test_who_speaks_over_the_answer_turns_it_down_until_the_server_lets_it_go_on(
    open_speakers: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    recorded = tmp_path / "recorded.wav"
    steady = {"LIVE_CLI_ENGINE_CHAT": f"scripted:{LONG}", "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted"}
    with talking(open_speakers, tmp_path, "--no-interruption", **steady) as talk:
        ask(talk, open_speakers, question)
        talk.until("echo", converged=True)
        with open_speakers.recording(recorded):
            talk.during(1.0, "interrupted")
            open_speakers.feed(question)
    levels = levels_db(recorded)
    low = levels < np.median(levels) - 10
    assert not low[:10].any()
    began = int(np.argmax(low))
    lasted = int(np.argmin(low[began:]))
    assert 6 <= lasted <= 14  # tenths of a second: one is given to the server
    assert np.median(levels[began : began + lasted]) - np.median(levels) > -20


def levels_db(recorded: Path) -> npt.NDArray[np.float64]:
    """The level of each tenth of a second and the next."""
    samples, rate = soundfile.read(recorded)
    tenths = np.array_split(samples, samples.size * 10 // rate)
    powers = np.array([np.mean(tenth**2) for tenth in tenths])
    return 10 * np.log10((powers[1:] + powers[:-1]) / 2 + 1e-12)


def test_half_duplex_hears_nothing_while_it_speaks_and_all_afterwards(
    open_speakers: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    chat = "scripted:This answer is short, but long enough for a question over it.|Good day."
    with talking(open_speakers, tmp_path, "--half-duplex", LIVE_CLI_ENGINE_CHAT=chat) as talk:
        ask(talk, open_speakers, question)
        open_speakers.feed(question)
        assert not talk.until("turn_complete", turn=1)["interrupted"]
        talk.during(1.5, "interrupted")
        open_speakers.feed(question)
        heard = talk.until("input_transcript")
        talk.until("turn_complete", turn=2)
    assert word_error_rate(QUESTION_WORDS, heard["text"]) == 0.0
    transcripts = [record for record in talk.records if record["type"] == "input_transcript"]
    assert len(transcripts) == 2
