"""`live-cli serve` and the child that commands start, with scripted stages, as real processes."""

import asyncio
import contextlib
import json
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from live_cli.commands.connect import CHILD
from live_cli.commands.serve import command as serve
from live_cli.errors import ConnectError, EngineError, SettingsError
from live_cli.net.child.process import ServerChild
from live_cli.net.server.limits.limits import Limits
from live_cli.settings.schema import EngineSettings, ServeSettings, Settings
from tests.harness.command import live_cli
from tests.harness.serve_process import serving

WITHIN_S = 60.0  # a bound on waiting, not a measure
LONG_KEY = "a-key-for-the-network"
SCRIPTED = EngineSettings(
    detector="scripted",
    transcriber="scripted",
    chat="scripted:Good day.",
    synthesizer="scripted",
)
STAGES = ("detector", "transcriber", "chat", "synthesizer")
ARGS = [arg for stage in STAGES for arg in (f"--{stage}", getattr(SCRIPTED, stage))]
ENV = {f"LIVE_CLI_ENGINE_{stage.upper()}": getattr(SCRIPTED, stage) for stage in STAGES}
WITHOUT_CRYPTOGRAPHY = """
from live_cli.net import tls
tls.find_spec = lambda name: None
from live_cli.__main__ import main
main()
"""


async def reply_of(url: str, key: str | None = None, **options: Any) -> str:
    """What a TEXT session at ``url`` answers to a typed word."""
    headers = {"x-goog-api-key": key} if key else {}
    path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    config = {"responseModalities": ["TEXT"]}
    text = ""
    async with (
        asyncio.timeout(WITHIN_S),
        connect(url + path, additional_headers=headers, proxy=None, **options) as client,
    ):
        setup = {"model": "models/local", "generationConfig": config}
        await client.send(json.dumps({"setup": setup}))
        assert "setupComplete" in json.loads(await client.recv())
        await client.send(json.dumps({"realtimeInput": {"text": "hello"}}))
        async for frame in client:
            content: dict[str, Any] = json.loads(frame).get("serverContent", {})
            for part in content.get("modelTurn", {}).get("parts", []):
                text += part["text"]
            if content.get("turnComplete"):
                break
    return text


async def test_it_says_where_it_is_answers_and_ends_with_a_signal(tmp_path: Path) -> None:
    with serving(tmp_path, ENV) as server:
        assert re.search(r"live-cli talk --server http://127\.0\.0\.1:\d+", server.said)
        assert "no key" in server.said
        assert await reply_of(f"ws://127.0.0.1:{server.port}") == "Good day."
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.ended) == 0
        assert "Traceback" not in server.said
        assert len(re.findall("session 1 ", server.said)) == 1  # one line a session


async def test_ctrl_c_is_a_normal_end_also_with_a_session_open(tmp_path: Path) -> None:
    with serving(tmp_path, ENV | {"LIVE_CLI_KEY": "s3cret"}) as server:
        headers = {"x-goog-api-key": "s3cret"}
        async with connect(
            f"ws://127.0.0.1:{server.port}/", additional_headers=headers, proxy=None
        ) as client:
            server.process.send_signal(signal.SIGINT)
            async with asyncio.timeout(WITHIN_S):
                await client.wait_closed()
            assert await asyncio.to_thread(server.ended) == 0
            assert client.close_code == 1001
        assert "s3cret" not in server.said


async def test_a_signal_lets_a_turn_finish(tmp_path: Path) -> None:
    with serving(tmp_path, ENV) as server:
        said: list[str] = []
        async with (
            asyncio.timeout(WITHIN_S),
            connect(f"ws://127.0.0.1:{server.port}/", proxy=None) as client,
        ):
            await client.send(json.dumps({"setup": {"model": "models/local"}}))
            await client.recv()
            await client.send(json.dumps({"realtimeInput": {"text": "hello"}}))
            with contextlib.suppress(ConnectionClosed):
                while True:
                    message = json.loads(await client.recv())
                    said += message.get("serverContent", message)
                    if said == ["modelTurn"]:
                        server.process.send_signal(signal.SIGTERM)
        assert said.index("modelTurn") < said.index("goAway") < said.index("turnComplete")
        assert client.close_code == 1001
        assert await asyncio.to_thread(server.ended) == 0


def test_a_stage_that_cannot_be_loaded_ends_it_in_one_sentence(tmp_path: Path) -> None:
    wrong = ENV | {"LIVE_CLI_ENGINE_SYNTHESIZER": "nobody"}
    done = live_cli("serve", "--port", "0", home=tmp_path, env=wrong)
    said = done.stderr.decode()
    assert done.returncode == EngineError.exit_code
    assert said.rstrip().splitlines()[-1].startswith("live-cli: ")
    assert "nobody" in said
    assert "Traceback" not in said


def test_the_defaults_of_the_settings_are_those_of_the_line() -> None:
    assert serve.limits_of(ServeSettings()) == Limits()


def test_every_limit_that_can_be_set_is_passed_on() -> None:
    names = [each.name for each in fields(ServeSettings) if each.name.endswith(("_s", "_bytes"))]
    names += ["max_connections", "max_sessions", "max_auth_tokens", "max_sessions_per_key"]
    names.remove("max_stored_bytes")  # the store's own
    given = {name: 77_000 + number for number, name in enumerate(names)}
    made = serve.limits_of(ServeSettings(**given))
    passed = {**asdict(made), **asdict(made.lifetimes)}.values()
    assert set(given.values()) <= {value for value in passed if not isinstance(value, dict)}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104
def test_other_machines_are_not_served_without_a_key(host: str) -> None:
    with pytest.raises(SettingsError, match="LIVE_CLI_KEY"):
        serve.run(Settings(serve=ServeSettings(host=host, port=0)))


