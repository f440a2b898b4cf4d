"""The manifests in deploy/kubernetes: by the API's types, by our settings, and among each other."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec.structs
import pytest
import yaml

from live_cli.commands.serve.command import _CLOSING_S, limits_of
from live_cli.loopback import ANY_ADDRESSES
from live_cli.net.server.stats.prometheus import PrometheusCounts
from live_cli.settings.load import load, unknown_variables
from live_cli.settings.schema import Settings
from tests.harness.live_server import running_server
from tests.harness.places import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
OF_OTHERS = ("kustomization.yaml", "pod-monitor.yaml", "prometheus-adapter-values.yaml")
"""Not of the API of Kubernetes itself."""


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


RESOURCES: list[str] = read("kustomization.yaml")["resources"]
POD = read("serve.yaml")["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]


def unknown_fields(found: Any, typed: Any, at: str = "") -> Iterator[str]:
    """Fields of a manifest that its type has not, which msgspec reads over."""
    if isinstance(typed, msgspec.Struct):
        names = {field.encode_name: field.name for field in msgspec.structs.fields(typed)}
        yield from (f"{at}.{name}" for name in found if name not in names)
        for name in names.keys() & found:
            yield from unknown_fields(found[name], getattr(typed, names[name]), f"{at}.{name}")
    elif isinstance(typed, list):
        for number, (each, of_type) in enumerate(zip(found, typed, strict=True)):
            yield from unknown_fields(each, of_type, f"{at}[{number}]")


@pytest.mark.parametrize("name", RESOURCES)
def test_a_manifest_is_what_its_kind_is_in_the_api(name: str) -> None:
    found = read(name)
    group, _, version = found["apiVersion"].rpartition("/")
    module = f"lightkube.models.{group or 'core'}_{version}"
    typed = msgspec.convert(found, getattr(importlib.import_module(module), found["kind"]))
    assert list(unknown_fields(found, typed)) == []


def test_the_types_find_what_is_misspelled_and_of_another_type() -> None:
    """The check can fail: a field that is not there, and a text for a number."""
    of_kind = importlib.import_module("lightkube.models.apps_v1").Deployment
    spec = {"containers": [{"name": "serve", "porst": []}]}
    spelled: Any = {"spec": {"selector": {}, "template": {"spec": spec}}}
    found = list(unknown_fields(spelled, msgspec.convert(spelled, of_kind)))
    assert found == [".spec.template.spec.containers[0].porst"]
    with pytest.raises(msgspec.ValidationError, match="replicas"):
        msgspec.convert({"spec": {"selector": {}, "template": {}, "replicas": "two"}}, of_kind)


def test_every_file_is_applied_or_said_to_be_for_others() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.yaml")) == sorted([*RESOURCES, *OF_OTHERS])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What the container's environment makes, with the secret's files where they are mounted."""
    [secret] = read("kustomization.yaml")["secretGenerator"]
    [volume] = [each for each in POD["volumes"] if "secret" in each]
    [mount] = [each for each in CONTAINER["volumeMounts"] if each["name"] == volume["name"]]
    assert volume["secret"]["secretName"] == secret["name"]
    for name in secret["files"]:
        file = tmp_path / name
        file.write_text("x" * 64)
        file.chmod(0o600)
    environ = {each["name"]: each["value"] for each in CONTAINER["env"]}
    assert unknown_variables(environ) == []
    place = f"{mount['mountPath']}/"
    environ = {name: value.replace(place, f"{tmp_path}/") for name, value in environ.items()}
    return load(environ={**environ, "LIVE_CLI_CONFIG": "/dev/null"})


def test_the_environment_is_settings_of_ours_that_serve_others(settings: Settings) -> None:
    assert settings.server_key == "x" * 64
    assert Path(str(settings.serve.store_password_file)).exists()
    assert settings.serve.host in ANY_ADDRESSES
    assert [each["containerPort"] for each in CONTAINER["ports"]] == [settings.serve.port]
    [port] = read("service.yaml")["spec"]["ports"]
    assert port["targetPort"] in [each["name"] for each in CONTAINER["ports"]]
    user = POD["securityContext"]
    assert user["runAsNonRoot"]
    assert user["fsGroup"] == user["runAsGroup"]  # reads the files of the secret, by their group


def test_a_pod_has_the_time_that_it_takes_to_leave(settings: Settings) -> None:
    limits = limits_of(settings.serve)
    before_s = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    takes_s = before_s + limits.drain_s + limits.grace_s + _CLOSING_S
    assert limits.drain_s > 0
    assert POD["terminationGracePeriodSeconds"] > takes_s


async def test_what_probes_ask_for_is_there() -> None:
    probes = {name: probe for name, probe in CONTAINER.items() if name.endswith("Probe")}
    assert set(probes) == {"startupProbe", "readinessProbe", "livenessProbe"}
    loaded = False
    async with running_server(ready=lambda: loaded) as server:
        paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
        statuses = {name: (await server.get(path))[0] for name, path in paths.items()}
        # a server that loads its models is alive
        assert statuses == {"startupProbe": 503, "readinessProbe": 503, "livenessProbe": 200}
        loaded = True
        assert {(await server.get(path))[0] for path in paths.values()} == {200}


def test_the_autoscaler_s_figure_is_made_of_metrics_that_there_are() -> None:
    [rule] = read("prometheus-adapter-values.yaml")["rules"]["custom"]
    [metric] = read("autoscaling.yaml")["spec"]["metrics"]
    assert rule["name"]["as"] == metric["pods"]["metric"]["name"]
    text = PrometheusCounts(most_sessions=8).text().decode()
    query = rule["metricsQuery"]
    used = {word for word in query.replace("(", " ").replace("{", " ").split() if "_" in word}
    assert used == {"live_cli_sessions_open", "live_cli_max_sessions"}
    assert [name for name in used if f"\n{name} " not in text] == []
    assert "live_cli_max_sessions 8.0" in text


def test_all_select_the_pods_of_the_deployment() -> None:
    deployment, monitor = read("serve.yaml"), read("pod-monitor.yaml")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert read("service.yaml")["spec"]["selector"] == labels
    assert read("disruption.yaml")["spec"]["selector"]["matchLabels"] == labels
    assert monitor["spec"]["selector"]["matchLabels"] == labels
    target = read("autoscaling.yaml")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])
    assert "replicas" not in deployment["spec"]  # they are the autoscaler's
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in [each["name"] for each in CONTAINER["ports"]]
    [secret] = read("kustomization.yaml")["secretGenerator"]
    wanted = endpoint["authorization"]["credentials"]
    assert wanted["name"] == secret["name"]
    assert wanted["key"] in secret["files"]
