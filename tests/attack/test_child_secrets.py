"""The server child gets the keys that its chat endpoint needs, and shows none to other users."""

import os
from pathlib import Path

import pytest

from live_cli.commands.connect import running_server
from live_cli.engine.backends.llm.openai import OpenAIChatModel
from live_cli.errors import EngineError, SettingsError
from live_cli.net.child.environment import child_environment
from live_cli.plan.plan import plan_session
from live_cli.settings.load import load
from tests.harness.chat_endpoint import chunk, serving_endpoint
from tests.harness.command import live_cli

SECRET = "s3cret-w0rd"
OPENAI_KEY = "OPENAI_API_KEY"
CREDENTIALS = [
    "GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "LIVE_CLI_KEY",
    "LIVE_CLI_API_KEY_FILE", "LIVE_CLI_SYSTEM", OPENAI_KEY, "ANTHROPIC_API_KEY",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "GITHUB_TOKEN", "GH_PAT",
    "HF_TOKEN", "NPM_CONFIG_AUTH", "DATABASE_URL", "PGPASSWORD", "MYSQL_PWD", "SSH_AUTH_SOCK",
    "DOCKER_AUTH_CONFIG", "SSLKEYLOGFILE", "PYTHON_KEYRING_PASSWORD", "LLAMA_API_KEY",
    "XDG_SECRET", "CUDA_TOKEN", "pip_token", "ITSOWNNAME",
]  # fmt: skip
NEEDED = [
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME",
    "PYTHONPATH", "PYTHONUTF8", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "https_proxy", "NO_PROXY", "OMP_NUM_THREADS",
    "ORT_DISABLE_TELEMETRY", "OPENBLAS_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "GGML_VK_VISIBLE",
    "SystemRoot", "LOCALAPPDATA", "APPDATA", "USERPROFILE", "TEMP", "PathExt",
]  # fmt: skip


def planned(chat, verb="text"):
    environ = {"LIVE_CLI_CONFIG": os.devnull, "LIVE_CLI_ENGINE_CHAT": chat}
    return plan_session(load({"server": "local"}, environ=environ), verb, local_installed=True)


def test_a_child_gets_what_it_needs_and_no_credential():
    given = dict.fromkeys([*CREDENTIALS, *NEEDED], SECRET)
    assert sorted(child_environment(given, ())) == sorted(NEEDED)
    assert sorted(child_environment(given, [OPENAI_KEY])) == sorted([*NEEDED, OPENAI_KEY])


@pytest.mark.parametrize("proxy", ["http://me:pw@proxy:1", "me:pw@proxy:1", "socks5://me@proxy"])
def test_a_proxy_with_a_password_is_a_credential(proxy):
    given = {"HTTPS_PROXY": proxy, "http_proxy": proxy, "all_proxy": "http://proxy:1/a@b"}
    assert set(child_environment(given, ())) == {"all_proxy"}
    assert child_environment(given, ["HTTP_PROXY", "HTTPS_PROXY"]) == given


@pytest.mark.parametrize(
    ("chat", "verb", "promised"),
    [
        ("gguf", "text", False),
        ("scripted", "talk", False),
        ("openai:http://h/v1#m", "text", True),
        ("openai:http://h/v1#m", "talk", True),
        ("openai:http://h/v1#m", "transcribe", False),  # nothing is asked of a chat model
    ],
)
def test_the_endpoints_key_is_for_a_child_that_asks_the_endpoint(chat, verb, promised):
    assert (OPENAI_KEY in planned(chat, verb).child_variables) is promised


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
@pytest.mark.parametrize("chat", ["scripted", "openai:http://127.0.0.1:1/v1#m"])
async def test_a_running_child_holds_no_other_key(chat, monkeypatch):
    for name in CREDENTIALS:
        monkeypatch.setenv(name, f"{SECRET}-{name}")
    async with running_server(planned(chat)) as server:
        assert server._child is not None
        folder = Path("/proc", str(server._child.pid))
        environment = (folder / "environ").read_text().split("\0")
        command_line = (folder / "cmdline").read_text()
    held = {line.partition("=")[0] for line in environment if SECRET in line}
    assert held == ({OPENAI_KEY} if chat.startswith("openai:") else set())
    assert SECRET not in command_line
    assert any(line.startswith("PATH=") for line in environment)


def test_the_endpoint_gets_its_key_through_the_child(tmp_path):
    with serving_endpoint() as endpoint:
        endpoint.answer = lambda body: [chunk("Good day.")]
        keys = {"LIVE_CLI_ENGINE_CHAT": f"openai:{endpoint.spec}", OPENAI_KEY: SECRET}
        ended = live_cli("text", "hello", "--server", "local", home=tmp_path, env=keys)
    assert (ended.returncode, ended.stdout.strip()) == (0, b"Good day.")
    assert {headers["Authorization"] for _, headers, _ in endpoint.asked} == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "address",
    [
        "openai:http://me:s3cret-w0rd@h/v1#m",
        "openai:https://s3cret-w0rd@h/v1#m",
        "openai:http://h/v1?key=s3cret-w0rd#m",
        "openai:me:s3cret-w0rd@h/v1#m",
        "OPENAI:http://me:s3cret-w0rd@h/v1#m",
        "http://me:s3cret-w0rd@h/v1#m",
        "//me:s3cret-w0rd@h/v1#m",
    ],
)
def test_an_address_with_a_key_comes_on_no_command_line_and_into_no_log(address):
    with pytest.raises(SettingsError, match=OPENAI_KEY) as refused:
        planned(address)
    assert SECRET not in str(refused.value)
    if address.startswith("openai:"):
        with pytest.raises(EngineError, match=OPENAI_KEY) as refused_late:
            OpenAIChatModel(address.removeprefix("openai:"))
        assert SECRET not in str(refused_late.value)


@pytest.mark.parametrize(
    "chat", ["openai:http://h/v1#@cf/meta/llama?x", "gguf:/models/a@b?.gguf", "gguf", "smollm2"]
)
def test_what_is_no_key_stays_allowed(chat):
    assert f"--chat={chat}" in planned(chat).child_args
