"""The parent's side of a server that runs as a child process; `pipe.py` is the child's side.

The child tells its address and its one-time key on its stdout and dies when its stdin closes, so
it never outlives its parent, however that ends. It leads a process group of its own: Ctrl-C
reaches the parent alone, which ends the session before the server.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from live_cli import paths
from live_cli.errors import ConnectError, EngineError, LiveError, SettingsError
from live_cli.log_files import open_log
from live_cli.net.address import Address
from live_cli.net.child.environment import child_environment
from live_cli.streams import open_nowhere

_ERRORS: dict[object, type[LiveError]] = {
    error.exit_code: error for error in (SettingsError, ConnectError, EngineError)
}


class ServerChild:
    """A server as a child process, which runs as long as the context.

    ``async with ServerChild.start(args, program=program) as child: child.address``.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], log_path: Path, start_limit_s: float
    ) -> None:
        self.log_path = log_path
        self.stop_limit_s = 3.0
        """Seconds that `stop` gives the child to end by itself."""
        self._command = command
        self._env = env
        self._start_limit_s = start_limit_s
        self._process: Process | None = None
        self._failure: asyncio.Task[LiveError] | None = None
        self._address: Address | None = None
        self._log_start = 0

    @classmethod
    def start(
        cls,
        args: Sequence[str],
        *,
        program: Sequence[str],
        variables: Collection[str] = (),
        log_path: Path | None = None,
        start_limit_s: float = 20.0,
    ) -> Self:
        """Describe a child that runs ``program`` with ``args``; entering the context starts it.

        ``variables``: names of those that hold what else the child needs of the environment, its
        keys among them (`child_environment`). Entering raises ConnectError, or the error that the
        child itself reports.
        """
        path = default_log_path() if log_path is None else log_path
        env = child_environment(os.environ, variables)
        return cls([*program, *args], env, path, start_limit_s)

    @property
    def address(self) -> Address:
        """The child's address and one-time key. Raises RuntimeError before the start."""
        if self._address is None:
            raise RuntimeError("the child has not been started")
        return self._address

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def failed(self) -> LiveError:
        """Wait until the child gives up or dies; return why, in full: a close reason is short."""
        if self._failure is None:
            raise RuntimeError("the child has not been started")
        return await asyncio.shield(self._failure)

    async def open(self) -> None:
        """Start the child and wait until it listens. Raises LiveError when it does not."""
        self._process = await self._spawn()
        try:
            async with asyncio.timeout(self._start_limit_s):
                self._address = await self._read_address(self._process)
        except TimeoutError:
            await self.stop()
            raise ConnectError(
                f"The local server did not start within {self._start_limit_s:g} s. "
                f"Its log: {self.log_path}"
            ) from None
        except BaseException:
            await self.stop()
            raise
        self._failure = asyncio.create_task(self._read_failure(self._process))

    async def stop(self) -> None:
        """End the child: close its stdin, then terminate it, then kill it."""
        process = self._process
        if process is None:
            return
        try:
            if process.stdin is not None:
                process.stdin.close()
            if not await _exited(process, self.stop_limit_s):
                process.terminate()
                await _exited(process, 1.0)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            if self._failure is not None:
                self._failure.cancel()
                await asyncio.wait([self._failure])
                self._failure = None

    async def _spawn(self) -> Process:
        with self._open_log() as log:
            self._log_start = log.tell()
            own_group: dict[str, Any] = {"start_new_session": True}
            if sys.platform == "win32":
                own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            try:
                return await asyncio.create_subprocess_exec(
                    *self._command, stdin=PIPE, stdout=PIPE, stderr=log, env=self._env, **own_group
                )
            except OSError as exc:
                raise ConnectError(f"The local server cannot be started: {exc}.") from exc

    def _open_log(self) -> IO[bytes]:
        """Open the child's log; one that cannot be written goes nowhere."""
        try:
            return open_log(self.log_path)
        except OSError:
            return open_nowhere()

    async def _read_address(self, process: Process) -> Address:
        line = await _read_line(process)
        if line is None:
            await process.wait()
            raise ConnectError(
                f"The local server ended while starting: {self._how_it_ended(process)} "
                f"(log: {self.log_path})"
            )
        if "error" in line:
            raise _error(line)
        return Address(
            url=str(line["url"]),
            key=str(line["key"]),
            api_version="v1beta",
            label="the local server",
        )

    async def _read_failure(self, process: Process) -> LiveError:
        while (line := await _read_line(process)) is not None:
            if "error" in line:
                return _error(line)
        await process.wait()
        return ConnectError(
            f"The local server ended: {self._how_it_ended(process)} (log: {self.log_path})."
        )

    def _how_it_ended(self, process: Process) -> str:
        """Return by what signal or with what exit code it ended, and what it said last."""
        code = process.returncode
        if code is not None and code < 0:  # its log ends in the middle of a crash's report
            return _killed_by(-code)
        said = self._last_log_line()
        return f"exit code {code}: {said}" if said else f"exit code {code}, no message"

    def _last_log_line(self) -> str | None:
        with contextlib.suppress(OSError), self.log_path.open("rb") as log:
            log.seek(self._log_start)
            for line in reversed(log.read()[-65536:].decode(errors="replace").splitlines()):
                text = "".join(char if char.isprintable() else " " for char in line).strip()
                if text:
                    return text
        return None


def _killed_by(number: int) -> str:
    """Return the words for a process that a signal ended (POSIX)."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    # the kernel's way to end the largest process, which has no words of its own
    memory = ", as the system does where memory runs out" if name == "SIGKILL" else ""
    return f"killed by {name}{memory}"


def default_log_path() -> Path:
    """The file that takes the children's stderr, in the platform's state folder."""
    return paths.state_folder() / "serve-child.log"


async def _exited(process: Process, within_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await process.wait()
    return process.returncode is not None


async def _read_line(process: Process) -> dict[str, object] | None:
    """Return the next JSON object on the child's stdout, or None at its end."""
    assert process.stdout is not None  # noqa: S101 - asked for in _spawn
    while raw := await process.stdout.readline():
        with contextlib.suppress(ValueError):
            line = json.loads(raw)
            if isinstance(line, dict):
                return line
    return None


def _error(line: dict[str, object]) -> LiveError:
    return _ERRORS.get(line.get("exit_code"), ConnectError)(str(line["error"]))
