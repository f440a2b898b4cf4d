"""Two `live-cli serve` with one Redis behind HAProxy, each of which may be killed or drained."""

import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.harness.balancer import DIRECT, haproxy
from tests.harness.command import started
from tests.harness.redis_server import RedisServer, free_port
from tests.harness.serve_process import Serve

SCRIPTED: Final = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted",
    "LIVE_CLI_ENGINE_CHAT": "scripted",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
    "LIVE_CLI_ENGINE_END_OF_TURN": "silence",
}


class Replicas:
    """Two running replicas. ``settings``: their environment; ``stores``: the store of each."""

    def __init__(
        self, stack: ExitStack, home: Path, settings: Mapping[str, str], stores: list[str]
    ) -> None:
        self._stack = stack
        self._home = home
        self._settings = {
            "LIVE_CLI_SERVE_DRAIN_S": "60",
            "LIVE_CLI_SERVE_MAX_CONNECTIONS_PER_ADDRESS": "0",
            **settings,
        }
        self._stores = stores
        self.ports = [free_port() for _ in stores]
        self.served = [self._started(number) for number in range(len(stores))]
        for serve in self.served:
            serve.until(r"^Ready\.$")

    def _started(self, number: int) -> Serve:
        process = self._stack.enter_context(
            started(
                *("serve", "--port", str(self.ports[number])),
                home=self._home,
                env=self._settings | {"LIVE_CLI_SERVE_STORE": self._stores[number]},
                stderr=subprocess.PIPE,
            )
        )
        return Serve(process, self._home)

    def kill(self, number: int) -> None:
        """kill -9: whoever is connected notices by the end of the connection alone."""
        self.served[number].process.kill()
        assert self.served[number].ended() == -signal.SIGKILL

    def start(self, number: int) -> None:
        """Start one that has ended anew, at its port, and wait until it is ready."""
        self.served[number] = self._started(number)
        self.served[number].until(r"^Ready\.$")

    def drain(self, number: int) -> None:
        """SIGTERM, and wait until all have left it and it has ended."""
        serve = self.served[number]
        serve.process.send_signal(signal.SIGTERM)
        assert serve.ended() == 0, serve.said
        assert "Traceback" not in serve.said

    def serving(self) -> int:
        """Which of them has sessions; the first where several have."""
        for number, port in enumerate(self.ports):
            if self.served[number].process.poll() is None and _open_sessions(port):
                return number
        raise AssertionError("no replica has a session")


def _open_sessions(port: int) -> int:
    with DIRECT.open(f"http://127.0.0.1:{port}/metrics", timeout=10.0) as answer:
        found = re.search(r"^live_cli_sessions_open (\d+)", answer.read().decode(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@contextmanager
def replicas(
    home: Path, redis: RedisServer, settings: Mapping[str, str] = SCRIPTED, *, first: str = ""
) -> Iterator[tuple[Replicas, str]]:
    """Two replicas with ``redis`` as their store, and the address of HAProxy before them.

    ``first``: another address of the same store, by which the first replica reaches it.
    """
    with ExitStack() as stack:
        running = Replicas(stack, home, settings, [first or redis.url, redis.url])
        port = stack.enter_context(haproxy(running.ports))
        yield running, f"http://127.0.0.1:{port}"
