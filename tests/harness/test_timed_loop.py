"""The loop's holds are counted in processor time: work is, waiting is not."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.harness.timed_loop import LoopHolds, note_holds


def work(seconds: float) -> None:
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass


async def test_work_is_noted_and_waiting_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio.Handle, "_run", asyncio.Handle._run)  # given back at the end
    holds = LoopHolds(tmp_path / "holds")
    assert holds.take() == []
    note_holds(str(tmp_path / "holds"))
    loop = asyncio.get_running_loop()
    loop.call_soon(time.sleep, 0.05)
    await asyncio.sleep(0)
    assert all(each < 50 for each in holds.take())
    loop.call_soon(work, 0.05)
    await asyncio.sleep(0)
    assert max(holds.take()) >= 50
    assert holds.take() == []
