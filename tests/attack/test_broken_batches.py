"""A batch of lines over a server that drops its connections: every line is answered, once.

The real command, a real socket, and each kind of drop at each moment of an answer.
"""

import asyncio
import contextlib
import json
import os
import pty
import subprocess
import threading
from pathlib import Path

import pytest
import soundfile
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.harness.command import LIMIT_S, PROGRAM, environment, json_lines, live_cli, of_type
from tests.harness.dropping_server import (
    BEFORE_THE_QUESTION,
    DROPS,
    STEPS,
    answer_to,
    dropping,
    reset,
)
from tests.harness.speech import speech_like

LINES = ("first", "second", "third")
INPUT = "".join(f"{line}\n" for line in LINES)
ANSWERS = "".join(f"{answer_to(line)}\n" for line in LINES)
QUICK = {"LIVE_CLI_STALL_S": "1", "LIVE_CLI_STALL_RECONNECT_S": "1"}
MOMENTS = range(BEFORE_THE_QUESTION, STEPS + 1)
WITHIN_THE_WORDS = (1, 2, 3)


@pytest.mark.parametrize("kind", DROPS)
async def test_each_answer_is_on_stdout_once_and_whole(tmp_path: Path, kind: str) -> None:
    slots = asyncio.Semaphore(3)

    async def run(step: int) -> None:
        async with slots, dropping("second", step, DROPS[kind]) as server:
            done = await asyncio.to_thread(
                live_cli, "text", "--server", server.address,
                home=tmp_path / str(step), stdin=INPUT, env=QUICK,
            )  # fmt: skip
        facts = (kind, step, done.stderr)
        assert done.returncode == 0, facts
        assert done.stdout.decode() == ANSWERS, facts
        assert server.drops == [], facts
        # what was answered is not asked again, and the new connection knows what was said
        again = ["second"] if 0 <= step <= 3 else []
        assert sorted(server.asked) == sorted([*LINES, *again]), facts
        if 0 <= step < STEPS:
            assert server.handles[1] == "h1", facts

    await asyncio.gather(*map(run, MOMENTS))


@pytest.mark.parametrize("step", WITHIN_THE_WORDS)
async def test_an_answer_that_breaks_twice_is_there_once(tmp_path: Path, step: int) -> None:
    async with dropping("first", step, reset, DROPS["1012"]) as server:
        done = await asyncio.to_thread(
            live_cli, "text", "--server", server.address, home=tmp_path, stdin=INPUT
        )
    assert (done.returncode, done.stdout.decode()) == (0, ANSWERS), done.stderr
    assert server.asked.count("first") == 3


async def test_one_message_is_answered_once_and_whole(tmp_path: Path) -> None:
    async with dropping("hello", 2, reset) as server:
        done = await asyncio.to_thread(
            live_cli, "text", "hello", "--server", server.address, home=tmp_path
        )
    assert (done.returncode, done.stdout.decode()) == (0, answer_to("hello") + "\n"), done.stderr


@pytest.mark.parametrize("kind", ["reset", "1011 unavailable"])
async def test_a_program_is_told_which_turn_was_lost(tmp_path: Path, kind: str) -> None:
    async with dropping("second", 2, DROPS[kind]) as server:
        done = await asyncio.to_thread(
            live_cli, "text", "--json", "--server", server.address, home=tmp_path, stdin=INPUT
        )
    records = json_lines(done.stdout)
    assert done.returncode == 0, done.stderr
    [lost] = of_type(records, "reconnecting")
    assert lost["turn_lost"] is True
    [back] = of_type(records, "reconnected")
    assert back["restored"] is True
    whole = [record["turn"] for record in of_type(records, "turn_complete")]
    said = dict.fromkeys(whole, "")
    for record in of_type(records, "text"):
        if record["turn"] in said:
            said[record["turn"]] += record["text"]
    assert list(said.values()) == [answer_to(line) for line in LINES]
    broken = [record for record in of_type(records, "text") if record["turn"] not in said]
    assert "".join(record["text"] for record in broken) == "Answer to second: one "


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize("step", [0, 2])
async def test_the_first_line_without_a_whole_answer_is_named(
    tmp_path: Path, step: int, json: bool
) -> None:
    env = {"LIVE_CLI_RECONNECT_S": "1"}
    more = ("--json",) if json else ()
    async with dropping("third", step, reset, gone=True) as server:
        done = await asyncio.to_thread(
            live_cli, "text", *more, "--server", server.address,
            home=tmp_path, stdin="first\n\nthird\nfourth\n", env=env,
        )  # fmt: skip
    says = done.stderr.decode()
    assert done.returncode == 6, says
    told = "Line 3 of the input is the first without a whole answer: "
    assert told in says.splitlines()[-1]
    if json:
        assert told in of_type(json_lines(done.stdout), "error")[-1]["message"]
    else:
        assert done.stdout.decode() == answer_to("first") + "\n"


