"""deploy/compose.yaml and the Containerfile: by their schemas, by our settings, and each other."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from live_cli.cli.app import app
from live_cli.cli.main import completed
from live_cli.commands.serve.command import _CLOSING_S, limits_of
from live_cli.loopback import ANY_ADDRESSES
from live_cli.scale.deployments import ENDPOINTS, StageArguments, read_arguments
from live_cli.settings.load import load, unknown_variables
from live_cli.settings.schema import ServeSettings, Settings
from tests.harness.live_server import running_server
from tests.harness.places import ROOT

FOLDER = ROOT / "deploy"
COMPOSE_FILE = FOLDER / "compose.yaml"
COMPOSE = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
CONTAINERFILE = (FOLDER / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
HAPROXY = (FOLDER / "haproxy.cfg").read_text(encoding="utf-8")
RAY = yaml.safe_load((FOLDER / "ray-serve.yaml").read_text(encoding="utf-8"))
LIMIT_S = 120.0
GIVEN = {"LIVE_CLI_KEY": "k" * 64, "STORE_PASSWORD": "p" * 64}
"""What the person who starts it has in the environment."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def filled(text: str) -> str:
    """``text`` with its variables, as Compose puts them in."""
    return re.sub(r"\$\{(\w+)(:\?[^}]*)?\}", lambda found: GIVEN[found[1]], text)


def settings_of(service: str) -> Settings:
    environ = {name: filled(value) for name, value in SERVICES[service]["environment"].items()}
    assert unknown_variables(environ) == []
    environ |= dict(re.findall(r"\b(LIVE_CLI_\w+)=(\S+)", CONTAINERFILE))  # of the image
    return load(environ={**environ, "LIVE_CLI_CONFIG": os.devnull})


def test_the_compose_file_fits_the_schema() -> None:
    done = run(
        *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"),
        str(COMPOSE_FILE),
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("service", ["serve-1", "serve-2"])
def test_a_replica_s_environment_is_settings_of_ours(service: str) -> None:
    settings = settings_of(service)
    assert settings.server_key == GIVEN["LIVE_CLI_KEY"]
    assert settings.serve.host in ANY_ADDRESSES
    assert settings.serve.max_connections_per_address == 0
    limits, found = limits_of(settings.serve), SERVICES[service]["stop_grace_period"]
    assert limits.drain_s > 0
    assert int(found.removesuffix("s")) > limits.drain_s + limits.grace_s + _CLOSING_S


def test_the_balancer_is_told_of_the_replicas_and_the_store_of_its_password() -> None:
    balancer, port = SERVICES["balancer"], ServeSettings().port
    told = balancer["environment"]
    assert set(told) == set(re.findall(r'"\$\{(\w+)', HAPROXY))
    replicas = {f"{name}:{port}" for name in SERVICES if name.startswith("serve-")}
    assert {value for name, value in told.items() if name.startswith("REPLICA_")} == replicas
    assert [each.rpartition(":")[2] for each in balancer["ports"]] == [told["LISTEN"].strip(":")]
    assert all(each.startswith("127.0.0.1:") for each in balancer["ports"]), "plain text"
    [volume] = balancer["volumes"]
    assert (FOLDER / volume.partition(":")[0]).samefile(FOLDER / "haproxy.cfg")
    store = settings_of("serve-1").serve.store
    assert (
        store
        == f"redis://:{filled(SERVICES['store']['environment']['REDISCLI_AUTH'])}@store:6379/0"
    )
    waits_for = {name for each in SERVICES.values() for name in each.get("depends_on", {})}
    assert waits_for <= set(SERVICES)


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [extras] = re.findall(r"^ARG EXTRAS=(.*)$", CONTAINERFILE, re.MULTILINE)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, re.MULTILINE)
    sources = [source for each in copied for source in each.split()]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    needed = {"pyproject.toml", "live_cli", "config.example.toml", project["readme"]}
    assert needed | {*project["license-files"]} <= set(sources)
    [user] = re.findall(r"^USER (\d+):\d+$", CONTAINERFILE, re.MULTILINE)
    assert int(user) > 0
    assert any(f"uid={user}," in each for each in SERVICES["serve-1"]["tmpfs"])
    pod = yaml.safe_load((FOLDER / "kubernetes" / "serve.yaml").read_text(encoding="utf-8"))
    assert pod["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == int(user)
    assert f"EXPOSE {ServeSettings().port}\n" in CONTAINERFILE
    build = SERVICES["serve-1"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).samefile(FOLDER / "Containerfile")


@pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="hadolint has no wheel"
)
def test_hadolint_finds_nothing_in_the_containerfile() -> None:
    hadolint = str(Path(sys.executable).parent / "hadolint")
    done = run(hadolint, str(FOLDER / "Containerfile"))
    assert (done.returncode, done.stdout) == (0, "")


async def test_the_image_s_health_check_asks_whether_serve_is_ready() -> None:
    [words] = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", CONTAINERFILE, re.MULTILINE)
    program, *args = json.loads(words)
    assert program == "python"
    loaded = False
    async with running_server(ready=lambda: loaded) as server:
        here = [arg.replace(str(ServeSettings().port), str(server.port)) for arg in args]
        assert (await _exit_code(here)) == 1
        loaded = True
        assert (await _exit_code(here)) == 0
    assert (await _exit_code(here)) == 1, "nobody listens"


async def _exit_code(args: list[str]) -> int:
    null = subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(sys.executable, *args, stderr=null)
    return await asyncio.wait_for(process.wait(), LIMIT_S)


def command_lines() -> list[str]:
    """Every command line of ours in deploy/: in texts, in comments, and what containers run."""
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.rglob("*") if path.is_file()]
    found = {
        line
        for text in texts
        for line in re.findall(r"live-cli ((?:talk|text|serve)\b[^`\n#;|]*)", text)
    }
    found |= set(re.findall(r"-e LIVE_CLI_KEY\S* live-cli (\w+ [^`\n#]*)", "\n".join(texts)))
    [default] = re.findall(r"^CMD (\[.*\])$", CONTAINERFILE, re.MULTILINE)
    assert 'ENTRYPOINT ["live-cli"]\n' in CONTAINERFILE
    pod = yaml.safe_load((FOLDER / "kubernetes" / "serve.yaml").read_text(encoding="utf-8"))
    found.add(shlex.join(json.loads(default)))
    found.add(shlex.join(pod["spec"]["template"]["spec"]["containers"][0]["args"]))
    return sorted(line.strip() for line in found)


@pytest.mark.parametrize("line", command_lines())
def test_a_command_line_is_understood(line: str) -> None:
    called = typer.main.get_command(app).main(
        completed(shlex.split(line)), "live-cli", standalone_mode=False
    )
    assert callable(called)


def test_the_file_for_ray_serve_names_what_is_there() -> None:
    [application] = RAY["applications"]
    module, _, builder = application["import_path"].partition(":")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
    assert f"\ndef {builder}(" in source
    arguments = read_arguments(application["args"])
    assert arguments == StageArguments()
    named = [each["name"] for each in application["deployments"]]
    assert named == [ENDPOINTS, *(stage.value for stage in arguments.stages)]
    [chat] = [each for each in application["deployments"] if each["name"] == "chat"]
    assert chat["max_ongoing_requests"] == 2 * ServeSettings().parallel
    assert RAY["http_options"]["host"] == "127.0.0.1", "others only with a key"
