"""`live-cli transcribe`: speech files to text, which is written as it is recognised."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from live_cli.catalog import NOT_UNDERSTOOD, UNDETERMINED
from live_cli.commands.connect import RunningServer, notes, running_server
from live_cli.commands.outputs import is_stdout, refuse_both_on_stdout
from live_cli.commands.stop_signals import stopping_on_signals
from live_cli.commands.transcribe.destinations import chosen_format, targets
from live_cli.commands.transcribe.inputs import InputFile, find_inputs
from live_cli.commands.transcribe.one_file import Transcript, transcribe_file
from live_cli.commands.transcribe.transcript_output import TranscriptOutput
from live_cli.commands.transcribe.unfinished import existing_policy, to_do
from live_cli.devices.native_stderr import native_stderr_silenced
from live_cli.errors import InputFileError, LiveError, OptionError, StoppedError
from live_cli.plan.plan import SessionPlan, plan_session
from live_cli.protocol.events import Event
from live_cli.settings.schema import Settings
from live_cli.ui.json_lines import JsonView
from live_cli.ui.printable import printable
from live_cli.ui.progress import ProgressBar, clock_text, progress_bar
from live_cli.ui.subtitles.captions import Subtitle
from live_cli.ui.subtitles.line_breaks import CaptionLimits
from live_cli.ui.subtitles.subtitles import TranscriptText

_PLACES_TOLD = 5


@dataclass(frozen=True, slots=True)
class TranscribeOptions:
    """What the command line says beside the settings.

    ``format``: None lets the output's name decide. ``output``: a file, a folder, or "-"; as it was
    written, since a slash at its end says folder. ``json``: the sessions' events on stdout, one
    session after another. ``names``: several transcripts on stdout are told apart.
    """

    format: str | None = None
    output: str | None = None
    json: bool = False
    force: bool = False
    skip_existing: bool = False
    names: bool = True


def run(settings: Settings, files: list[str], options: TranscribeOptions) -> None:
    """Transcribe each file. Raises LiveError; a file that fails does not stop the others."""
    output = "-" if options.output is not None and is_stdout(options.output) else options.output
    refuse_both_on_stdout(output, json=options.json)
    inputs = find_inputs(files)
    file_format = chosen_format(output, options.format, inputs)
    to_stdout = is_stdout(output)
    if to_stdout and inputs.many and file_format in ("srt", "vtt") and not options.json:
        raise OptionError(
            f"Several {file_format} files do not fit into one stream: name a folder with --output."
        )
    policy = existing_policy(force=options.force, skip=options.skip_existing, to_stdout=to_stdout)
    paths = targets(inputs, file_format, output)
    wanted = to_do(paths, policy, may_ask="-" not in files)
    word_times = file_format != "text" or options.json
    plan = plan_session(settings, "transcribe", word_times=word_times)
    job = _Job(plan, file_format, _limits(settings), options, named=inputs.many and options.names)
    if skipped := wanted.count(False):
        _tell(f"{skipped} of {len(wanted)} transcripts are there already.")
    pairs = zip(inputs.files, paths, wanted, strict=True)
    if chosen := [(file, path) for file, path, is_wanted in pairs if is_wanted]:
        asyncio.run(job.run(chosen))


def _limits(settings: Settings) -> CaptionLimits:
    wanted = settings.transcribe
    return CaptionLimits(
        wanted.max_line_length, wanted.max_lines, float(wanted.max_characters_per_s)
    )


@dataclass
class _Job:
    """A list of files to transcribe in one way; a file whose target is None goes to stdout."""

    plan: SessionPlan
    file_format: str
    limits: CaptionLimits
    options: TranscribeOptions
    named: bool
    told_real_time: bool = field(default=False, init=False)

    async def run(self, files: list[tuple[InputFile, Path | None]]) -> None:
        for note in notes(self.plan, chat=""):
            _tell(note)
        failures = 0
        async with running_server(self.plan) as server:
            for number, (file, target) in enumerate(files, start=1):
                place = f"[{number}/{len(files)}] " if len(files) > 1 else ""
                try:
                    await self._transcribe(server, file, target, place)
                except InputFileError as exc:
                    if len(files) == 1:
                        raise
                    failures += 1
                    _tell(f"live-cli: {exc}")
        if failures:
            raise InputFileError(f"{failures} of {len(files)} files could not be transcribed.")

    async def _transcribe(
        self, server: RunningServer, file: InputFile, target: Path | None, place: str
    ) -> None:
        if file.problem is not None:
            raise InputFileError(file.problem)
        transcript = Transcript()
        with ExitStack() as stack:
            stack.enter_context(native_stderr_silenced())  # libsndfile's MP3 decoder prints
            bar = stack.enter_context(progress_bar(place + Path(file.path).name, _rate_text))
            output = self._output(file, target, bar)
            view = stack.enter_context(JsonView()) if self.options.json else None
            if view is not None:
                view.status(label=f"{self.plan.label} · {self.plan.model.id} · {file.path}")
            audience = _Audience(bar, output, view, self._tell_real_time)
            await self._to_the_end(server, file, transcript, audience, target)
            if output is not None:
                output.finish(transcript.sent_s)
        if transcript.warning:
            _tell(transcript.warning)
        if not audience.heard_any:
            _tell(f"live-cli: no speech in {_name(file)}.")
        if audience.not_understood_at:
            _tell(f"live-cli: {_told_not_understood(file, audience)}")

    async def _to_the_end(
        self,
        server: RunningServer,
        file: InputFile,
        transcript: Transcript,
        audience: "_Audience",
        target: Path | None,
    ) -> None:
        """Transcribe ``file``; where that is stopped or fails, say how far it came."""
        stops: list[int] = []
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task

        def stop(number: int) -> None:
            stops.append(number)
            task.cancel()

        try:
            with stopping_on_signals(stop):
                await transcribe_file(server, self.plan, file.path, transcript, audience)
        except asyncio.CancelledError:
            where = _where_stopped(file, transcript, target, audience.stop(transcript))
            if not stops:  # Ctrl-C where the loop has no signals: told here, raised by the runner
                _tell(f"live-cli: {where}")
                raise
            raise StoppedError(where, stops[0]) from None
        except BaseException as exc:
            has_text = audience.stop(transcript)
            if isinstance(exc, LiveError) and has_text:
                exc.args = (f"{exc} {_where_stopped(file, transcript, target, has_text)}",)
            raise

    def _output(
        self, file: InputFile, target: Path | None, bar: ProgressBar
    ) -> TranscriptOutput | None:
        if target is None and self.options.json:
            return None  # the events hold all of it
        on_terminal = target is None and sys.stdout.isatty()
        text = TranscriptText(self.file_format, file.path, self.limits, sentence_lines=on_terminal)
        heading = ""
        if target is None and self.named and self.file_format == "text":
            heading = printable(file.path) + (":\n" if on_terminal else ": ")
        return TranscriptOutput(target, text, bar, heading)

    def _tell_real_time(self) -> None:
        if not self.told_real_time:
            self.told_real_time = True
            _tell(
                f"{self.plan.label} is fed in real time: a file takes as long as its sound lasts."
            )


class _Audience:
    """Who is told of one file: the bar, the output, and the view of events."""

    def __init__(
        self,
        bar: ProgressBar,
        output: TranscriptOutput | None,
        view: JsonView | None,
        tell_real_time: Callable[[], None],
    ) -> None:
        self._bar = bar
        self._output = output
        self._view = view
        self._tell_real_time = tell_real_time
        self.heard_any = False
        self.understood_any = False
        self.not_understood_at: list[float] = []
        """Where speech was not understood, in seconds of the file."""

    def event(self, event: Event) -> None:
        if self._view is not None:
            self._view.event(event)

    def subtitle(self, subtitle: Subtitle) -> None:
        self.heard_any = True
        if (subtitle.text, subtitle.language) == (NOT_UNDERSTOOD, UNDETERMINED):
            self.not_understood_at.append(subtitle.start_s)
        else:
            self.understood_any = True
        if self._output is not None:
            self._output.add(subtitle)

    def progress(self, transcript: Transcript) -> None:
        self._bar(transcript.heard_s, transcript.length_s)

    def real_time(self) -> None:
        self._bar.erase()
        self._tell_real_time()

    def note(self, text: str) -> None:
        self._bar.erase()
        _tell(text)

    def stop(self, transcript: Transcript) -> bool:
        """End the output before the sound ends. Returns whether it has words."""
        if self._output is None:
            return self.heard_any
        return self._output.stop(transcript.sent_s, transcript.heard_s)


def _where_stopped(
    file: InputFile, transcript: Transcript, target: Path | None, has_text: bool
) -> str:
    name = _name(file)
    length = f" of {clock_text(transcript.length_s)}" if transcript.length_s else ""
    stopped = f"Stopped at {clock_text(transcript.heard_s)}{length} of {name}"
    if target is None or not has_text:
        return f"{stopped}." if has_text else f"{stopped}: nothing is written."
    return f"{stopped}: {target} holds what was recognised until there."


def _told_not_understood(file: InputFile, audience: _Audience) -> str:
    """Return where the speech of ``file`` was not understood, and the ways out."""
    places = [clock_text(at) for at in audience.not_understood_at[:_PLACES_TOLD]]
    more = " and later" if len(audience.not_understood_at) > _PLACES_TOLD else ""
    if audience.understood_any:
        what = f"the speech at {', '.join(places)}{more} of {_name(file)} was not understood"
    else:
        what = f"the speech in {_name(file)} was not understood"
    return (
        f"{what}: the engine on this machine expects English, spoken clearly, where it is told no "
        "other language: --language CODE, or auto (live-cli languages), or --server gemini."
    )


def _name(file: InputFile) -> str:
    return "standard input" if file.path == "-" else file.path


def _rate_text(rate: float) -> str:
    return f"{rate:.1f}× real time"


def _tell(text: str) -> None:
    print(printable(text), file=sys.stderr)
