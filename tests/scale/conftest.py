"""A Redis server of a test's own."""

from collections.abc import Iterator

import pytest

from tests.harness.redis_server import RedisServer


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.kill()
