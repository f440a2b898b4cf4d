"""Rows of values on stdout: a table on a terminal, tabs on a pipe, JSON on request."""

import json
import sys
from collections.abc import Mapping, Sequence

from live_cli.streams import is_terminal
from live_cli.ui.printable import printable

TableRow = Mapping[str, object]
"""Column -> value, in the order of the columns; the first row names them."""


def print_rows(rows: Sequence[TableRow], *, as_json: bool = False) -> None:
    """Print ``rows`` on stdout: one JSON object a line, a table, or tab-separated lines."""
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    elif is_terminal(sys.stdout):
        _print_table(rows)
    else:
        for row in rows:
            print("\t".join(_cell(value) for value in row.values()))


def _print_table(rows: Sequence[TableRow]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name, value in rows[0].items():
        number = isinstance(value, int) and not isinstance(value, bool)
        table.add_column(Text(name.replace("_", " ")), justify="right" if number else "left")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else printable(str(value))
