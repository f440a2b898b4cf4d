"""Talking sessions on one `serve` whose transcriber, chat model and synthesizer are elsewhere.

What is left to `serve` is the line, the detectors of speech and of a turn's end, and the turns: its
processor time for each session is what the number of replicas is reckoned from. The stages are
scripted, in a process of their own, and cost `serve` what real ones by URL would. A session asks
aloud, waits for the answer, plays it and asks again, and sends sound all the time.
"""

import asyncio
import tempfile
from pathlib import Path
from time import monotonic

from live_cli.net.client.client import LiveClient
from tests.benchmarks.load import LAG_BUDGET_MS, pinging
from tests.benchmarks.row import Row, quantile
from tests.benchmarks.voice import Question, address_of, connected
from tests.harness.process_figures import cpu_s
from tests.harness.replicas import SCRIPTED
from tests.harness.serve_process import Serve, serving

COUNT, SMALL_COUNT = 8, 1
TURNS, SMALL_TURNS = 4, 1
BUDGET_PERCENT = 10.0
ANSWER = "Well, that is a good question, and I have to think about it."


def rows(small: bool = False) -> list[Row]:
    count, turns = (SMALL_COUNT, SMALL_TURNS) if small else (COUNT, TURNS)
    own = SCRIPTED | {"LIVE_CLI_ENGINE_CHAT": f"scripted:{ANSWER}"}
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), own, verb="stages") as stages,
        serving(Path(home), _by_url(f"openai:{stages.address}/v1")) as serve,
    ):
        share, lags_s = asyncio.run(_talk(serve, count, turns))
    return [
        Row("a talking session, stages elsewhere: of a core", 100 * share, "%", BUDGET_PERCENT),
        Row("talking sessions that one core carries so", 1 / share, "", 10_000),
        Row(
            f"{count} of them: lag of the event loop, p99",
            1e3 * quantile(lags_s, 0.99),
            "ms",
            LAG_BUDGET_MS,
        ),
    ]


def _by_url(base: str) -> dict[str, str]:
    return {
        "LIVE_CLI_ENGINE_TRANSCRIBER": base,
        "LIVE_CLI_ENGINE_CHAT": f"{base}#chat",
        "LIVE_CLI_ENGINE_SYNTHESIZER": base,
    }


async def _talk(serve: Serve, count: int, turns: int) -> tuple[float, list[float]]:
    """The share of a core that each session takes, and the loop's lags meanwhile."""
    question = Question()
    async with connected(serve.address, count) as clients:

        async def ask(client: LiveClient, number: int, times: int) -> None:
            await asyncio.sleep(number / count)  # people do not speak in step
            for _ in range(times):
                await question.wait_s(client)

        async def ask_all(times: int) -> None:
            await asyncio.gather(
                *(ask(*each, times) for each in zip(clients, range(count), strict=True))
            )

        await ask_all(1)
        began, before_s = monotonic(), cpu_s(serve.process.pid)
        await ask_all(turns)
        share = (cpu_s(serve.process.pid) - before_s) / (monotonic() - began) / count
        async with pinging(address_of(serve.address).endpoint) as lags_s:
            await ask_all(1)
    return share, lags_s
