"""State, caches and logs: their owner's alone whatever the umask, bounded, printable."""

import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from live_cli import paths
from live_cli.commands.failure_log import LogFormatter, PrivateLogHandler
from live_cli.commands.serve.log import BoundedStderrHandler
from live_cli.log_files import LOG_BYTES, open_log
from tests.harness.command import LIMIT_S, environment, live_cli
from tests.harness.serve_process import serving

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX modes")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == 0o277 and os.geteuid() != 0:
        pytest.skip("its user could not write anything")
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg" / "state"))
    return paths.state_folder()


@pytest.mark.usefixtures("umask")
def test_a_new_folder_is_its_owners_alone(state: Path) -> None:
    paths.make_private(state / "tls")
    for folder in (state.parent.parent, state.parent, state, state / "tls"):
        assert mode_of(folder) & 0o077 == 0
    assert mode_of(state) == mode_of(state / "tls") == 0o700


def test_a_wide_folder_of_ours_is_narrowed_and_no_other(state: Path, tmp_path: Path) -> None:
    (state / "tls").mkdir(parents=True)
    for folder in (state.parent, state, state / "tls"):
        folder.chmod(0o777)
    paths.make_private(state / "tls")
    assert mode_of(state) == mode_of(state / "tls") == 0o700
    assert mode_of(state.parent) == 0o777  # the platform's, not ours
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    paths.make_private(elsewhere)
    assert mode_of(elsewhere) == 0o755


@pytest.mark.usefixtures("umask")
def test_a_log_is_its_owners_alone_also_one_that_was_wider(tmp_path: Path) -> None:
    for make in (_opened, _written_by_a_handler):
        path = tmp_path / make.__name__ / "x.log"
        make(path)
        assert mode_of(path) == 0o600
        path.chmod(0o666)
        make(path)
        assert mode_of(path) == 0o600


def _opened(path: Path) -> None:
    open_log(path).close()


def _written_by_a_handler(path: Path) -> None:
    handler = PrivateLogHandler(path)
    handler.handle(record("x"))
    handler.close()


def test_a_log_is_rotated_and_one_earlier_generation_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    for generation in range(4):
        with open_log(path) as log:
            assert log.tell() == 0
            log.write(b"%d" % generation + b"x" * LOG_BYTES)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.log", "x.log.1"]
    assert (tmp_path / "x.log.1").read_bytes()[:1] == b"2"
    path.write_bytes(b"kept\n")
    with open_log(path) as log:
        assert log.tell() == 5


def test_a_log_stays_bounded_while_its_process_runs(tmp_path: Path) -> None:
    path = tmp_path / "own" / "serve.log"
    handler = PrivateLogHandler(path)
    with open_log(tmp_path / "child.log") as log, open(log.fileno(), "a", closefd=False) as stream:
        bounded = BoundedStderrHandler(stream)
        for number in range(3 * LOG_BYTES // 1000):
            handler.handle(record(f"{number} {'x' * 1000}"))
            bounded.handle(record(f"{number} {'x' * 1000}"))
    handler.close()
    assert {each.name for each in path.parent.iterdir()} == {"serve.log", "serve.log.1"}
    for each in (*path.parent.iterdir(), tmp_path / "child.log"):
        assert 0 < each.stat().st_size <= LOG_BYTES + 2000
        assert mode_of(each) == 0o600
        last = each.read_text().splitlines()[-1]
        assert last.split()[0].isdigit()
    assert last.split()[0] == str(3 * LOG_BYTES // 1000 - 1)


def test_a_log_that_cannot_be_written_is_quiet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    _written_by_a_handler(tmp_path / "file" / "x.log")
    assert capsys.readouterr().err == ""


def test_no_link_is_followed_to_anothers_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("keep")
    (tmp_path / "x.log").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match=r"x\.log"):
        open_log(tmp_path / "x.log")
    assert (tmp_path / "other").read_text() == "keep"


# --- what a line says ----------------------------------------------------------------------------


def record(text: str, cause: BaseException | None = None) -> logging.LogRecord:
    info = (type(cause), cause, cause.__traceback__) if cause else None
    return logging.LogRecord("live_cli.serve", logging.ERROR, "f.py", 1, text, (), info)


def raised(text: str, kind: type[Exception] = RuntimeError) -> Exception:
    try:
        raise kind(text)
    except Exception as exc:  # noqa: BLE001 - whatever kind
        return exc


STEERING = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\u202e\n2026-01-01 00:00:00,000 forged"


@pytest.mark.parametrize("tracebacks", [False, True])
def test_nothing_in_a_log_steers_a_terminal_or_forges_a_line(*, tracebacks: bool) -> None:
    shown = LogFormatter(tracebacks=tracebacks).format(
        record(f"endpoint: {STEERING}", raised(STEERING))
    )
    assert not set(shown) & set("\x1b\x07\x9b\r\u202e")
    assert "␛" in shown
    first, *rest = shown.split("\n")
    assert "endpoint" in first
    assert all(line.startswith("    ") for line in rest)
    assert bool(rest) is tracebacks


def test_a_traceback_of_one_kind_is_written_once() -> None:
    formatter = LogFormatter(tracebacks=True)
    shown = [formatter.format(record("crash", raised(f"number {n}"))) for n in range(100)]
    assert "Traceback" in shown[0]
    assert not any("Traceback" in text or "\n" in text for text in shown[1:])
    assert "number 100 of this kind" in shown[-1]
    assert "Traceback" in formatter.format(record("crash", raised("x", ValueError)))


def test_kinds_without_end_take_no_memory_without_end() -> None:
    formatter = LogFormatter(tracebacks=True)
    for number in range(3000):
        formatter.format(record("crash", raised("x", type(f"E{number}", (Exception,), {}))))
    assert len(formatter._seen) <= 256


# --- the process ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_serve_ends_in_order_and_says_by_what(name: str, tmp_path: Path) -> None:
    settings = {"LIVE_CLI_ENGINE_CHAT": "scripted", "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted"}
    settings |= {"LIVE_CLI_ENGINE_DETECTOR": "scripted", "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted"}
    with serving(tmp_path, settings) as server:
        server.process.send_signal(getattr(signal, name))
        assert server.ended() == 0
        assert f"Ending: {name}." in server.said
    assert not [each for each in tmp_path.rglob("live-cli") if mode_of(each) != 0o700]


def test_a_crash_of_native_code_leaves_its_place_on_stderr(tmp_path: Path) -> None:
    settings = {"LIVE_CLI_ENGINE_CHAT": "scripted", "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted"}
    settings |= {"LIVE_CLI_ENGINE_DETECTOR": "scripted", "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted"}
    process = subprocess.Popen(
        [sys.executable, "-m", "live_cli", "serve", "--port", "0"],
        env=environment(tmp_path, **settings), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    said = ""
    while "Ready." not in said:
        said += process.stderr.readline()
    process.send_signal(signal.SIGSEGV)
    assert "Segmentation fault" in process.communicate(timeout=LIMIT_S)[1]
    assert process.returncode == -signal.SIGSEGV


def test_what_a_command_leaves_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        done = live_cli(
            "text", "hello", home=tmp_path, env={"LIVE_CLI_ENGINE_CHAT": "scripted:Hi."}
        )
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    log = tmp_path / ".local" / "state" / "live-cli" / "serve-child.log"
    assert mode_of(log) == 0o600
    assert mode_of(log.parent) == 0o700
    assert mode_of(log.parent.parent) & 0o077 == 0
    assert "Ended with its parent." in log.read_text()
