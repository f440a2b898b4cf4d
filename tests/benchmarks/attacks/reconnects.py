"""Our own client, made to connect again and again by servers that fail."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from live_cli.errors import LiveError
from live_cli.net.address import Address
from live_cli.net.client.client import LiveClient
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.protocol.messages import SessionResumptionConfig, Setup
from tests.benchmarks.attacks.target import Attack, Target
from tests.benchmarks.row import Row

_SECONDS, _SMALL_SECONDS = 60.0, 2.0
_MOST_A_MINUTE: Final = 20.0
_SETUP: Final = Setup(model="models/m", session_resumption=SessionResumptionConfig())

Conduct = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]
"""What a server does with a connection whose setup it has read."""


async def _say(socket: ServerConnection, *messages: object) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def _open(socket: ServerConnection) -> None:
    update = {"sessionResumptionUpdate": {"newHandle": "h", "resumable": True}}
    await _say(socket, {"setupComplete": {}}, update)


async def _accept_and_close(socket: ServerConnection, _: dict[str, Any]) -> None:
    await _open(socket)
    await socket.close(1011)


async def _drop(socket: ServerConnection, _: dict[str, Any]) -> None:
    await _open(socket)
    socket.transport.abort()


async def _say_go_away(socket: ServerConnection, _: dict[str, Any]) -> None:
    await _open(socket)
    await _say(socket, {"goAway": {"timeLeft": "0s"}})
    await socket.wait_closed()


async def _refuse_handles(socket: ServerConnection, setup: dict[str, Any]) -> None:
    if "handle" in setup.get("sessionResumption", {}):
        await socket.close(1008, "handle not found")
    else:
        await _drop(socket, setup)


async def _answer_and_drop(socket: ServerConnection, setup: dict[str, Any]) -> None:
    await _say(socket, {"setupComplete": {}}, {"serverContent": {"turnComplete": True}})
    await _drop(socket, setup)


async def _be_busy(socket: ServerConnection, _: dict[str, Any]) -> None:
    await _open(socket)
    await socket.close(1013, "Try later.")


_CONDUCTS: Final[dict[str, Conduct]] = {
    "that accepts and closes": _accept_and_close,
    "that accepts and drops": _drop,
    "that says goAway in 0 s": _say_go_away,
    "that refuses each handle": _refuse_handles,
    "that answers and drops": _answer_and_drop,
    "that is busy": _be_busy,
}
_UNAVAILABLE: Final = "that answers 503 after the first"


@dataclass
class _FailingServer:
    """A server on loopback; counts who comes. ``conduct`` None: 503 to all but the first."""

    conduct: Conduct | None
    attempts: int = 0
    port: int = 0
    client: ResumingClient | None = field(default=None)

    async def handle(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            setup = json.loads(await socket.recv())["setup"]
            await (self.conduct or _drop)(socket, setup)

    def count(self, socket: ServerConnection, _: Request) -> Response | None:
        self.attempts += 1
        if self.conduct is None and self.attempts > 1:
            return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "later\n")
        return None

    async def connect(self, setup: Setup, first_turn: int) -> LiveClient:
        address = Address(f"ws://127.0.0.1:{self.port}", None, "v1beta", "a failing server")
        return await LiveClient.connect(address, setup, first_turn=first_turn)

    async def be_visited(self, seconds: float) -> int:
        """How often our client came in that time."""
        async with serve(self.handle, "127.0.0.1", 0, process_request=self.count) as listener:
            self.port = listener.sockets[0].getsockname()[1]
            client = ResumingClient(
                await self.connect(_SETUP, 1), _SETUP, self.connect, goes_on=True
            )
            with suppress(TimeoutError, LiveError):
                async with asyncio.timeout(seconds):
                    async for _ in client:
                        pass
            with suppress(LiveError):
                await client.connection.close()
        return self.attempts


async def fail(target: Target) -> list[Row]:
    """All servers at a time, each with a client that has more to say."""
    seconds = _SMALL_SECONDS if target.small else _SECONDS
    servers = {name: _FailingServer(conduct) for name, conduct in _CONDUCTS.items()}
    servers[_UNAVAILABLE] = _FailingServer(None)
    attempts = await asyncio.gather(*(each.be_visited(seconds) for each in servers.values()))
    what = f"connections in {seconds:g} s to a server"
    return [
        Row(f"{what} {name}", count, "", _MOST_A_MINUTE)
        for name, count in zip(servers, attempts, strict=True)
    ]


ATTACKS: Final = (Attack("failing servers", fail),)
