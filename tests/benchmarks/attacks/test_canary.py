"""The canary is answered while it is left alone, and says when it was not."""

from pathlib import Path

import pytest

from tests.benchmarks.attack import SCRIPTED
from tests.benchmarks.attacks.canary import singing
from tests.benchmarks.attacks.target import KEY
from tests.harness.serve_process import serving


def kill_beside_a_canary(home: Path) -> None:
    with (
        serving(home, SCRIPTED | {"LIVE_CLI_KEY": KEY}) as serve,
        singing(serve.port, KEY, aloud=False) as canary,
    ):
        waits_ms = [wait for _ in range(50) for wait in canary.take()]
        assert waits_ms
        assert min(waits_ms) > 0
        serve.process.kill()
        for _ in range(1000):
            canary.take()


def test_waits_are_told_until_the_session_is_gone(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not left alone"):
        kill_beside_a_canary(tmp_path)
