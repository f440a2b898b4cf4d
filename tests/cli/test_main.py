"""The command line as processes: exit codes, one line on stderr, quiet ends, never a traceback."""

import os
import re
import signal
import subprocess
import sys

import pytest

from live_cli.cli import main as cli
from live_cli.errors import ConnectError, DeviceError, LiveError, SessionError

POSIX = sys.platform != "win32"


@pytest.fixture
def environ(tmp_path):
    """An environment with a home of its own and no key."""
    own = {name: str(tmp_path) for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")}
    own |= {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "STATE")}
    kept = {n: os.environ[n] for n in ("PATH", "SYSTEMROOT", "LANG") if n in os.environ}
    return {**kept, **own, "PYTHONPATH": os.getcwd(), "PYTHONWARNINGS": "error"}


@pytest.fixture
def live_cli(environ, tmp_path):
    """Runs one command line in a process of its own."""

    def run(*args, env=None, stdin=None):
        return subprocess.run(
            [sys.executable, "-m", "live_cli", *args],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**environ, **(env or {})},
            cwd=tmp_path,
            timeout=60,
            check=False,
        )

    return run


def one_line(result) -> str:
    """Its stderr, which is one line that starts with the program's name."""
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("live-cli: ")
    assert "Traceback" not in result.stderr + result.stdout
    return result.stderr


# --- help --------------------------------------------------------------------------------------


def test_alone_it_shows_its_help(live_cli):
    result = live_cli()
    assert result.returncode == 0
    assert result.stdout == live_cli("--help").stdout
    for command in ("talk", "text", "transcribe", "serve", "devices", "doctor", "voices",
                    "languages", "models", "config"):  # fmt: skip
        assert re.search(rf"^  {command} +\S", result.stdout, re.MULTILINE), command
    assert result.stderr == ""


SHARED = [
    "--server", "--model", "--api-version", "--voice", "--language", "--system", "--modality",
    "--no-output-transcript", "--affective", "--proactive", "--thinking-budget",
    "--thinking-level", "--show-thoughts", "--usage", "--no-resume", "--no-compress", "--json",
    "--output", "--config", "--profile",
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("text", [*SHARED, "--history"]),
        (
            "talk",
            [*SHARED, "--input", "--input-device", "--output-device", "--no-input-transcript",
             "--start-sensitivity", "--end-sensitivity", "--prefix-padding-ms", "--silence-ms",
             "--no-interruption", "--turn-coverage", "--push-to-talk", "--media-resolution",
             "--record", "--no-echo-cancel", "--half-duplex", "--camera", "--screen",
             "--no-preview"],
        ),
        ("transcribe", ["--server", "--model", "--language", "--format", "--output", "--config"]),
        ("serve", ["--host", "--port", "--config", "--profile"]),
    ],
)  # fmt: skip
def test_the_help_of_a_verb_names_every_option_of_the_guide(live_cli, command, options):
    shown = live_cli(command, "--help").stdout
    missing = [option for option in options if not re.search(rf"{option}\b", shown)]
    assert missing == []
    for later in ("--tls-port", "--child"):
        assert later not in shown


def test_no_option_takes_a_key(live_cli):
    for command in ("talk", "text", "transcribe", "serve", "doctor"):
        assert not re.search(r"--\S*key", live_cli(command, "--help").stdout)


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom live_cli.cli.main import main\n"
        "try: main(['talk', '--help'])\n"
        "except SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stderr.split()
    heavy = {"numpy", "asyncio", "rich", "sounddevice", "soxr", "msgspec", "websockets", "pydantic"}
    assert not heavy & set(loaded)
    assert not [name for name in loaded if name.startswith("live_cli.commands.")]


