"""A server that the tests of the network share."""

from collections.abc import AsyncIterator

import pytest

from tests.harness.live_server import LiveServer, running_server


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    """A server with a ScriptedEngine and the default limits."""
    async with running_server() as server:
        yield server
