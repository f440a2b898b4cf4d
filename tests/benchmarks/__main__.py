"""`python -m tests.benchmarks [--json FILE] [module ...]`

``--json``: the figures also as an object in FILE, by name.
"""

import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.row import Row

MODULES = (
    "wire",
    "jitter",
    "startup",
    "mcp_calls",
    "latency",
    "stages_by_url",
    "images",
    "talk_images",
    "engine",
    "turns",
    "languages",
    "voices",
    "load",
    "memory",
    "sessions",
    "store",
    "talking",
    "idle",
    "stage_costs",
    "echo",
)
LONG_MODULES = ("noise", "open_speakers", "open_speakers_busy", "attack", "soak")
"""Minutes each, up to twenty: measured only when asked for by name."""


def main(names: list[str]) -> int:
    file, names = (names[1], names[2:]) if names[:1] == ["--json"] else (None, names)
    rows: list[Row] = []
    for name in names or MODULES:
        module = importlib.import_module(f"tests.benchmarks.{name}")
        rows += module.rows()
    Console(width=120).print(table(rows))
    if file is not None:
        figures = {row.what: {"value": row.ours, "unit": row.unit} for row in rows}
        Path(file).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row.holds for row in rows) else 1


def table(rows: list[Row]) -> Table:
    view = Table("what", "ours", "peer", "ratio", "budget", "")
    for row in rows:
        peers = [] if row.peer is None else [(row.peer_name, row.peer)]
        peers += row.beside
        ratio = f"{row.judged:.3f}" if row.peer else ""
        limit = f"{row.budget:g}" if row.peer is not None else f"{row.budget:g} {row.unit}"
        view.add_row(
            row.what,
            f"{row.ours:.4g} {row.unit}",
            "\n".join(f"{figure:.4g} {row.unit} ({name})" for name, figure in peers),
            ratio,
            limit,
            "ok" if row.holds else "MISSED",
        )
    return view


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
