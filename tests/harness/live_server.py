"""A running server on a real socket of this process, with any engine behind it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import connect

from live_cli.net.server.app import build_app, serve_on
from live_cli.net.server.listen import listen, port_of
from live_cli.net.tls import CertificateFiles, server_context
from tests.harness.live_client import PATH, WITHIN_S
from tests.harness.scripted_engine import ScriptedEngine


@dataclass
class LiveServer:
    """A running server. ``trusting``: trusts its certificate, where it has one."""

    engine: Any
    port: int
    stop: asyncio.Event
    task: asyncio.Task[None]
    trusting: ssl.SSLContext | None = None

    def connect(
        self, path: str = PATH, *, scheme: str = "ws", host: str = "127.0.0.1", **options: Any
    ) -> Any:
        """A WebSocket of the websockets library, to be entered; nothing is sent on it."""
        options.setdefault("proxy", None)
        if scheme == "wss":
            options.setdefault("ssl", self.trusting)
        return connect(f"{scheme}://{host}:{self.port}{path}", **options)

    async def dial(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        return await asyncio.open_connection("127.0.0.1", self.port, **options)

    async def get(self, path: str) -> tuple[int, str]:
        status, _, body = await self.ask("GET", path)
        return status, body

    async def ask(
        self, method: str, path: str, *headers: str, body: bytes = b""
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and body. ``headers`` are whole lines; without any, a host."""
        reader, writer = await self.dial()
        lines = [
            f"{method} {path} HTTP/1.1",
            "connection: close",
            *(headers or ("host: localhost",)),
        ]
        lines += [f"content-length: {len(body)}"] if body else []
        writer.write("\r\n".join((*lines, "", "")).encode() + body)
        async with asyncio.timeout(WITHIN_S):
            head, _, answer = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        pairs = (line.partition(": ") for line in head.split("\r\n")[1:])
        return int(head.split()[1]), {name.lower(): value for name, _, value in pairs}, answer


@contextlib.asynccontextmanager
async def running_server(
    engine: Any = None,
    *,
    host: str = "127.0.0.1",
    tls: CertificateFiles | None = None,
    others: bool = False,
    **options: Any,
) -> AsyncIterator[LiveServer]:
    """A server in this process, on a free port, which leaves no task behind.

    ``engine``: of the test's own, in place of a ScriptedEngine. ``tls``: serve TLS too, with this
    certificate. ``others``: others run beside it, whose tasks are there still.
    ``options``: those of `build_app`.
    """
    engine = engine or ScriptedEngine()
    listeners, stop = listen(host, 0), asyncio.Event()
    app, secure = build_app(engine, **options), server_context(tls) if tls else None
    task = asyncio.create_task(serve_on(app, listeners, stop=stop, secure=secure))
    trusting = ssl.create_default_context(cafile=tls.certificate) if tls else None
    try:
        yield LiveServer(engine, port_of(listeners), stop, task, trusting)
    finally:
        stop.set()
        async with asyncio.timeout(WITHIN_S):
            await task
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert others or left == []
