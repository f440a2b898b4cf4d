"""The server child: starts, tells its address, and never outlives its parent."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from live_cli.errors import ConnectError, EngineError
from live_cli.net.child.process import ServerChild, default_log_path

PROGRAM = (sys.executable, str(Path(__file__).with_name("program.py")))
PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
WITHIN_S = 30.0  # a bound on waiting, not a measure


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "serve-child.log"


def child_that(act: str, log_path: Path, start_limit_s: float = WITHIN_S) -> ServerChild:
    return ServerChild.start([act], program=PROGRAM, log_path=log_path, start_limit_s=start_limit_s)


async def wait_until_gone(pid: int) -> None:
    """Wait until no process, not even a zombie of ours, has this pid."""
    async with asyncio.timeout(WITHIN_S):
        while _exists(pid):  # noqa: ASYNC110 - the kernel has no event for it
            await asyncio.sleep(0.02)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def command_line(pid: int | None) -> str:
    """Return the command line of a process, where the system shows it in a file."""
    path = Path(f"/proc/{pid}/cmdline")
    return text_of(path) if path.exists() else ""


def text_of(path: Path) -> str:
    return path.read_text()


async def test_a_child_tells_its_address_serves_and_ends(log_path: Path) -> None:
    async with child_that("serves", log_path) as child:
        assert child.address.key is not None
        assert child.address.url.startswith("ws://127.0.0.1:")
        headers = {"x-goog-api-key": child.address.key}
        async with (
            asyncio.timeout(WITHIN_S),
            connect(child.address.url + PATH, additional_headers=headers, proxy=None) as client,
        ):
            await client.send(json.dumps({"setup": {"model": "models/local"}}))
            assert json.loads(await client.recv()) == {"setupComplete": {}}
        assert child.pid is not None
    await wait_until_gone(child.pid)


async def test_every_run_has_a_key_of_its_own_that_is_on_no_command_line(log_path: Path) -> None:
    async with child_that("serves", log_path) as one, child_that("serves", log_path) as other:
        assert one.address.key
        assert one.address.key != other.address.key
        assert one.address.key not in repr(one.address)
        assert one.address.key not in command_line(one.pid)


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        ("fails", EngineError, r"^The chat model is missing\. Run: live-cli models pull NAME\.$"),
        ("crashes", ConnectError, r"RuntimeError: out of  \[31mluck \(log: .*serve-child\.log\)$"),
        ("vanishes", ConnectError, r"ended while starting: exit code 9, no message"),
    ],
)
async def test_a_bad_start_is_one_sentence(
    act: str, error: type[Exception], words: str, log_path: Path
) -> None:
    child = child_that(act, log_path)
    with pytest.raises(error, match=words) as raised:
        await child.open()
    assert "\n" not in str(raised.value)
    assert child.pid is not None
    await wait_until_gone(child.pid)


async def test_a_child_that_says_nothing_is_given_up(log_path: Path) -> None:
    child = child_that("silent", log_path, start_limit_s=0.3)
    child.stop_limit_s = 0.1
    with pytest.raises(ConnectError, match="did not start within"):
        await child.open()
    assert child.pid is not None
    await wait_until_gone(child.pid)


async def test_a_program_that_is_not_there_is_one_sentence(log_path: Path) -> None:
    with pytest.raises(ConnectError, match="cannot be started"):
        await ServerChild.start([], program=["/no/such/program"], log_path=log_path).open()


async def test_a_child_that_will_not_listen_is_killed(log_path: Path) -> None:
    async with child_that("stubborn", log_path) as child:
        child.stop_limit_s = 0.1
        assert child.pid is not None
    await wait_until_gone(child.pid)


async def test_what_others_print_on_its_stdout_is_not_taken_for_the_address(log_path: Path) -> None:
    async with child_that("chatters", log_path) as child:
        assert child.address.url == "ws://127.0.0.1:1"
    assert "so does its child" in text_of(log_path)


async def test_a_failure_after_the_start_is_kept_in_full(log_path: Path) -> None:
    async with child_that("fails late", log_path) as child, asyncio.timeout(WITHIN_S):
        error = await child.failed()
        assert isinstance(error, EngineError)
        assert str(error) == "The model is broken."


async def test_ctrl_c_at_the_terminal_does_not_reach_it(log_path: Path) -> None:
    async with child_that("serves", log_path) as child:
        assert child.pid is not None
        assert os.getpgid(child.pid) == child.pid != os.getpgid(0)


async def test_it_dies_when_its_parent_is_killed(log_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *PROGRAM, "parent", str(log_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        pid = int(await parent.stdout.readline())
    parent.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    await parent.wait()
    await wait_until_gone(pid)


async def test_stopping_twice_or_before_the_start_is_nothing(log_path: Path) -> None:
    child = child_that("chatters", log_path)
    await child.stop()
    await child.open()
    await child.stop()
    await child.stop()


async def test_cancelling_the_start_leaves_no_process(log_path: Path) -> None:
    child = child_that("silent", log_path)
    child.stop_limit_s = 0.1
    opening = asyncio.create_task(child.open())
    async with asyncio.timeout(WITHIN_S):
        while child.pid is None:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.01)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await wait_until_gone(child.pid)


async def test_a_log_that_cannot_be_written_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with child_that("chatters", tmp_path / "file" / "below" / "x.log") as child:
        assert child.address.url


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
async def test_a_child_that_a_signal_ended_is_told_by_its_name(
    number: signal.Signals, log_path: Path
) -> None:
    async with child_that("chatters", log_path) as child, asyncio.timeout(WITHIN_S):
        assert child.pid is not None
        os.kill(child.pid, number)
        error = await child.failed()
    assert f"killed by {number.name}" in str(error)
    assert str(log_path) in str(error)
    assert "\n" not in str(error)


def test_the_log_has_a_place_in_the_state_folder() -> None:
    assert default_log_path().name == "serve-child.log"
    assert default_log_path().is_absolute()
