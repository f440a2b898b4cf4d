"""`live-cli voices`: the thirty voices, each with its character."""

from live_cli.catalog import VOICES
from live_cli.ui.table import TableRow, print_rows


def run(*, json: bool) -> None:
    """Print the voices."""
    rows: list[TableRow] = [
        {"voice": voice, "character": character} for voice, character in VOICES.items()
    ]
    print_rows(rows, as_json=json)
