"""What the tests of the line share."""

from collections.abc import AsyncIterator

import pytest

from tests.harness.live_server import LiveServer, running_server


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    """A server of scripted sessions, with the limits it has by default."""
    async with running_server() as server:
        yield server
