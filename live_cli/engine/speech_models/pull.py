"""Fetches a transcriber or a voice: file by file, each pinned by its hash and resumable."""

from pathlib import Path

from live_cli.engine.chat_models.lookup import cache_folder
from live_cli.engine.chat_models.pull import PullProgress, pull_file
from live_cli.engine.speech_models.catalog import SPEECH_MODELS


def pull_speech_model(
    name: str,
    progress: PullProgress = lambda there, whole: None,
    *,
    folder: Path | None = None,
) -> Path:
    """Fetch the model ``name`` of `SPEECH_MODELS`; return its folder.

    What is there already is not fetched again. Raises EngineError as `chat_models.pull.pull`.
    """
    model = SPEECH_MODELS[name]
    target, before = (folder or cache_folder()) / name, 0
    for file, pinned in model.files.items():

        def tell(there: int, _: int | None, before: int = before) -> None:
            progress(before + there, model.size)

        pull_file(pinned.url, target / file, pinned.sha256, pinned.size, tell)
        before += pinned.size
    return target
