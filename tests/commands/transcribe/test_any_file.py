"""`live-cli transcribe` on files as people have them: any name, any content, in a batch."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.harness.command import json_lines, live_cli, of_type
from tests.harness.sound_files import wav_bytes, with_sizes, write_media, write_mp3
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_error_rate

RATE = 16_000
NAMES = (b"caf\xe9.wav", b"\xff\xfe.wav", b"a\nb.wav", b"\x1b[31mred.wav", "été 東京.wav".encode())
LOCALES = (
    {"LC_ALL": "C.UTF-8"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


@pytest.fixture(scope="module")
def question() -> np.ndarray:
    return soundfile.read(QUESTION, dtype="float32")[0]


def level(sound: np.ndarray, dbfs: float) -> np.ndarray:
    return (sound * 10 ** (dbfs / 20) / np.sqrt(np.mean(sound**2))).astype("f4")


def in_folder(folder: Path, name: bytes) -> Path:
    return Path(os.fsdecode(os.fsencode(folder) + b"/" + name))


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX alone")
@pytest.mark.parametrize("locale", LOCALES, ids=lambda each: "-".join(each.values()))
def test_no_name_stops_a_batch(
    tmp_path: Path, question: np.ndarray, locale: dict[str, str]
) -> None:
    files = [in_folder(tmp_path, name) for name in NAMES]
    for file in files:
        file.write_bytes(wav_bytes(question, RATE))
    gone = in_folder(tmp_path, b"gone-\xe9.wav")
    done = live_cli("transcribe", "--no-names", gone, *files, home=tmp_path, env=locale)
    assert done.returncode == 7
    said = [line for line in done.stdout.decode().splitlines() if line]
    assert [word_error_rate(QUESTION_WORDS, line) for line in said] == [0.0] * len(files)
    assert b"gone-" in done.stderr
    assert b"does not exist" in done.stderr
    assert b"\x1b" not in done.stderr + done.stdout
    assert b"bug" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX alone")
def test_transcripts_of_any_name_are_written(tmp_path: Path, question: np.ndarray) -> None:
    folder = tmp_path / "out"
    files = [in_folder(tmp_path, name) for name in NAMES]
    for file in files:
        file.write_bytes(wav_bytes(question, RATE))
    done = live_cli("transcribe", *files, "-o", folder, "--format", "json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    written = sorted(os.fsencode(path.stem) for path in folder.iterdir())
    assert written == sorted(os.path.splitext(name)[0] for name in NAMES)
    told = {json.loads(path.read_text())["file"] for path in folder.iterdir()}
    assert told == {str(file) for file in files}


def test_json_lines_carry_any_name(tmp_path: Path, question: np.ndarray) -> None:
    file = in_folder(tmp_path, NAMES[0])
    file.write_bytes(wav_bytes(question, RATE))
    done = live_cli("transcribe", file, "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(file) in of_type(json_lines(done.stdout), "session_open")[0]["server"]


def test_whatever_is_wrong_with_one_file_the_others_are_transcribed(
    tmp_path: Path, question: np.ndarray
) -> None:
    wav = wav_bytes(question, RATE)
    media = write_media(tmp_path / "whole.webm", question, RATE, "webm").read_bytes()
    bad = {
        "empty.wav": b"", "text.wav": b"only words\n" * 50, "head.wav": wav[:30],
        "none.wav": wav_bytes(question[:0], RATE), "zeros.wav": bytes(5_000),
        "rate.wav": wav[:24] + b"\xff\xff\xff\xff" + wav[28:],
        "channels.wav": wav[:22] + b"\x00\x00" + wav[24:],
        "page.mp3": b"<!DOCTYPE html><p>Not found</p>" * 30, "junk.flac": b"fLaC" + bytes(500),
        "junk.ogg": b"OggS" + bytes(500), "junk.mp4": b"\0\0\0\x18ftypM4A " + bytes(500),
        "head.webm": media[:200],
    }  # fmt: skip
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    names = [*bad, "folder.wav", "loop.wav", "n" * 300 + ".wav"]
    files = [tmp_path / name for name in names]
    done = live_cli("transcribe", "--no-names", *files, QUESTION, home=tmp_path)
    assert done.returncode == 7
    assert word_error_rate(QUESTION_WORDS, done.stdout.decode()) == 0.0
    said = done.stderr.decode()
    assert all(name in said for name in names)
    assert "bug" not in said
    assert len(said.splitlines()) == len(names) + 1


def files_without_speech() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    time = np.arange(RATE * 8) / RATE
    white = rng.standard_normal(time.size)
    hum = np.sin(2 * np.pi * 50 * time) + 0.5 * np.sin(2 * np.pi * 150 * time)
    notes = np.zeros(time.size)
    for start in range(0, time.size, RATE // 2):
        after = time[: min(RATE, time.size - start)]
        hz = 220 * 2 ** (rng.integers(0, 24) / 12)
        tones = sum(np.sin(2 * np.pi * hz * part * after) / part for part in range(1, 6))
        notes[start : start + after.size] += tones * np.exp(-3 * after)
    sounds = {"silence": np.zeros(time.size)}
    for name, sound in (("noise", white), ("hum", hum), ("music", notes)):
        for dbfs in (-25, -60):
            sounds[f"{name}{dbfs}"] = level(sound, dbfs)
    return sounds


def test_where_nothing_is_said_that_is_told_and_no_error(tmp_path: Path) -> None:
    files = []
    for name, sound in files_without_speech().items():
        files.append(tmp_path / f"{name}.wav")
        soundfile.write(files[-1], sound, RATE)
    done = live_cli("transcribe", "--no-names", *files, home=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, b"")
    assert done.stderr.decode().splitlines() == [
        f"live-cli: no speech in {file}." for file in files
    ]


@pytest.mark.parametrize("more", [("--json",), ("--output", "x.srt")])
def test_no_speech_is_told_in_every_form(tmp_path: Path, more: tuple[str, ...]) -> None:
    file = tmp_path / "silence.wav"
    soundfile.write(file, np.zeros(RATE), RATE)
    options = [str(tmp_path / one) if one == "x.srt" else one for one in more]
    done = live_cli("transcribe", file, *options, home=tmp_path)
    assert done.returncode == 0
    assert done.stderr == f"live-cli: no speech in {file}.\n".encode()


def test_speech_as_people_have_it_is_heard(tmp_path: Path, question: np.ndarray) -> None:
    wav = wav_bytes(question, RATE)
    (tmp_path / "killed.wav").write_bytes(with_sizes(wav, 0, 0))
    (tmp_path / "twice.wav").write_bytes(wav + wav)
    soundfile.write(tmp_path / "inverted.wav", np.column_stack([question, -question]), RATE)
    soundfile.write(tmp_path / "dead.flac", np.column_stack([question, 0 * question]), RATE)
    for dbfs in (-50, -60, -70):
        for subtype in ("PCM_16", "PCM_24"):
            path = tmp_path / f"quiet{dbfs}-{subtype}.wav"
            soundfile.write(path, level(question, dbfs), RATE, subtype=subtype)
    write_mp3(tmp_path / "stream.mp3", question, RATE, tells_length=False)
    for kind in ("m4a", "webm", "mp4", "amr", "wma", "mov"):
        write_media(tmp_path / f"talk.{kind}", question, RATE, kind)
    write_media(tmp_path / "lie.wav", question, RATE, "m4a")
    files = sorted(path for path in tmp_path.iterdir() if path.suffix)
    done = live_cli("transcribe", "--no-names", *files, home=tmp_path)
    assert done.returncode == 0, done.stderr
    said = dict(zip(files, done.stdout.decode().splitlines(), strict=True))
    for file, text in said.items():
        wanted = " ".join([QUESTION_WORDS] * (2 if file.stem == "twice" else 1))
        narrow = 2 / 7 if file.suffix == ".amr" else 0.0  # a telephone's band
        assert word_error_rate(wanted, text) <= narrow, file
    assert len(done.stderr.splitlines()) == 1
    assert b"inverted.wav has sides that cancel" in done.stderr
