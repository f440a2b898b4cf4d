"""`live-cli talk` on a sound card: questions to the microphone, answers from the speaker."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.harness.command import LIMIT_S, environment, live_cli, processes_in
from tests.harness.speech import QUESTION_WORDS, word_error_rate
from tests.harness.talking import Talk, sound, talking
from tests.harness.virtual_audio import VirtualAudio

RETURN_LIMIT_S = 4.0
"""Two seconds are promised; the rest is for a busy machine."""
LONG = "This answer goes on and on until somebody speaks. " * 12


def test_a_question_into_the_microphone_is_answered_at_the_speaker(
    virtual_audio: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    answer = "The capital of France is Paris."
    recorded = tmp_path / "recorded.wav"
    with talking(virtual_audio, tmp_path, LIVE_CLI_ENGINE_CHAT=f"scripted:{answer}") as talk:
        talk.until("session_open")
        with virtual_audio.recording(recorded):
            virtual_audio.feed(question)
            heard = talk.until("input_transcript")
            talk.until("turn_complete")
        assert talk.interrupt() == 0
        assert talk.process.stderr is not None
        assert talk.process.stderr.read() == ""
    assert word_error_rate(QUESTION_WORDS, heard["text"]) == 0.0
    words_at_the_speaker = live_cli("transcribe", recorded, home=tmp_path).stdout.decode()
    assert word_error_rate(answer, words_at_the_speaker) == 0.0
    assert processes_in(tmp_path) == []


def test_talking_over_a_long_answer_silences_it(
    virtual_audio: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    recorded = tmp_path / "recorded.wav"
    with talking(virtual_audio, tmp_path, LIVE_CLI_ENGINE_CHAT=f"scripted:{LONG}") as talk:
        talk.until("session_open")
        virtual_audio.feed(question)
        talk.until("audio", turn=1)
        with virtual_audio.recording(recorded):
            virtual_audio.feed(question)
            cut = talk.until("interrupted")
            talk.until("turn_complete", turn=1, interrupted=True)
            talk.until("audio", turn=2)
        assert talk.interrupt() == 0
    spoken_ms = sum(
        record["ms"] for record in talk.records if record.get("turn") == 1 and "ms" in record
    )
    assert cut["turn"] == 1
    assert 0 < cut["heard_ms"] < spoken_ms / 2
    # between the cut and the next answer the speaker is silent for as long as endpointing takes
    assert longest_silence_s(recorded) > 0.5


def test_enter_silences_a_long_answer_and_the_server_hears_of_it(
    virtual_audio: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    keyboard, terminal = pty.openpty()
    chat = f"scripted:{LONG}"
    with talking(virtual_audio, tmp_path, stdin=terminal, LIVE_CLI_ENGINE_CHAT=chat) as talk:
        talk.until("session_open")
        os.write(keyboard, b"\r")  # nobody speaks: it does nothing
        virtual_audio.feed(question)
        talk.until("audio", turn=1)
        os.write(keyboard, b"\r")
        cut = talk.until("interrupted")
        done = talk.until("turn_complete", turn=1)
        assert talk.interrupt() == 0
    os.close(keyboard)
    os.close(terminal)
    assert cut["turn"] == 1
    assert done["interrupted"]  # that is the server's word
    assert [record["type"] for record in talk.records].count("interrupted") == 1
    generated_ms = sum(record.get("ms", 0.0) for record in talk.records)
    assert (done["heard_ms"] or 0.0) < generated_ms


def test_one_session_survives_whatever_happens_to_its_devices(
    virtual_audio: VirtualAudio, tmp_path: Path, question: Path
) -> None:
    card = virtual_audio
    answer = "scripted:The capital of France is Paris."
    with talking(card, tmp_path, LIVE_CLI_ENGINE_CHAT=answer) as talk:
        talk.until("session_open")
        for device, role in (("mic", "microphone"), ("speaker", "speaker")):
            card.unplug(device)
            lost = talk.until("device", role=role, state="lost")
            assert lost["message"].startswith(f"The {role} was unplugged")
            card.replug(device)
            back = returns(talk, role)
            card.suspend(device)
            lost = talk.until("device", role=role, state="lost")
            assert lost["message"].startswith(f"The {role} fell silent")
            card.suspend(device, suspended=False)
            again = returns(talk, role)
            for record in (back, again):
                missed = round(record["away_s"] * 50) if role == "microphone" else 0
                assert record["missed_frames"] == missed
        card.kill()
        both_lost = [talk.until("device", state="lost")["role"] for _ in range(2)]
        assert sorted(both_lost) == ["microphone", "speaker"]
        card.start()
        both_back = [talk.until("device", state="back")["role"] for _ in range(2)]
        assert sorted(both_back) == ["microphone", "speaker"]
        card.feed(question)
        heard = talk.until("input_transcript")
        done = talk.until("turn_complete")
        assert talk.interrupt() == 0
        assert talk.process.stderr is not None
        assert talk.process.stderr.read() == ""  # nor anything of PortAudio's, meanwhile
        end = talk.until("session_close")
    assert word_error_rate(QUESTION_WORDS, heard["text"]) == 0.0
    assert done["heard_ms"] > 500  # the answer, after all of that
    changes = [record["state"] for record in talk.records if record["type"] == "device"]
    assert changes.count("lost") == changes.count("back") == 6
    assert sum(record["type"] == "session_open" for record in talk.records) == 1
    assert end["summary"]["missed_frames"] >= 3


def returns(talk: Talk, role: str) -> dict[str, Any]:
    """Return the record that ``role`` is back, which may take two seconds from now."""
    asked = time.monotonic()
    back = talk.until("device", role=role, state="back")
    assert time.monotonic() - asked < RETURN_LIMIT_S
    return back


def longest_silence_s(path: Path) -> float:
    """The longest run of digital silence after the first sound, up to the end."""
    samples, rate = soundfile.read(path, dtype="int16")
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 8)
    assert loud.size
    return float(np.diff([*loud, samples.size]).max()) / rate


def test_the_terminal_is_as_it_was_after_ctrl_c(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    import termios

    screen, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    process = subprocess.Popen(
        [sys.executable, "-m", "live_cli", "talk"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**environment(tmp_path), **sound(virtual_audio), "TERM": "xterm-256color"},
        start_new_session=True,
    )
    shown = read_until(screen, b"listening")
    os.kill(process.pid, signal.SIGINT)
    drain = threading.Thread(target=read_all, args=(screen, shown), daemon=True)
    drain.start()
    assert process.wait(LIMIT_S) == 0
    assert termios.tcgetattr(terminal) == before
    os.close(terminal)
    drain.join(LIMIT_S)
    os.close(screen)
    assert b"turns in" in shown
    assert bytes(shown).rfind(b"\x1b[?25h") > bytes(shown).rfind(b"\x1b[?25l")
    assert processes_in(tmp_path) == []


def read_until(screen: int, wanted: bytes) -> bytearray:
    shown = bytearray()
    while wanted not in shown:
        shown += os.read(screen, 65_536)
    return shown


def read_all(screen: int, shown: bytearray) -> None:
    try:
        while data := os.read(screen, 65_536):
            shown += data
    except OSError:
        pass
