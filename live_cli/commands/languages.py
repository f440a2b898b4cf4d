"""`live-cli languages`: the seventy languages with their codes; the local engine's are marked."""

from live_cli.catalog import LANGUAGES, LOCAL_LANGUAGES
from live_cli.ui.table import TableRow, print_rows


def run(*, json: bool) -> None:
    """Print the languages by name."""
    by_name = sorted(LANGUAGES.items(), key=lambda entry: entry[1])
    rows: list[TableRow] = [
        {"code": code, "language": name, "local": code in LOCAL_LANGUAGES if json else _mark(code)}
        for code, name in by_name
    ]
    print_rows(rows, as_json=json)


def _mark(code: str) -> str:
    return "also local" if code in LOCAL_LANGUAGES else ""
