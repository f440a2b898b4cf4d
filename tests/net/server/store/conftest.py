"""A Redis server for the tests of stores."""

from collections.abc import Iterator

import pytest

from tests.harness.redis_server import RedisServer


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.kill()