def test_a_light_command_loads_nothing_heavy_either():
    code = (
        "import sys\nfrom live_cli.cli.main import main\n"
        "try: main(['voices'])\n"
        "except SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stderr.split()
    assert not {"numpy", "asyncio", "rich", "sounddevice", "msgspec", "pydantic"} & set(loaded)


def test_version(live_cli):
    assert re.fullmatch(r"live-cli \d+\.\d+\.\d+\S*\n", live_cli("--version").stdout)


# --- wrong usage and settings ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["tlak"], 2, "Did you mean 'talk'?"),
        (["talk", "--voic", "Kore"], 2, "--voice"),
        (["talk", "--voice"], 2, "--voice"),
        (["talk", "--voice", "Kor"], 2, "did you mean 'Kore'?"),
        (["text", "--language", "xx", "hi"], 2, "live-cli languages"),
        (["talk", "--silence-ms", "1"], 2, "--silence-ms must be a whole number from 20"),
        (["talk", "--thinking-budget", "-2"], 2, "--thinking-budget must be"),
        (["talk", "--modality", "vidoe"], 2, "one of audio, text"),
        (["talk", "--server", "wss://h/?key=secret"], 2, "LIVE_CLI_KEY"),
        (["text", "one", "two"], 2, "two"),
        (["transcribe"], 2, "live-cli transcribe FILE"),
        (["models", "pull"], 2, "NAME"),
        (["talk", "--affective=3"], 2, "--affective"),
        (["transcribe", "--format", "str", "x.wav"], 2, "did you mean 'srt'?"),
        (["serve", "--port", "65536"], 2, "from 0 to 65535"),
        (["models", "pul", "x"], 2, "Did you mean 'pull'?"),
        (["config", "shwo"], 2, "Did you mean 'show'?"),
        (["talk", "--config", "none.toml"], 3, "none.toml cannot be read"),
        (["talk", "--profile", "x"], 3, "no profile 'x'"),
        (["text", "--server", "gemini", "hi"], 3, "GEMINI_API_KEY"),
        (["talk", "--language", "zu", "--server", "local"], 3, "Nothing here hears Zulu"),
        (["text", "--system", "@none.txt", "hi"], 7, "'none.txt' cannot be read"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_an_exit_code(live_cli, args, code, says):
    result = live_cli(*args)
    line = one_line(result)
    assert says in line
    assert "secret" not in line
    assert result.returncode == code
    assert result.stdout == ""


def test_a_wrong_settings_file_is_one_line_with_its_line(live_cli, tmp_path):
    (tmp_path / "c.toml").write_text("# mine\nvioce = 'Kore'\n")
    for args in (["talk"], ["config", "check"], ["config", "show"], ["doctor"]):
        result = live_cli(*args, "--config", "c.toml")
        assert "c.toml, line 2: vioce is not a setting; did you mean 'voice'?" in one_line(result)
        assert result.returncode == 3


def test_control_characters_in_what_was_typed_are_made_visible(live_cli):
    for args in (["\x1b[2J"], ["talk", "--server", "\x1b]0;x\x07"], ["talk", "--\x1b[2J"]):
        assert "\x1b" not in one_line(live_cli(*args))


# --- the ends of a command ---------------------------------------------------------------------


@pytest.fixture
def ended(monkeypatch, capsys, tmp_path):
    """Runs `voices` in this process, with something in its place; gives the code and stderr."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(raised: BaseException):
        def act(**_: object) -> None:
            raise raised

        monkeypatch.setattr("live_cli.commands.voices.run", act)
        with pytest.raises(SystemExit) as ended:
            cli.main(["voices"])
        return ended.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("raised", "code", "stderr"),
    [
        (LiveError("One\nand two."), 1, "live-cli: One and two.\n"),
        (ConnectError("No server."), 4, "live-cli: No server.\n"),
        (DeviceError("No\x1b[2J microphone."), 5, "live-cli: No␛[2J microphone.\n"),
        (SessionError("Lost."), 6, "live-cli: Lost.\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
        (OSError(28, "No space left on device"), 7,
         "live-cli: The output cannot be written: No space left on device.\n"),
    ],
)  # fmt: skip
def test_every_end_has_its_code_and_its_line(ended, raised, code, stderr):
    assert ended(raised) == (code, stderr)


def test_a_bug_is_one_line_and_a_report_without_keys(ended, monkeypatch, tmp_path):
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaSecret")
    code, stderr = ended(RuntimeError("it broke\nwith AIzaSecret"))
    assert code == 1
    assert stderr.count("\n") == 1
    assert "This is a bug: RuntimeError: it broke with [key]" in stderr
    path = re.search(r"details are in (.*)\.$", stderr.strip())[1]
    with open(path, encoding="utf-8") as file:
        report = file.read()
    assert "Traceback" in report
    assert "AIzaSecret" not in report


@pytest.mark.skipif(not POSIX, reason="a shell's pipe into head")
def test_a_pipe_into_head_ends_quietly(environ, tmp_path):
    command = f"'{sys.executable}' -m live_cli languages | head -1"
    result = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, env=environ, cwd=tmp_path, check=True
    )
    assert result.stdout.startswith("af\t")
    assert result.stderr == ""


@pytest.mark.skipif(not POSIX, reason="a shell's closed descriptors")
@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("args", ["voices", "--help", "config show", "text hi", "text hi --json"])
def test_closed_streams_are_no_error(environ, tmp_path, closed, args):
    result = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m live_cli {args} {closed}"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
        env={**environ, "LIVE_CLI_ENGINE_CHAT": "scripted"},
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")


INTERRUPTED_IMPORT = """
import os, signal, sys
from live_cli.__main__ import main

class Interrupt:
    def find_spec(self, name, path, target=None):
        if name == "live_cli.cli.main":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
main()
"""


@pytest.mark.skipif(not POSIX, reason="signals")
def test_ctrl_c_before_the_command_is_there_has_no_traceback(environ):
    result = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORT],
        capture_output=True, text=True, env=environ, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (-signal.SIGINT, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a disk that is always full")
def test_a_full_disk_is_said(environ, tmp_path):
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "live_cli", "voices"], stdout=full, stderr=subprocess.PIPE,
            text=True, env=environ, cwd=tmp_path, check=False,
        )  # fmt: skip
    assert result.returncode == 7
    assert result.stderr == "live-cli: The output cannot be written: No space left on device.\n"


def test_what_the_terminal_cannot_show_becomes_a_question_mark(live_cli):
    result = live_cli("talk", "--voice", "Köre", env={"PYTHONIOENCODING": "ascii"})
    assert "K?re" in one_line(result)
