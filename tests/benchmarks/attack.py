"""Attacks on `serve`, one after another, on loopback alone: what each costs, and costs the others.

python -m tests.benchmarks attack

Each kind has a limit on its own figures, and on how long the canary waits meanwhile: another
session, which asks and is answered in a process of its own. How long the event loop is held is the
processor time of its longest callback. A real `serve` is attacked by its protocol with scripted
stages, without and with ``--strict``, and by what it has to work on with the real ones.
"""

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep
from typing import Final

from tests.benchmarks.attacks import (
    costly_messages,
    hoarding,
    long_sound,
    reconnects,
    strangers,
    wrong_keys,
)
from tests.benchmarks.attacks.canary import singing
from tests.benchmarks.attacks.target import KEY, Attack, Target
from tests.benchmarks.row import Row
from tests.harness.serve_process import serving
from tests.harness.timed_loop import PROGRAM, VARIABLE, LoopHolds

SCRIPTED: Final = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted",
    "LIVE_CLI_ENGINE_CHAT": "scripted:Good day.",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
}


_WAIT_MS: Final = 1000.0
"""Of the canary whose answers cost nothing: time of the clock, on a machine that is attacked."""
_QUIET_S, _SMALL_QUIET_S = 8.0, 1.0
"""How long the canary is looked at before anybody attacks."""


@dataclass(frozen=True)
class _Round:
    """Attacks on one `serve`. ``aloud``: the canary speaks, so that all stages have to answer."""

    name: str
    settings: dict[str, str]
    attacks: tuple[Attack, ...]
    aloud: bool = False


_ROUNDS: Final = (
    _Round(
        "by protocol",
        SCRIPTED,
        (
            *costly_messages.ATTACKS,
            *wrong_keys.ATTACKS,
            *strangers.ATTACKS,
            *reconnects.ATTACKS,
        ),
    ),
    _Round("strict", SCRIPTED | {"LIVE_CLI_SERVE_STRICT": "true"}, costly_messages.STRICT_ATTACKS),
    _Round("real stages", {}, (*hoarding.ATTACKS, *long_sound.ATTACKS), aloud=True),
)


def rows(small: bool = False) -> list[Row]:
    rounds = [each for each in _ROUNDS if not small or each.name != "strict"]
    return [row for attacks in rounds for row in _round(attacks, small)]


def _round(attacks: _Round, small: bool) -> list[Row]:
    """The figures of one `serve`, which must be there to the end and end in order."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "holds"
        settings = {"LIVE_CLI_KEY": KEY, VARIABLE: str(notes), **attacks.settings}
        with (
            serving(Path(folder), settings, PROGRAM) as serve,
            singing(serve.port, KEY, aloud=attacks.aloud) as canary,
        ):
            target = Target(serve.port, serve.process.pid, canary, LoopHolds(notes), small)
            holds = LoopHolds(notes)
            holds.take()  # of its start
            sleep(_SMALL_QUIET_S if small else _QUIET_S)
            quiet_ms = max(canary.take(), default=1.0)
            for attack in attacks.attacks:
                found += _carried_out(attack, target, quiet_ms)
            worst_ms = max(holds.take(), default=0.0)
    found.append(Row("the loop is held in all, worst", worst_ms, "ms", 100.0))
    return [replace(row, what=f"{attacks.name}: {row.what}") for row in found]


def _carried_out(attack: Attack, target: Target, quiet_ms: float) -> list[Row]:
    """The figures of one attack, and how long the canary waited meanwhile."""
    asyncio.run(target.settle())
    target.canary.take()
    found = asyncio.run(attack.act(target))
    worst_ms = max(target.canary.take(), default=0.0)
    what = f"the canary's worst wait, {attack.name}"
    if attack.most_waits is None:
        return [*found, Row(what, worst_ms, "ms", _WAIT_MS, beside=(("in quiet", quiet_ms),))]
    return [*found, Row(what, worst_ms, "ms", attack.most_waits, quiet_ms, "in quiet")]
