"""`live-cli talk` with files in place of microphone and speaker, on the real engine."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.harness.command import json_lines, live_cli, of_type, processes_in
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_error_rate
from tests.harness.virtual_audio import VirtualAudio

KNOWN = {"LIVE_CLI_ENGINE_CHAT": "scripted:A dog has four legs. A bird has two wings."}
SPOKEN = {"LIVE_CLI_SYSTEM": "Answer in one short sentence."}


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, object]], Path, Path]:
    """One conversation: the question answered into a file, with its JSON lines.

    Transcriber and synthesizer are real; the words are given, since the bundled model finds others
    each time.
    """
    home = tmp_path_factory.mktemp("home")
    answer = home / "answer.wav"
    done = live_cli("talk", "--input", QUESTION, "--output", answer, "--json", home=home, env=KNOWN)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert processes_in(home) == []
    return json_lines(done.stdout), answer, home


def test_nothing_is_kept_for_anybody_but_the_user(
    talk: tuple[list[dict[str, object]], Path, Path],
) -> None:
    """Telemetry of a library would show as an identifier and a database in the home folder."""
    _, answer, home = talk
    files = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    copies = {name for name in files if name.startswith(".cache/live-cli/quick/SmolLM2")}
    assert len(copies) == 1
    assert files - copies == {answer.name, ".local/state/live-cli/serve-child.log"}


def test_the_question_is_heard(talk: tuple[list[dict[str, object]], Path, Path]) -> None:
    records, _, _ = talk
    heard = "".join(str(record["text"]) for record in of_type(records, "input_transcript"))
    assert word_error_rate(QUESTION_WORDS, heard) == 0.0


def test_what_is_heard_of_the_answer_is_what_its_transcript_says(
    talk: tuple[list[dict[str, object]], Path, Path],
) -> None:
    records, answer, home = talk
    said = "".join(str(record["text"]) for record in of_type(records, "output_transcript"))
    heard = live_cli("transcribe", answer, home=home).stdout.decode()
    assert word_error_rate(said, heard) == 0.0
    assert soundfile.info(answer).samplerate == 24_000


def test_the_whole_answer_is_played(talk: tuple[list[dict[str, object]], Path, Path]) -> None:
    records, answer, _ = talk
    sent = sum(int(str(record["bytes"])) for record in of_type(records, "audio")) // 2
    samples, _ = soundfile.read(answer, dtype="int16")
    assert sent > 0
    assert sent <= samples.size <= sent + 24_000
    loud = np.abs(samples.astype(np.int32))
    assert loud.max() > 1000


def test_the_turn_has_its_latencies_and_its_tokens(
    talk: tuple[list[dict[str, object]], Path, Path],
) -> None:
    records, _, _ = talk
    [turn] = of_type(records, "turn_complete")
    assert turn["interrupted"] is False
    assert float(str(turn["latency_ms"])) > 0
    [usage] = of_type(records, "usage")
    assert isinstance(usage["response_by_modality"], dict)
    assert usage["response_by_modality"]["AUDIO"] > 0
    assert records[0]["type"] == "session_open"
    assert records[-1]["type"] == "session_close"


def test_speaking_over_a_long_answer_stops_it(tmp_path: Path) -> None:
    speech, rate = soundfile.read(QUESTION, dtype="float32")
    pause = np.zeros(int(3.0 * rate), dtype=np.float32)
    twice = tmp_path / "twice.wav"
    soundfile.write(twice, np.concatenate([speech, pause, speech]), rate)
    done = live_cli(
        "talk",
        "--input",
        twice,
        "--output",
        tmp_path / "answer.wav",
        "--json",
        home=tmp_path,
        env={"LIVE_CLI_ENGINE_CHAT": "scripted:" + "This is a long answer. " * 40 + "|Done."},
    )
    records = json_lines(done.stdout)
    assert done.returncode == 0, done.stderr
    [cut] = of_type(records, "interrupted")
    assert cut["turn"] == 1
    turns = of_type(records, "turn_complete")
    assert [turn["interrupted"] for turn in turns] == [True, False]


def test_push_to_talk_takes_the_file_as_one_activity(tmp_path: Path) -> None:
    answer = tmp_path / "answer.wav"
    done = live_cli(
        "talk",
        "--input",
        QUESTION,
        "--output",
        answer,
        "--push-to-talk",
        "--json",
        home=tmp_path,
        env=SPOKEN,
    )
    records = json_lines(done.stdout)
    assert done.returncode == 0, done.stderr
    heard = "".join(str(record["text"]) for record in of_type(records, "input_transcript"))
    assert word_error_rate(QUESTION_WORDS, heard) == 0.0
    assert len(of_type(records, "turn_complete")) == 1


def test_the_sound_can_go_to_stdout_and_the_words_to_stderr(tmp_path: Path) -> None:
    done = live_cli("talk", "--input", QUESTION, "--output", "-", home=tmp_path, env=SPOKEN)
    assert done.returncode == 0
    assert np.abs(np.frombuffer(done.stdout, dtype="<i2").astype(int)).max() > 1000
    assert QUESTION_WORDS in done.stderr.decode()


def test_a_machine_without_sound_is_told_the_file_form(tmp_path: Path, sound_folder: Path) -> None:
    card = VirtualAudio(sound_folder)
    card.prepare()  # its settings, and no daemon behind them
    done = live_cli("talk", home=tmp_path, env=card.env)
    said = done.stderr.decode()
    assert done.returncode == 5
    assert said.count("\n") == 1
    assert "--input question.wav --output answer.wav" in said
    assert processes_in(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a disk that is always full")
def test_a_full_disk_ends_the_talk(tmp_path: Path) -> None:
    done = live_cli(
        "talk",
        "--input",
        QUESTION,
        "--output",
        "/dev/full",
        "--json",
        home=tmp_path,
        env={"LIVE_CLI_ENGINE_CHAT": "scripted"},
    )
    assert done.returncode == 7
    assert done.stderr.count(b"\n") == 1
    assert b"/dev/full cannot be written" in done.stderr
    assert [record["type"] for record in json_lines(done.stdout)][-2:] == ["session_close", "error"]


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    question = tmp_path / "question.flac"
    question.write_bytes(QUESTION.read_bytes())
    done = live_cli("talk", "--input", question, "--output", question, home=tmp_path)
    assert done.returncode == 7
    assert done.stderr.count(b"\n") == 1
    assert question.read_bytes() == QUESTION.read_bytes()


def test_a_bad_input_file_is_named_before_anything_starts(tmp_path: Path) -> None:
    done = live_cli("talk", "--input", tmp_path / "none.wav", "--output", "-", home=tmp_path)
    assert done.returncode == 7
    assert b"none.wav does not exist" in done.stderr
