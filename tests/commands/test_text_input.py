"""What reaches `live-cli text` by its arguments and by its standard input, and what is too long."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.harness.chat_endpoint import chunk, serving_endpoint
from tests.harness.command import (
    LIMIT_S,
    PROGRAM,
    environment,
    json_lines,
    live_cli,
    of_type,
    started,
)
from tests.harness.serve_process import serving

ECHO = {"LIVE_CLI_ENGINE_CHAT": "scripted"}
NOTES = "Buy milk.\n\nCall Ada,\nthen Bob.\n"
TOO_LONG = "word " * 5000  # of 4,096 that the scripted model takes; a word is a token


def sent(output: bytes) -> list[str]:
    return [record["text"] for record in of_type(json_lines(output), "sent")]


@pytest.mark.parametrize("document", [False, True])
def test_a_pipe_goes_with_the_message(tmp_path: Path, document: bool) -> None:
    more = ("--document",) if document else ()
    asked = ("text", "--json", "Summarise", *more)
    done = live_cli(*asked, home=tmp_path, stdin=NOTES, env=ECHO)
    assert done.returncode == 0, done.stderr
    assert sent(done.stdout) == ["Summarise\n\nBuy milk.\n\nCall Ada,\nthen Bob."]
    assert len(of_type(json_lines(done.stdout), "turn_complete")) == 1


@pytest.mark.parametrize("stdin", [b"", b"\n \n"])
def test_an_empty_pipe_adds_nothing(tmp_path: Path, stdin: bytes) -> None:
    done = live_cli("text", "--json", "Hi", home=tmp_path, stdin=stdin, env=ECHO)
    assert sent(done.stdout) == ["Hi"]


@pytest.mark.parametrize("kind", ["file", "socket", "nothing", "closed"])
def test_other_kinds_of_standard_input(tmp_path: Path, kind: str) -> None:
    ours, its = socket.socketpair()
    ours.sendall(NOTES.encode())
    ours.shutdown(socket.SHUT_WR)
    (tmp_path / "notes").write_text(NOTES)
    with (tmp_path / "notes").open() as file, open(os.devnull) as nothing, ours, its:
        stdin = {"file": file, "socket": its, "nothing": nothing, "closed": None}[kind]
        closes = ["sh", "-c", 'exec "$@" <&-', "-"] if kind == "closed" else []
        done = subprocess.run(
            [*closes, *PROGRAM, "text", "--json", "Hi"],
            stdin=stdin,
            capture_output=True,
            env=environment(tmp_path, **ECHO),
            timeout=LIMIT_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    added = "\n\n" + NOTES.rstrip() if kind in ("file", "socket") else ""
    assert sent(done.stdout) == [f"Hi{added}"]


def test_a_slow_pipe_is_waited_for_and_said(tmp_path: Path) -> None:
    with started(
        "text", "--json", "Hi", home=tmp_path, env=ECHO, stdin=PIPE, stdout=PIPE, stderr=PIPE
    ) as process:
        assert process.stderr is not None
        assert "standard input" in process.stderr.readline()
        output, _ = process.communicate("late\n", timeout=LIMIT_S)
    assert sent(output.encode()) == ["Hi\n\nlate"]


@pytest.mark.parametrize("args", [(), ("-",)])
def test_lines_are_questions_of_one_session(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = live_cli("text", "--json", *args, home=tmp_path, stdin="One.\n\nTwo.\n", env=ECHO)
    assert done.returncode == 0, done.stderr
    assert sent(done.stdout) == ["One.", "Two."]
    assert len(of_type(json_lines(done.stdout), "session_open")) == 1


@pytest.mark.parametrize("args", [(), ("-",)])
def test_a_document_is_one_question(tmp_path: Path, args: tuple[str, ...]) -> None:
    stdin = "\ufeff" + NOTES.replace("\n", "\r\n")
    done = live_cli("text", "--json", "--document", *args, home=tmp_path, stdin=stdin, env=ECHO)
    assert done.returncode == 0, done.stderr
    assert sent(done.stdout) == [NOTES]


def test_an_empty_document_is_said(tmp_path: Path) -> None:
    done = live_cli("text", "--document", home=tmp_path, stdin="\n", env=ECHO)
    assert (done.returncode, done.stdout) == (7, b"")
    assert b"Standard input is empty" in done.stderr


def test_a_document_without_end_is_bounded(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["cat", "/dev/zero"], stdout=PIPE) as endless,
        started(
            "text", "--document", home=tmp_path, env=ECHO, stdin=endless.stdout, stderr=PIPE
        ) as process,
    ):
        _, said = process.communicate(timeout=LIMIT_S)
        endless.kill()
    assert process.returncode == 7
    assert "longer than 16,777,216 bytes" in said


@pytest.mark.parametrize("way", ["message", "pipe", "document"])
def test_what_is_too_long_is_refused_by_count(tmp_path: Path, way: str) -> None:
    asked = {"message": (TOO_LONG,), "pipe": ("Summarise",), "document": ("--document",)}[way]
    stdin = "" if way == "message" else TOO_LONG
    done = live_cli("text", "--json", *asked, home=tmp_path, stdin=stdin, env=ECHO)
    says = done.stderr.decode()
    assert done.returncode == 7, says
    assert f"{5000 + (way == 'pipe'):,} tokens, this model takes 4,096" in says
    assert "send it in parts" in says
    assert sent(done.stdout) == []
    records = json_lines(done.stdout)
    assert "tokens" in of_type(records, "error")[0]["message"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path, ECHO) as serve:
        yield serve.address


@pytest.mark.parametrize("ours", [True, False])
def test_the_session_and_later_lines_live_on(tmp_path: Path, server: str, ours: bool) -> None:
    to = () if ours else ("--server", server)
    stdin = f"My name is Ada.\n{TOO_LONG}\n\nWho am I?\n{TOO_LONG}\nBye.\n"
    done = live_cli("text", "--json", *to, home=tmp_path, stdin=stdin, env=ECHO)
    records = json_lines(done.stdout)
    assert done.returncode == 7, done.stderr
    assert sent(done.stdout) == ["My name is Ada.", "Who am I?", "Bye."]
    assert len(of_type(records, "session_open")) == 1
    assert of_type(records, "reconnecting") == []
    assert len(of_type(records, "turn_complete")) == 3
    said = [record["message"] for record in of_type(records, "error")]
    assert [words.split(".")[0] for words in said[:2]] == [
        "Line 2 was not sent",
        "Line 5 was not sent",
    ]
    assert "too long to be sent: 2, 5. All others were." in done.stderr.decode()


def test_what_just_fits_is_sent(tmp_path: Path) -> None:
    fits = "word " * 3000
    done = live_cli("text", "--json", "--document", home=tmp_path, stdin=fits, env=ECHO)
    assert done.returncode == 0, done.stderr
    assert sent(done.stdout) == [fits]


def test_a_model_of_words_counts_as_itself_reads(tmp_path: Path) -> None:
    """The bundled model: its own tokenizer's count, far above and just above what it takes."""
    for words in (4200, 40_000):
        before = time.monotonic()
        stdin = " ".join(str(number) for number in range(words))
        done = live_cli("text", "--document", home=tmp_path, stdin=stdin)
        assert done.returncode == 7, done.stderr
        told = done.stderr.decode().partition(" tokens, this model takes 4,096")[0].split()[-1]
        assert int(told.replace(",", "")) > words
        assert time.monotonic() - before < LIMIT_S


def test_what_nobody_can_count_is_sent(tmp_path: Path) -> None:
    """The context of an endpoint's model is not known: nothing is refused for it."""
    with serving_endpoint() as endpoint:
        endpoint.answer = lambda body: [chunk("Yes.")]
        env = {"LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}"}
        done = live_cli("text", "--document", home=tmp_path, stdin=TOO_LONG, env=env)
    assert (done.returncode, done.stdout) == (0, b"Yes.\n"), done.stderr
    [(_, _, body)] = endpoint.asked
    assert body["messages"][-1]["content"].split() == TOO_LONG.split()
