"""The stages on Ray Serve, as an operator runs them: `serve run FILE`, where Ray is installed."""

import copy
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import yaml

from tests.harness.command import environment
from tests.harness.places import ROOT
from tests.harness.redis_server import free_port
from tests.harness.sdks import SDKS

RAY = SDKS / "ray" / "bin"
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "ray-serve.yaml").read_text("utf-8"))
LIMIT_S = 240.0
_OPENER = build_opener(ProxyHandler({}))
_REPLICAS = """
import json, sys, time
import ray
ray.init(address="auto", namespace="serve", log_to_driver=False)
stage, other_than, until = sys.argv[1], sys.argv[2:], time.monotonic() + 120
while True:
    named = [each["name"] for each in ray.util.list_named_actors(all_namespaces=True)]
    found = [name for name in named if f"#{stage}#" in name and name not in other_than]
    if found or time.monotonic() > until:
        break
    time.sleep(0.2)
print(json.dumps(found))
"""
"""Names of a stage's replicas; it waits for one that is none of those given."""
_KILL = """
import sys
import ray
ray.init(address="auto", namespace="serve", log_to_driver=False)
ray.kill(ray.get_actor(sys.argv[1], namespace="serve"))
"""


def is_ray_there() -> bool:
    """Whether `make ray` has installed it."""
    return (RAY / "serve").exists()


class RayServe:
    """A running application, and its replicas by Ray's names."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, env: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._process = process
        self._env = env

    def replicas(self, stage: str, other_than: list[str] | None = None) -> list[str]:
        """Those of a stage, as soon as there is one beside ``other_than``."""
        names: list[str] = json.loads(self._run(_REPLICAS, stage, *(other_than or ())))
        return names

    def kill(self, replica: str) -> None:
        """The actor's process is killed, with whatever it was doing."""
        self._run(_KILL, replica)

    def until_ready(self) -> None:
        until = monotonic() + LIMIT_S
        while not self._is_ready():
            assert self._process.poll() is None, "serve run ended"
            assert monotonic() < until, "the application does not answer"
            sleep(0.2)

    def _is_ready(self) -> bool:
        try:
            with _OPENER.open(f"{self.url}/readyz", timeout=5.0):
                return True
        except (URLError, OSError):
            return False

    def _run(self, program: str, *args: str) -> str:
        command = [str(RAY / "python"), "-c", program, *args]
        done = subprocess.run(
            command, env=self._env, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def ray_serve(
    home: Path, settings: Mapping[str, str], replicas: Mapping[str, int] | None = None
) -> Iterator[RayServe]:
    """The application of deploy/ray-serve.yaml at a free port, with a Ray of its own.

    ``settings``: environment variables. ``replicas``: at least as many of a stage.
    """
    assert is_ray_there(), "Ray is not installed: make ray"
    port, config = free_port(), copy.deepcopy(CONFIG)
    config["http_options"]["port"] = port
    for deployment in config["applications"][0]["deployments"]:
        least = (replicas or {}).get(deployment["name"], 1)
        deployment["autoscaling_config"]["min_replicas"] = least
    file = home / "ray-serve.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    # Ray's sockets lie below this folder, and the path of a socket is short
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    ray = {"RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0"}
    env = environment(home, **ray, **settings)
    env["PATH"] = f"{RAY}{os.pathsep}{env['PATH']}"
    with (home / "ray.log").open("wb") as log:
        process = subprocess.Popen(
            [str(RAY / "serve"), "run", str(file)],
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        running = RayServe(process, port, env)
        running.until_ready()
        yield running
    finally:
        process.terminate()
        try:
            process.wait(LIMIT_S)
        finally:
            _end_group(process.pid)
            shutil.rmtree(folder, ignore_errors=True)


def _end_group(leader: int) -> None:
    """What `serve run` started and left behind."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
