"""`live-cli models`: the chat models of the local engine, and `pull` to fetch a better one."""

import sys
from pathlib import Path

from live_cli.catalog import did_you_mean
from live_cli.errors import OptionError
from live_cli.ui.progress import progress_bar
from live_cli.ui.table import TableRow, print_rows

_MB = 1_000_000


def run(*, json: bool) -> None:
    """Print the chat models on this machine, then those that can be fetched."""
    from live_cli.engine.chat_models.lookup import PULLABLE, list_models

    there = list_models()
    names = {model.name for model in there}
    rows: list[TableRow] = [
        {
            "name": model.name,
            "size_mb": round(model.size / _MB),
            "sees": model.projector is not None,
            "from": model.origin,
            "where": str(model.path),
        }
        for model in there
    ]
    rows += [
        {
            "name": model.name,
            "size_mb": round(model.whole_size / _MB),
            "sees": model.projector is not None,
            "from": "not here yet",
            "where": model.about if json else f"live-cli models pull {model.name}: {model.about}",
        }
        for model in PULLABLE.values()
        if model.name not in names
    ]
    print_rows(rows, as_json=json)
    _tell('The first is used; another: [engine] chat = "NAME", or LIVE_CLI_ENGINE_CHAT=NAME.')


def pull(name: str, *, sha256: str | None, folder: Path | None = None) -> None:
    """Fetch the model ``name`` and print its path.

    Raises OptionError for a name that there is not, EngineError.
    """
    from live_cli.engine.chat_models.lookup import PULLABLE, is_projector
    from live_cli.engine.chat_models.pull import pull as fetch

    if name not in PULLABLE and "://" not in name:
        raise OptionError(
            f"No model to pull is called {name!r}: choose {', '.join(PULLABLE)}, or give the https "
            f"address of a GGUF file{did_you_mean(name, PULLABLE) or '.'}"
        )
    with progress_bar(name) as progress:
        model = fetch(name, progress, sha256=sha256, folder=folder)
    print(model.path)
    if is_projector(model.path):
        _tell("The model of that name sees by it from now on.")
    else:
        _tell("It answers from now on: live-cli talk --server local")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
