"""What the tests of the line share."""

from collections.abc import AsyncIterator

import pytest

from tests.harness.live_server import House, running


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A server of scripted sessions, with the limits it has by default."""
    async with running() as house:
        yield house
