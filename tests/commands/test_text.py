"""`live-cli text` by the real command, on the real engine where words matter."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest
import soundfile

from tests.harness.command import LIMIT_S, environment, json_lines, live_cli, of_type, processes_in
from tests.harness.speech import word_error_rate


def test_a_message_is_answered_on_stdout_and_nothing_is_left_behind(tmp_path: Path) -> None:
    done = live_cli("text", "Say hello.", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.split()) >= 1
    assert done.stdout.endswith(b"\n")
    assert b"\x1b" not in done.stdout
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize("message", ["", " \n"])
def test_an_empty_message_is_not_sent(tmp_path: Path, message: str) -> None:
    done = live_cli("text", message, home=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"empty" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are bytes on POSIX alone")
def test_an_argument_is_read_as_utf8_in_any_locale(tmp_path: Path) -> None:
    env = environment(tmp_path, LIVE_CLI_ENGINE_CHAT="scripted", PYTHONUTF8="0", LC_ALL="C")
    env["PYTHONCOERCECLOCALE"] = "0"
    done = subprocess.run(
        [sys.executable, "-m", "live_cli", "text", "--json", "h\u00e4llo".encode() + b"\xff"],
        env=env,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = "".join(record["text"] for record in of_type(json_lines(done.stdout), "text"))
    assert said == "You said: h\u00e4llo\ufffd"


def test_lines_of_a_pipe_are_turns_of_one_session(tmp_path: Path) -> None:
    done = live_cli("text", "--json", home=tmp_path, stdin="My name is Ada.\n\nSay hello.\n")
    records = json_lines(done.stdout)
    assert done.returncode == 0
    assert len(of_type(records, "session_open")) == 1
    assert [record["turn"] for record in of_type(records, "turn_complete")] == [1, 2]
    first, second = of_type(records, "usage")
    assert second["prompt"] > first["prompt"]


def test_the_reply_can_be_kept_as_speech(tmp_path: Path) -> None:
    spoken = tmp_path / "reply.wav"
    env = {"LIVE_CLI_ENGINE_CHAT": "scripted:A dog has four legs. A bird has two wings."}
    done = live_cli("text", "Say hello.", "--output", spoken, home=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    info = soundfile.info(spoken)
    assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16")
    heard = live_cli("transcribe", spoken, home=tmp_path)
    assert word_error_rate(done.stdout.decode(), heard.stdout.decode()) == 0.0


def test_history_is_told_before_the_question(tmp_path: Path) -> None:
    turns = [{"role": "user", "text": "Hi."}, {"role": "model", "parts": [{"text": "Hello."}]}]
    history = tmp_path / "history.json"
    history.write_text(json.dumps(turns * 20))
    bare = live_cli("text", "--json", "And now?", home=tmp_path)
    told = live_cli("text", "--json", "--history", history, "And now?", home=tmp_path)
    assert told.returncode == 0, told.stderr
    assert len(of_type(json_lines(told.stdout), "turn_complete")) == 1
    [with_history] = of_type(json_lines(told.stdout), "usage")
    [without] = of_type(json_lines(bare.stdout), "usage")
    assert with_history["prompt"] > without["prompt"] + 40


def prompt_of(output: bytes) -> int:
    [usage] = of_type(json_lines(output), "usage")
    return int(usage["prompt"])


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_what_json_wrote_is_a_history(tmp_path: Path, way: str) -> None:
    env = {"LIVE_CLI_ENGINE_CHAT": "scripted"}
    earlier = "My name is Ada, and I have told you a long story about a dog."
    before = live_cli("text", "--json", home=tmp_path, stdin=f"{earlier}\nAnd?\n", env=env)
    records = tmp_path / "records.jsonl"
    records.write_bytes(before.stdout)
    named = records if way == "file" else "-"
    stdin = b"" if way == "file" else before.stdout
    asked = ("text", "--json", "Who am I?")
    told = live_cli(*asked, "--history", named, home=tmp_path, env=env, stdin=stdin)
    assert told.returncode == 0, told.stderr
    bare = live_cli(*asked, home=tmp_path, env=env)
    assert prompt_of(told.stdout) > prompt_of(bare.stdout) + len(earlier) // 2
    assert [each["text"] for each in of_type(json_lines(before.stdout), "sent")] == [
        earlier,
        "And?",
    ]


def test_messages_of_openai_are_a_history_with_their_instruction(tmp_path: Path) -> None:
    env = {"LIVE_CLI_ENGINE_CHAT": "scripted"}
    messages = [
        {"role": "system", "content": "Answer as a pirate would, in three words at most. " * 3},
        {"role": "user", "content": [{"type": "text", "text": "Hi."}, {"type": "image_url"}]},
        {"role": "assistant", "content": "Ahoy, good old friend."},
    ]
    history = tmp_path / "messages.json"
    history.write_text(json.dumps({"messages": messages}))
    told = live_cli("text", "--json", "Bye.", "--history", history, home=tmp_path, env=env)
    assert told.returncode == 0, told.stderr
    assert b"images, sounds or files (1) left out" in told.stderr
    own = ("--system", "Be kind.")
    other = live_cli("text", "--json", "Bye.", "--history", history, *own, home=tmp_path, env=env)
    bare = live_cli("text", "--json", "Bye.", home=tmp_path, env=env)
    assert prompt_of(told.stdout) > prompt_of(other.stdout) > prompt_of(bare.stdout)


def test_a_history_from_stdin_leaves_no_stdin_for_questions(tmp_path: Path) -> None:
    done = live_cli("text", "--history", "-", home=tmp_path, stdin="[]")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"give the MESSAGE" in done.stderr


def test_a_server_that_is_killed_is_told_in_a_line(tmp_path: Path) -> None:
    env = environment(tmp_path, LIVE_CLI_ENGINE_CHAT="scripted")
    with subprocess.Popen(
        [sys.executable, "-m", "live_cli", "text"], env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE
    ) as chat:
        assert chat.stdin is not None
        assert chat.stdout is not None
        chat.stdin.write(b"One.\n")
        chat.stdin.flush()
        assert chat.stdout.readline() == b"You said: One.\n"
        [child] = [pid for pid in processes_in(tmp_path) if pid != chat.pid]
        os.kill(child, signal.SIGKILL)
        _, said = chat.communicate(b"Two.\n", timeout=LIMIT_S)
    assert chat.returncode == 6
    assert said.count(b"\n") == 1
    assert b"killed by SIGKILL" in said
    assert said.endswith(b"Start again.\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ("{}", "holds no turns"),
        ('[{"role": "user", "text": "a"}, {"role": "king", "text": "b"}]', "turn 2 needs a role"),
        ('[{"role": "user"}]', "turn 1 needs a text"),
    ],
)
def test_bad_history_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    history = tmp_path / "history.json"
    history.write_text(content)
    done = live_cli("text", "Hi", "--history", history, home=tmp_path)
    assert done.returncode == 7
    assert complaint in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_a_variable_that_is_no_setting_is_said(tmp_path: Path) -> None:
    env = {"LIVE_CLI_VIOCE": "Kore", "LIVE_CLI_ENGINE_CHAT": "scripted"}
    done = live_cli("text", "Hi", home=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (0, b"You said: Hi\n")
    assert b"LIVE_CLI_VIOCE is not a setting; did you mean 'LIVE_CLI_VOICE'?" in done.stderr


def test_a_failure_is_a_json_record_too(tmp_path: Path) -> None:
    env = {"LIVE_CLI_ENGINE_CHAT": "gguf:/none.gguf"}
    done = live_cli("text", "Hi", "--json", home=tmp_path, env=env)
    [error] = of_type(json_lines(done.stdout), "error")
    assert done.returncode == 6
    assert error["message"] in done.stderr.decode()


def test_a_closed_stdin_is_a_quiet_end(tmp_path: Path) -> None:
    done = live_cli("text", home=tmp_path, stdin=b"")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert processes_in(tmp_path) == []
