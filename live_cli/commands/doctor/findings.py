"""The findings of `doctor`: a line each for the user, a JSON object each for a program."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from live_cli.errors import LiveError
from live_cli.streams import is_terminal
from live_cli.ui.printable import printable


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. ``failure``: the error it leads to; ``hint``: a lesser problem.

    ``facts`` are for programs: they are in the JSON alone.
    """

    name: str
    says: str
    failure: LiveError | None = None
    hint: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """``ok``, ``note`` or ``wrong``."""
        return "wrong" if self.failure else "note" if self.hint else "ok"


def print_finding(finding: Finding, *, as_json: bool) -> None:
    """Print ``finding`` on stdout, in colours on a terminal without NO_COLOR."""
    if as_json:
        row = {"name": finding.name, "state": finding.state, "says": finding.says}
        print(json.dumps({**row, **finding.facts}, ensure_ascii=False), flush=True)
        return
    mark = finding.state
    if is_terminal(sys.stdout) and "NO_COLOR" not in os.environ:
        colour = {"ok": "32", "note": "33", "wrong": "31"}[mark]
        mark = f"\x1b[{colour}m{mark:5}\x1b[0m"
    print(f"{mark:5} {finding.name}: {printable(finding.says)}", flush=True)
