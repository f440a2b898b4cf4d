"""Sessions that are open and say nothing, in a process of their own.

python -m tests.benchmarks.idle_clients PORT COUNT

Prints a line once all are open, and holds them until its stdin ends. They answer pings.
"""

import asyncio
import resource
import sys

from websockets.asyncio.client import ClientConnection, connect

from tests.harness.live_client import PATH

AT_A_TIME = 32
SETUP = '{"setup": {"model": "models/local", "sessionResumption": {}}}'


async def hold(port: int, count: int) -> None:
    opening = asyncio.Semaphore(AT_A_TIME)

    async def opened() -> ClientConnection:
        async with opening:
            client = await connect(
                f"ws://127.0.0.1:{port}{PATH}",
                proxy=None,
                compression=None,
                open_timeout=60.0,
                ping_interval=None,
            )
            await client.send(SETUP)
            assert b"setupComplete" in await client.recv()
            return client

    clients = await asyncio.gather(*(opened() for _ in range(count)))
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    lost = [client for client in clients if client.close_code is not None]
    print(f"{len(lost)} lost", flush=True)
    for client in clients:
        client.transport.abort()


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(hold(*map(int, sys.argv[1:])))
