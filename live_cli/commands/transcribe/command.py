"""`live-cli transcribe`: speech files to text."""

import asyncio
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from live_cli.commands.connect import RunningServer, notes, running_server
from live_cli.commands.outputs import refuse_overwriting
from live_cli.commands.transcribe.one_file import Transcript, Watch, transcribe_file
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.errors import InputFileError, SettingsError
from live_cli.plan.plan import SessionPlan, plan_session
from live_cli.settings.schema import Settings
from live_cli.ui.json_lines import JsonView
from live_cli.ui.printable import printable
from live_cli.ui.progress import progress_bar
from live_cli.ui.subtitles.subtitles import render

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
    targets = _targets(files, format, output)
    plan = plan_session(settings, "transcribe")
    job = _Job(plan, format, json)
    asyncio.run(job.run(list(zip(files, targets, strict=True))))


@dataclass(frozen=True)
class _Job:
    """A list of files to transcribe in one way; a file whose target is None goes to stdout."""

    plan: SessionPlan
    file_format: str
    json: bool

    async def run(self, files: list[tuple[str, Path | None]]) -> None:
        for note in notes(self.plan, chat=""):
            _tell(note)
        failures = 0
        async with running_server(self.plan) as server:
            for file, target in files:
                try:
                    await self._transcribe(server, file, target)
                except InputFileError as exc:
                    if len(files) == 1:
                        raise
                    failures += 1
                    _tell(f"live-cli: {exc}")
        if failures:
            raise InputFileError(f"{failures} of {len(files)} files could not be transcribed.")

    async def _transcribe(self, server: RunningServer, file: str, target: Path | None) -> None:
        transcript = await _transcribe_one(server, self.plan, file, self.json)
        if target is None and self.json:
            return  # the events hold all of it
        text = printable(
            render(
                transcript.subtitles,
                self.file_format,
                name=file,
                duration_s=transcript.duration_s,
            ),
            newlines=True,
        )
        if target is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            _write(target, text)


async def _transcribe_one(
    server: RunningServer, plan: SessionPlan, file: str, json: bool
) -> Transcript:
    with ExitStack() as stack:
        watch: Watch = lambda event: None  # noqa: E731
        if json:
            view = stack.enter_context(JsonView())
            view.status(label=f"{plan.label} · {plan.model.id} · {file}")
            watch = view.event
        stack.enter_context(native_stderr_silenced())  # libsndfile's MP3 decoder prints
        progress = stack.enter_context(progress_bar(Path(file).name))
        transcript = await transcribe_file(server, plan, file, progress, watch)
    if transcript.warning:
        _tell(transcript.warning)
    return transcript


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise InputFileError(f"{path} cannot be written: {exc.strerror or exc}.") from exc


def _targets(files: list[str], file_format: str, output: Path | None) -> list[Path | None]:
    """Return where each transcript goes; raises InputFileError where that is one of ``files``."""
    if output is None:
        return [None] * len(files)
    into_folder = len(files) > 1 or output.is_dir()
    paths = destinations(files, output, SUFFIXES[file_format]) if into_folder else [output]
    for path in paths:
        refuse_overwriting(path, files)
    return list(paths)


def destinations(files: list[str], folder: Path, suffix: str) -> list[Path]:
    """Return a path for each file: ``talk.txt``, or ``talk.wav.txt`` and ``talk.wav.2.txt``."""
    stems = Counter(Path(file).stem for file in files)
    taken: Counter[str] = Counter()
    paths = []
    for file in files:
        name = "stdin" if file == "-" else Path(file).stem
        name = Path(file).name if stems[name] > 1 else name
        taken[name] += 1
        number = f".{taken[name]}" if taken[name] > 1 else ""
        paths.append(folder / f"{name}{number}{suffix}")
    return paths


def _tell(text: str) -> None:
    print(printable(text), file=sys.stderr)