def test_a_port_in_use_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConnectError, match=f"Port {port} is in use"):
            serve.run(Settings(), port=port)


async def test_the_child_answers_through_its_address(tmp_path: Path) -> None:
    args = ["serve", "--child", "--needs", "chat", *ARGS]
    async with ServerChild.start(args, program=CHILD, log_path=tmp_path / "child.log") as child:
        assert await reply_of(child.address.url, child.address.key) == "Good day."


async def test_the_child_tells_in_full_what_it_cannot_load(tmp_path: Path) -> None:
    args = ["--needs", "transcriber,synthesizer", *ARGS, "--synthesizer", "nobody"]
    async with (
        ServerChild.start(args, program=CHILD, log_path=tmp_path / "child.log") as child,
        asyncio.timeout(WITHIN_S),
    ):
        error = await child.failed()
        assert isinstance(error, EngineError)
        assert "nobody" in str(error)


@pytest.mark.parametrize("args", [["--needs", "teeth"], ["--no-such-option"]])
async def test_a_wrong_argument_ends_the_child_with_its_words(
    args: list[str], tmp_path: Path
) -> None:
    words = "ended while starting: exit code 2: live-cli serve --child: error:"
    with pytest.raises(ConnectError, match=words):
        await ServerChild.start(args, program=CHILD, log_path=tmp_path / "child.log").open()


async def test_it_speaks_tls_at_the_same_port(tmp_path: Path) -> None:
    with serving(tmp_path, ENV) as server:
        bundle = re.search(r"export SSL_CERT_FILE=(\S+)", server.said)
        assert bundle is not None
        trusting = ssl.create_default_context(cafile=bundle[1])
        assert await reply_of(f"wss://localhost:{server.port}", ssl=trusting) == "Good day."
    assert "Plain only" not in server.said


async def test_without_the_library_it_serves_plain_and_says_so(tmp_path: Path) -> None:
    program = (sys.executable, "-c", WITHOUT_CRYPTOGRAPHY)
    with serving(tmp_path, ENV, program) as server:
        assert "Plain only" in server.said
        assert "pip install" in server.said
        assert "SSL_CERT_FILE" not in server.said
        assert re.search(rf"LIVE_CLI_SERVER=http://127\.0\.0\.1:{server.port}", server.said)
        assert await reply_of(f"ws://127.0.0.1:{server.port}") == "Good day."


def printed_env(capsys: pytest.CaptureFixture[str], settings: Settings) -> tuple[list[str], str]:
    serve.run(settings, print_env=True)
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert all(line.startswith(("export ", "# ")) for line in lines)
    return [line.removeprefix("export ") for line in lines if line[0] != "#"], printed.err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::"])  # noqa: S104
def test_the_environment_is_printed_alone(
    host: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1", "::1": "[::1]"}.get(host, host)  # noqa: S104
    state = tmp_path / "a person's folder"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    options = ServeSettings(host=host, port=4321)
    assignments, said = printed_env(capsys, Settings(serve=options, server_key=LONG_KEY))
    bundle = state / "live-cli" / "tls" / "ca-bundle.pem"
    assert [shlex.split(assignment) for assignment in assignments] == [
        ["GOOGLE_GEMINI_BASE_URL=https://localhost:4321"],
        [f"SSL_CERT_FILE={bundle}"],
        ["GEMINI_API_KEY=$LIVE_CLI_KEY"],
        [f"GOOGLE_GEMINI_BASE_URL=http://{at}:4321"],
        ["GEMINI_API_KEY=$LIVE_CLI_KEY"],
        [f"LIVE_CLI_SERVER=http://{at}:4321"],
    ]
    assert bundle.is_file()
    assert said == ""


def test_one_address_of_the_network_is_in_the_certificate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    options = ServeSettings(host="192.0.2.7", port=4321)
    assignments, said = printed_env(capsys, Settings(serve=options, server_key=LONG_KEY))
    bundle = tmp_path / "live-cli" / "tls" / "ca-bundle.pem"
    assert assignments == [
        "GOOGLE_GEMINI_BASE_URL=https://192.0.2.7:4321",
        f"SSL_CERT_FILE={bundle}",
        'GEMINI_API_KEY="$LIVE_CLI_KEY"',
        "GOOGLE_GEMINI_BASE_URL=http://192.0.2.7:4321",
        'GEMINI_API_KEY="$LIVE_CLI_KEY"',
        "LIVE_CLI_SERVER=http://192.0.2.7:4321",
    ]
    assert said == ""


def test_a_free_port_has_no_environment_before_it_is_taken() -> None:
    with pytest.raises(SettingsError, match="--port N"):
        serve.run(Settings(serve=ServeSettings(port=0)), print_env=True)


def test_the_child_carries_nothing_of_tls() -> None:
    loaded = (
        "import sys, live_cli.commands.serve.child, live_cli.net.server.app\n"
        "print(sorted({'live_cli.net.tls', 'cryptography'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=WITHIN_S
    )
    assert done.stdout == "[]\n"


async def test_a_second_signal_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    exits: list[int] = []
    monkeypatch.setattr(os, "_exit", exits.append)
    stop = asyncio.Event()
    before = signal.getsignal(signal.SIGINT)
    with serve.stopping_on_signals(stop, grace_s=3600.0):
        signal.raise_signal(signal.SIGINT)
        async with asyncio.timeout(WITHIN_S):
            await stop.wait()
        assert exits == []
        signal.raise_signal(signal.SIGINT)
        assert exits == [130]
    assert signal.getsignal(signal.SIGINT) is before
