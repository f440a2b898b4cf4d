"""A soak tells at once how a `serve` ended that nobody asked to."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.benchmarks.soak import ServeEndedError, watched
from tests.harness.serve_process import serving

SCRIPTED = {
    f"LIVE_CLI_ENGINE_{stage}": "scripted"
    for stage in ("DETECTOR", "TRANSCRIBER", "CHAT", "SYNTHESIZER")
}


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
async def test_the_signal_and_the_last_words_are_told(
    tmp_path: Path, number: signal.Signals
) -> None:
    async def end() -> None:
        await asyncio.sleep(1.0)
        serve.process.send_signal(number)

    with pytest.raises(ServeEndedError) as ended, serving(tmp_path, SCRIPTED) as serve:
        await asyncio.gather(watched(serve, seconds=600.0, visitors=2), end())
    assert f"by {number.name}" in str(ended.value)
    assert "sessions" in str(ended.value)
    assert ("Segmentation fault" in str(ended.value)) == (number is signal.SIGSEGV)
