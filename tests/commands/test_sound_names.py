"""The name of `--output` decides what sound is written, or is refused before anything starts."""

from pathlib import Path

import pytest
import soundfile

from tests.harness.command import live_cli, processes_in
from tests.harness.speech import QUESTION, word_error_rate

WORDS = "A dog has four legs."
KNOWN = {"LIVE_CLI_ENGINE_CHAT": f"scripted:{WORDS}"}


@pytest.mark.parametrize(
    ("args", "name", "kind"),
    [
        (("text", "How many?"), "answer.mp3", "MP3"),
        (("text", "How many?"), "ANSWER.OGG", "OGG"),
        (("talk", "--input", str(QUESTION)), "answer.flac", "FLAC"),
    ],
)
def test_the_answer_has_the_format_of_its_name(
    tmp_path: Path, args: tuple[str, ...], name: str, kind: str
) -> None:
    answer = tmp_path / name
    done = live_cli(*args, "--output", answer, home=tmp_path, env=KNOWN)
    assert done.returncode == 0, done.stderr
    assert soundfile.info(answer).format == kind
    heard = live_cli("transcribe", answer, home=tmp_path).stdout.decode()
    assert word_error_rate(WORDS, heard) == 0.0


@pytest.mark.parametrize("verb", ["talk", "text"])
@pytest.mark.parametrize(
    ("name", "code", "says"),
    [("answer.aac", 2, b".flac, .mp3"), ("answer.txt", 2, b".wav"), ("new/", 7, b"is a folder")],
)
def test_other_names_are_refused_at_once(
    tmp_path: Path, verb: str, name: str, code: int, says: bytes
) -> None:
    given = ("--input", str(QUESTION)) if verb == "talk" else ("How many?",)
    output = f"{tmp_path}/{name}"
    done = live_cli(verb, *given, "--output", output, home=tmp_path, env=KNOWN)
    assert (done.returncode, done.stderr.count(b"\n")) == (code, 1)
    assert says in done.stderr
    assert processes_in(tmp_path) == []
    assert not list(tmp_path.glob("answer*"))
