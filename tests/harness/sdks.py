"""A running `serve` as a process, and the SDKs' programs run against it with its environment."""

import asyncio
import contextlib
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from live_cli.audio.pcm import Samples, pcm16_from_float
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.command import LIMIT_S, environment
from tests.harness.serve_process import serving

SCRIPTED = {
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
}
SDKS = Path(sys.prefix) / "sdks"


@dataclass(frozen=True)
class Sdk:
    """One version of one SDK: how a program in its language is run."""

    name: str
    heading: str
    """How the comment above its lines in `serve --print-env` begins."""
    interpreter: Path
    modules: Path | None = None
    """Where a Node program finds its packages."""

    def command(self, program: str) -> list[str]:
        if not self.interpreter.exists() or (self.modules and not self.modules.exists()):
            raise AssertionError(f"{self.name} is not installed: make sdks")
        options = ["-c"] if self.modules is None else ["--input-type=module", "--eval"]
        return [str(self.interpreter), *options, program]


def _python(version: str, interpreter: Path) -> Sdk:
    return Sdk(f"google-genai {version}", "google-genai", interpreter)


def node_sdk(name: str, folder: str) -> Sdk:
    """A package for Node, installed in a folder of its own."""
    node = Path(sys.executable).parent / "node"
    return Sdk(name, "@google/genai", node, SDKS / folder / "node_modules")


PYTHON = _python("newest", Path(sys.executable))
PYTHON_1_55 = _python("1.55", SDKS / "python-1.55" / "bin" / "python")
NODE = node_sdk("@google/genai newest", "node")
NODE_2_32 = node_sdk("@google/genai 2.32", "node-2.32")


@dataclass
class Serving:
    """A running `serve`, what it printed, and a person's folder with the guide's sound files."""

    home: Path
    port: int
    said: str

    def variables(self, heading: str) -> dict[str, str]:
        """The lines printed below the comment that begins with ``heading``."""
        found: dict[str, str] = {}
        wanted = False
        for line in map(str.strip, self.said.splitlines()):
            if line.startswith("#"):
                wanted = line.startswith(f"# {heading}") or (wanted and "trusts:" in line)
            elif wanted and line.startswith("export "):
                [assignment] = shlex.split(line.removeprefix("export "))
                name, _, value = assignment.partition("=")
                found[name] = value
        return found

    async def run(self, program: str, sdk: Sdk = PYTHON, stdin: str = "", **more: str) -> str:
        """What ``program`` prints, run with the environment that `serve` prints for its SDK."""
        process = await asyncio.create_subprocess_exec(
            *sdk.command(program),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._folder(sdk),
            env=environment(self.home, **{**self.variables(sdk.heading), **more}),
        )
        async with asyncio.timeout(LIMIT_S):
            out, errors = await process.communicate(stdin.encode())
        assert process.returncode == 0, errors.decode()
        return out.decode()

    async def run_each(self, program: str, sdks: Sequence[Sdk], **more: str) -> list[str]:
        """The same by each of ``sdks``, side by side: they mostly wait for what is played."""
        return await asyncio.gather(*(self.run(program, sdk, **more) for sdk in sdks))

    def _folder(self, sdk: Sdk) -> Path:
        """Where ``sdk``'s programs run: beside the sound files, and where Node finds packages."""
        if sdk.modules is None:
            return self.home
        folder = self.home / sdk.modules.parent.name
        if not folder.exists():
            folder.mkdir()
            for file in self.home.glob("*.[pw][ca][mv]"):
                (folder / file.name).symlink_to(file)
            (folder / "node_modules").symlink_to(sdk.modules)
        return folder


def write_sounds(folder: Path, speech: Samples) -> None:
    """``speech`` at 16 kHz as the files that the guide's programs read."""
    sound = pcm16_from_float(speech)
    for name in ("16000.pcm", "sample.pcm"):
        (folder / name).write_bytes(sound)
    soundfile.write(folder / "16000.wav", speech, INPUT_SAMPLE_RATE, subtype="PCM_16")


@contextlib.contextmanager
def serving_sdks(home: Path, **settings: str) -> Iterator[Serving]:
    """A `serve` with these settings, and the folder in which the SDKs' programs run."""
    with serving(home, settings) as serve:
        yield Serving(home, serve.port, serve.said)
