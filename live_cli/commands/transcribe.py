"""`live-cli transcribe`: speech files to text."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from live_cli.commands.connecting import Server, running_server
from live_cli.commands.transcription import Transcript, Watch, transcribe_file
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.errors import InputFileError, SettingsError
from live_cli.opening import Opening, plan_opening
from live_cli.settings import Settings
from live_cli.ui.captions import render
from live_cli.ui.json_lines import JsonFace
from live_cli.ui.printable import printable
from live_cli.ui.progress import progress_bar

Write = Callable[[str, Transcript], None]
SUFFIXES = {"text": ".txt", "srt": ".srt", "vtt": ".vtt", "json": ".json"}


def run(
    settings: Settings, files: list[str], *, format: str, output: Path | None, json: bool
) -> None:
    """Transcribe each file. Raises LiveError; a file that fails does not stop the others.

    ``json``: the sessions' events on stdout, one session after another in the order of the files.
    """
    if output is None and len(files) > 1 and format in ("srt", "vtt") and not json:
        raise SettingsError(
            f"Several {format} files do not fit into one stream: name a folder with --output."
        )
    opening = plan_opening(settings, "transcribe")
    write = _nowhere if json and output is None else _writer(files, format, output)
    asyncio.run(_transcribe_all(opening, files, write, json))


async def _transcribe_all(opening: Opening, files: list[str], write: Write, json: bool) -> None:
    for warning in opening.warnings:
        _tell(warning)
    failures = 0
    async with running_server(opening) as server:
        for file in files:
            try:
                write(file, await _transcribe_one(server, opening, file, json))
            except InputFileError as exc:
                if len(files) == 1:
                    raise
                failures += 1
                _tell(f"live-cli: {exc}")
    if failures:
        raise InputFileError(f"{failures} of {len(files)} files could not be transcribed.")


async def _transcribe_one(server: Server, opening: Opening, file: str, json: bool) -> Transcript:
    with ExitStack() as stack:
        watch: Watch = lambda event: None  # noqa: E731
        if json:
            face = stack.enter_context(JsonFace())
            face.status(label=f"{opening.label} · {opening.model.id} · {file}")
            watch = face.event
        stack.enter_context(native_stderr_silenced())  # libsndfile's MP3 decoder prints
        progress = stack.enter_context(progress_bar(Path(file).name))
        transcript = await transcribe_file(server, opening, file, progress, watch)
    if transcript.warning:
        _tell(transcript.warning)
    return transcript


def _nowhere(file: str, transcript: Transcript) -> None:
    """The events have told it all."""


def _writer(files: list[str], file_format: str, output: Path | None) -> Write:
    """Where transcripts go: stdout, one file, or a folder with one file each."""
    if output is None:
        return lambda file, transcript: _print(_rendered(file, transcript, file_format))
    into_folder = len(files) > 1 or output.is_dir()
    stems = Counter(Path(file).stem for file in files)

    def write(file: str, transcript: Transcript) -> None:
        path = output
        if into_folder:
            name = "stdin" if file == "-" else Path(file).stem
            # talk.wav and talk.mp3 must not become one talk.txt
            name = Path(file).name if stems[name] > 1 else name
            path = output / f"{name}{SUFFIXES[file_format]}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_rendered(file, transcript, file_format), encoding="utf-8")
        except OSError as exc:
            raise InputFileError(f"{path} cannot be written: {exc.strerror or exc}.") from exc

    return write


def _rendered(file: str, transcript: Transcript, file_format: str) -> str:
    text = render(transcript.segments, file_format, name=file, duration_s=transcript.duration_s)
    return printable(text, newlines=True)


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _tell(text: str) -> None:
    print(printable(text), file=sys.stderr)
