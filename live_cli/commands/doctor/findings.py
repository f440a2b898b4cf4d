"""What `doctor` finds: a line each for the person, an object each for a program."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from live_cli.errors import LiveError
from live_cli.ui.printable import printable


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``failure``: what stops the default way; ``hint``: a lesser problem.

    ``facts`` are for programs: they are in the JSON alone.
    """

    name: str
    says: str
    failure: LiveError | None = None
    hint: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return "wrong" if self.failure else "note" if self.hint else "ok"


def print_finding(finding: Finding, *, as_json: bool) -> None:
    """On stdout, in colours where it is a terminal that wants them."""
    if as_json:
        row = {"name": finding.name, "state": finding.state, "says": finding.says}
        print(json.dumps({**row, **finding.facts}, ensure_ascii=False), flush=True)
        return
    mark = finding.state
    if sys.stdout is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        colour = {"ok": "32", "note": "33", "wrong": "31"}[mark]
        mark = f"\x1b[{colour}m{mark:5}\x1b[0m"
    print(f"{mark:5} {finding.name}: {printable(finding.says)}", flush=True)
