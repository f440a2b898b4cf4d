"""The configuration files of deploy/ as they are, before two servers of which one drains."""

import asyncio
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from live_cli.net.server.limits.limits import Limits
from tests.harness.balancer import haproxy, nginx
from tests.harness.live_client import receive
from tests.harness.redis_server import RedisServer
from tests.net.server.store.test_replicas import answered, opened, replicas


@pytest.mark.parametrize("balancer", ["haproxy", "nginx"])
async def test_nobody_is_sent_to_a_server_that_drains(
    balancer: str, redis: RedisServer, tmp_path: Path
) -> None:
    """Also in the second before its health check fails, when it has the fewest connections."""
    limits = Limits(drain_s=60.0, connections_per_address=0)
    async with replicas(redis, 2, limits=limits) as servers:
        ports = [server.port for server in servers]
        with ExitStack() as stack:
            running = haproxy(ports) if balancer == "haproxy" else nginx(ports, tmp_path)
            port = await asyncio.to_thread(stack.enter_context, running)
            front = replace(servers[0], port=port)
            async with AsyncExitStack() as clients:
                connected = [await clients.enter_async_context(front.connect()) for _ in range(6)]
                for client in connected:
                    await opened(client)
                _, update = await answered(connected[0], "I am Ada.")
                servers[0].stop.set()
                gone = [client for client in connected if await is_told_to_leave(client)]
                assert 1 <= len(gone) < 6
                for client in gone:
                    await client.close()
                for _ in range(8):
                    await opened(await clients.enter_async_context(front.connect()))
                late = await clients.enter_async_context(front.connect())
                await opened(late, update["newHandle"])
                assert (await answered(late, "Who am I?"))[0] == "You said: Who am I?"


async def is_told_to_leave(client) -> bool:  # type: ignore[no-untyped-def]
    """Whether goAway has come; all are told at once."""
    try:
        async with asyncio.timeout(1.0):
            return "goAway" in await receive(client)
    except TimeoutError:
        return False
