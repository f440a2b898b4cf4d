"""`live-cli models`: the models of the local engine, and `pull` to fetch better ones."""

import sys
from collections.abc import Iterator
from pathlib import Path

from live_cli.catalog import did_you_mean
from live_cli.engine.backends.table import Stage
from live_cli.errors import OptionError
from live_cli.ui.progress import progress_bar
from live_cli.ui.table import TableRow, print_rows

_MB = 1_000_000
_ABILITIES = {Stage.CHAT: "answers", Stage.TRANSCRIBER: "hears", Stage.SYNTHESIZER: "speaks"}


def run(*, json: bool) -> None:
    """Print the models on this machine, those of other programs, and those that can be fetched."""
    from live_cli.engine.chat_models.machine import cores, recommended_here

    rows = [*_chat_models(json=json), *_programs(json=json), *_speech_models(json=json)]
    rows += _pullable({str(row["name"]) for row in rows}, json=json)
    print_rows(rows, as_json=json)
    _tell('The first is used; another: --chat NAME, or [engine] chat = "NAME".')
    best = recommended_here()
    _tell(f"For this machine ({cores()} cores): live-cli models pull {best.name}")


def _chat_models(*, json: bool) -> Iterator[TableRow]:
    from live_cli.engine.chat_models.lookup import list_models

    for model in list_models():
        sees = model.projector is not None
        size = round(model.size / _MB)
        yield _row(model.name, Stage.CHAT, size, sees, model.origin, str(model.path), json=json)


def _programs(*, json: bool) -> Iterator[TableRow]:
    from live_cli.engine.chat_models.programs import find_programs

    for program in find_programs():
        for model in program.models:
            name = f"{program.name}:{model}"
            where = f"--chat {name}"
            yield _row(name, Stage.CHAT, None, None, program.title, where, json=json)


def _speech_models(*, json: bool) -> Iterator[TableRow]:
    from live_cli.engine.speech_models.catalog import SPEECH_MODELS
    from live_cli.engine.speech_models.lookup import list_speech_models

    for model in list_speech_models():
        stage, size = SPEECH_MODELS[model.name].stage, round(model.size / _MB)
        yield _row(model.name, stage, size, None, model.origin, str(model.where), json=json)


def _pullable(there: set[str], *, json: bool) -> Iterator[TableRow]:
    from live_cli.engine.chat_models.lookup import PULLABLE
    from live_cli.engine.speech_models.catalog import SPEECH_MODELS

    figures = [
        *(
            (m.name, Stage.CHAT, m.whole_size, bool(m.projector), m.about)
            for m in PULLABLE.values()
        ),
        *((m.name, m.stage, m.size, None, m.about) for m in SPEECH_MODELS.values()),
    ]
    for name, stage, size, sees, about in figures:
        if name not in there:
            where = about if json else f"live-cli models pull {name}: {about}"
            yield _row(name, stage, round(size / _MB), sees, "not here yet", where, json=json)


def _row(
    name: str,
    stage: Stage,
    size_mb: int | None,
    sees: bool | None,
    origin: str,
    where: str,
    *,
    json: bool,
) -> TableRow:
    """Return a row; None for what is not known, or does not apply."""
    seen = {True: "yes", False: "no", None: ""}
    return {
        "name": name,
        "does": _ABILITIES[stage],
        "size_mb": size_mb,
        "sees": sees if json else seen[sees],
        "from": origin,
        "where": where,
    }


def pull(name: str, *, sha256: str | None, folder: Path | None = None) -> None:
    """Fetch the model ``name`` and print its path.

    Raises OptionError for a name that there is not, EngineError.
    """
    from live_cli.engine.chat_models.lookup import PULLABLE
    from live_cli.engine.speech_models.catalog import SPEECH_MODELS

    known = [*PULLABLE, *SPEECH_MODELS]
    if name in SPEECH_MODELS:
        _pull_speech_model(name, folder)
    elif name in PULLABLE or "://" in name:
        _pull_chat_model(name, sha256, folder)
    else:
        raise OptionError(
            f"No model to pull is called {name!r}: choose {', '.join(known)}, or give the https "
            f"address of a GGUF file{did_you_mean(name, known) or '.'}"
        )


def _pull_chat_model(name: str, sha256: str | None, folder: Path | None) -> None:
    from live_cli.engine.chat_models.lookup import is_projector
    from live_cli.engine.chat_models.pull import pull as fetch

    with progress_bar(name) as progress:
        model = fetch(name, progress, sha256=sha256, folder=folder)
    print(model.path)
    if is_projector(model.path):
        _tell("The model of that name sees by it from now on.")
    else:
        _tell("It answers from now on: live-cli talk --server local")


def _pull_speech_model(name: str, folder: Path | None) -> None:
    from live_cli.engine.speech_models.pull import pull_speech_model

    with progress_bar(name) as progress:
        print(pull_speech_model(name, progress, folder=folder))
    _tell("What it is for: live-cli languages")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
