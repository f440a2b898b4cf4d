"""Model files that packages carry in parts: joined on the disk while a model is loaded from them.

Not in memory, as a library that is given the content of a file keeps it beside what it has made of
it: 145 MB of Whisper base, 92 MB of Kokoro.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from live_cli.errors import EngineError


@contextmanager
def joined_parts(parts: Mapping[str, Sequence[Path]]) -> Iterator[Path]:
    """Yield a folder that holds each file of ``parts`` by its name; it is deleted at the end.

    Raises EngineError where the folder for temporary files has no room for them.
    """
    with ExitStack() as stack:
        try:
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="live-cli-"))
            folder = Path(name)
            for file, pieces in parts.items():
                _join(pieces, folder / file)
        except OSError as exc:
            raise EngineError(
                f"the parts of a model find no room in the folder for temporary files ({exc}). "
                "Free some, or set TMPDIR to another folder."
            ) from exc
        yield folder


def _join(pieces: Sequence[Path], whole: Path) -> None:
    with whole.open("wb") as joined:
        for piece in pieces:
            with piece.open("rb") as part:
                shutil.copyfileobj(part, joined, 1 << 20)