async def test_without_handles_the_batch_ends_at_the_line_that_broke(tmp_path: Path) -> None:
    async with dropping("second", 2, reset) as server:
        done = await asyncio.to_thread(
            live_cli, "text", "--no-resume", "--server", server.address,
            home=tmp_path, stdin=INPUT,
        )  # fmt: skip
    assert done.returncode == 6
    assert b"Line 2 of the input is the first without a whole answer: " in done.stderr
    assert done.stdout.decode().startswith(answer_to("first") + "\n")
    assert len(server.handles) == 1


@pytest.mark.parametrize("step", WITHIN_THE_WORDS)
async def test_on_a_terminal_the_broken_half_is_marked(tmp_path: Path, step: int) -> None:
    async with dropping("second", step, reset) as server:
        shown = await asyncio.to_thread(_on_terminal, tmp_path, server.address)
    lines = shown.replace("\r\n", "\n").splitlines()
    assert lines.count("[broken off]") == 1, lines
    half = lines.index("[broken off]") - 1
    assert lines[half]
    assert answer_to("second").startswith(lines[half].strip())
    for line in LINES:
        assert lines[half + 1 if line == "second" else 0 :].count(answer_to(line)) == 1, lines


def _on_terminal(home: Path, address: str) -> str:
    """What a terminal shows of a batch from a pipe."""
    ours, its = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(ours, 65_536):
                shown.append(data)
        except OSError:  # the terminal's other end is closed
            pass

    reader = threading.Thread(target=read)
    with subprocess.Popen(
        [*PROGRAM, "text", "--server", address],
        stdin=subprocess.PIPE,
        stdout=its,
        stderr=its,
        env=environment(home),
    ) as process:
        os.close(its)
        reader.start()
        process.communicate(INPUT.encode(), timeout=LIMIT_S)
    reader.join(LIMIT_S)
    os.close(ours)
    assert process.returncode == 0, shown
    return b"".join(shown).decode()


@pytest.mark.parametrize("kind", ["reset", "hang-up", "torn frame", "1011 unavailable", "1012"])
async def test_a_transcription_that_breaks_keeps_its_words_and_says_where(
    tmp_path: Path, kind: str
) -> None:
    """Its sound is not kept for another connection: what was heard is, and where it stopped."""
    connections = []

    async def listen(socket: ServerConnection) -> None:
        connections.append(socket)
        await socket.recv()
        await socket.send('{"setupComplete": {}}')
        transcript = {"inputTranscription": {"text": "It was the best.", "finished": True}}
        with contextlib.suppress(ConnectionClosed):
            await socket.send(json.dumps({"serverContent": transcript}))
            for _ in range(6):
                await socket.recv()
            await DROPS[kind](socket)

    sound = tmp_path / "talk.wav"
    soundfile.write(sound, speech_like(8.0), 16_000)
    async with serve(listen, "127.0.0.1", 0) as server:
        address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        done = await asyncio.to_thread(
            live_cli, "transcribe", sound, "--server", address, home=tmp_path
        )
    says = done.stderr.decode()
    assert done.returncode == 6, says
    assert done.stdout.decode().split("\n")[0] == "It was the best."
    assert done.stdout.count(b"best") == 1
    assert "Stopped at 0:0" in says
    assert "Traceback" not in says
    assert len(connections) == 1
