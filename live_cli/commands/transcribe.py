"""`live-cli transcribe`: speech files to text."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from live_cli.commands.connecting import Server, running_server
from live_cli.commands.transcription import Transcript, transcribe_file
from live_cli.errors import InputFileError, SettingsError
from live_cli.opening import Opening, plan_opening
from live_cli.settings import Settings
from live_cli.ui.captions import render
from live_cli.ui.printable import printable
from live_cli.ui.progress import progress_bar

SUFFIXES = {"text": ".txt", "srt": ".srt", "vtt": ".vtt", "json": ".json"}


def run(settings: Settings, files: list[str], *, format: str, output: Path | None) -> None:
    """Transcribe each file. Raises LiveError; a file that fails does not stop the others."""
    if output is None and len(files) > 1 and format in ("srt", "vtt"):
        raise SettingsError(
            f"Several {format} files do not fit into one stream: name a folder with --output."
        )
    opening = plan_opening(settings, "transcribe")
    asyncio.run(_transcribe_all(opening, files, format, output))


async def _transcribe_all(
    opening: Opening,
    files: list[str],
    file_format: str,
    output: Path | None,
) -> None:
    for warning in opening.warnings:
        _tell(warning)
    write = _writer(files, file_format, output)
    failures: list[InputFileError] = []
    async with running_server(opening) as server:
        for file in files:
            try:
                write(file, await _transcribe_one(server, opening, file))
            except InputFileError as exc:
                failures.append(exc)
                _tell(f"live-cli: {exc}")
    if failures:
        raise InputFileError(
            str(failures[0])
            if len(files) == 1
            else f"{len(failures)} of {len(files)} files could not be transcribed."
        )


async def _transcribe_one(server: Server, opening: Opening, file: str) -> Transcript:
    with progress_bar(Path(file).name) as progress:
        transcript = await transcribe_file(server, opening, file, progress)
    if transcript.warning:
        _tell(transcript.warning)
    return transcript


def _writer(
    files: list[str], file_format: str, output: Path | None
) -> Callable[[str, Transcript], None]:
    """Where transcripts go: stdout, one file, or a folder with one file each."""
    if output is None:
        return lambda file, transcript: _print(_rendered(file, transcript, file_format))
    into_folder = len(files) > 1 or output.is_dir()

    def write(file: str, transcript: Transcript) -> None:
        name = "stdin" if file == "-" else Path(file).stem
        path = output / f"{name}{SUFFIXES[file_format]}" if into_folder else output
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
