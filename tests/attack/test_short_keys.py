"""A key that can be guessed serves nobody but this machine, wherever it comes from."""

from pathlib import Path

import pytest

from live_cli.commands.serve import command as serve
from live_cli.errors import SettingsError
from live_cli.loopback import ANY_ADDRESSES
from live_cli.settings.schema import Settings
from tests.harness.command import live_cli

NETWORK = [*ANY_ADDRESSES, "192.0.2.1", "box.example", "127.0.0.1.example"]


@pytest.mark.parametrize("host", NETWORK)
@pytest.mark.parametrize("key", ["1", "s3cret", "x" * 15])
def test_a_short_key_is_refused_beyond_loopback(host: str, key: str) -> None:
    with pytest.raises(SettingsError, match="16 characters") as refused:
        serve.run(Settings(server_key=key), host=host, port=8765, print_env=True)
    assert key == "1" or key not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "key"),
    [("127.0.0.1", "1"), ("localhost", "1"), ("::1", "1"), (ANY_ADDRESSES[0], "x" * 16)],
)
def test_a_long_key_or_loopback_is_served(
    host: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    serve.run(Settings(server_key=key), host=host, port=8765, print_env=True)
    assert "GEMINI_API_KEY" in capsys.readouterr().out


@pytest.mark.parametrize("by_file", [True, False])
def test_the_command_ends_with_one_line_and_3(tmp_path: Path, by_file: bool) -> None:
    file = tmp_path / "server.key"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    env = {"LIVE_CLI_SERVER_KEY_FILE": str(file)} if by_file else {"LIVE_CLI_KEY": "s3cret"}
    ended = live_cli("serve", "--host", ANY_ADDRESSES[0], "--port", "0", home=tmp_path, env=env)
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert len(ended.stderr.splitlines()) == 1
    assert b"16 characters" in ended.stderr
    assert b"s3cret" not in ended.stderr
