"""A sound card without hardware, for tests: a private PulseAudio daemon with a speaker and a mic.

    app output -> [sink speaker] -> speaker.monitor -> record, or echo (delay, gain) -+
    feed a WAV -------------------------------------> [sink micfeed] <----------------+
                                                      micfeed.monitor -> [source mic] -> app input

All of it runs at 48 kHz, mono, 16 bits, on one system timer: no drift, and bit exact. An app
reaches it through the environment alone (`VirtualAudio.env`), set before PortAudio starts.

Needs: apt-get install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2

As a command, for trying things by hand (DIR: a short one, as of `mktemp -d`):

    python tests/harness/virtual_audio.py run DIR -- live-cli talk
    python tests/harness/virtual_audio.py start DIR
    eval "$(python tests/harness/virtual_audio.py env DIR)"
    … feed DIR FILE.wav | record DIR OUT.wav SECONDS [speaker|mic] | echo DIR on|off
    … unplug|replug DIR speaker|mic | kill DIR | stop DIR
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

RATE = 48_000
PACKAGES = "pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"

_CLIENT_CONF = "autospawn = no\nenable-shm = no\nenable-memfd = no\nauto-connect-localhost = no\n"
_ASOUND_CONF = """\
pcm.!default { type pulse  hint { show on  description "virtual default (PulseAudio)" } }
ctl.!default { type pulse }
pcm.pulse { type pulse  hint { show on  description "PulseAudio" } }
"""
_NULL_SINK = f"rate={RATE} channels=1 format=s16le norewinds=1"
_LONGEST_SOCKET_PATH = 100  # of 107 that AF_UNIX takes
_STREAMS = {"speaker": "sink-input", "mic": "source-output"}
_MONITORS = {"speaker": "speaker.monitor", "mic": "mic", "micfeed": "micfeed.monitor"}


class RigError(RuntimeError):
    """The virtual sound card does not do what it was told."""


class VirtualAudio:
    """One daemon, in ``root``. Devices are called "speaker" and "mic".

    What it knows lies in ``root/state.json``, so that another process can go on with the same one.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).resolve()
        self._socket = self.root / "native"
        self._cli_socket = self.root / "cli"
        self._state_file = self.root / "state.json"
        self._daemon: subprocess.Popen[bytes] | None = None
        if len(str(self._socket)) > _LONGEST_SOCKET_PATH:
            raise ValueError("the folder's path is too long for a socket: use a short one in /tmp")

    # --- environment -------------------------------------------------------------------------

    @property
    def env(self) -> dict[str, str]:
        """What an app needs to find this card, and no other."""
        root = self.root
        return {
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_RUNTIME_PATH": str(root / "run"),
            "PULSE_STATE_PATH": str(root / "st"),
            "PULSE_CLIENTCONFIG": str(root / "client.conf"),
            "PULSE_COOKIE": str(root / "cookie"),
            "XDG_RUNTIME_DIR": str(root / "run"),
            "ALSA_CONFIG_PATH": str(root / "asound.conf"),
            "JACK_NO_START_SERVER": "1",
            # pinned, so that opening fails while the device is unplugged
            "PULSE_SINK": "speaker",
            "PULSE_SOURCE": "mic",
        }

    def full_env(self) -> dict[str, str]:
        """This process's environment with `env` in it."""
        full = os.environ | self.env
        full.pop("PULSE_LATENCY_MSEC", None)  # it would override what every client asks for
        return full

    def exports(self) -> str:
        """`env` as shell commands."""
        lines = [f"export {name}='{value}'" for name, value in self.env.items()]
        return "\n".join([*lines, "unset PULSE_LATENCY_MSEC"])

    # --- daemon ------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Write what clients need, without a daemon: they find a sound server that is down."""
        for folder in ("run", "st", "home"):
            (self.root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root.chmod(0o700)
        (self.root / "client.conf").write_text(_CLIENT_CONF)
        (self.root / "asound.conf").write_text(_ASOUND_CONF)

    def start(self) -> Self:
        self.prepare()
        for path in (self._socket, self._cli_socket):
            path.unlink(missing_ok=True)
        env = self.full_env() | {"HOME": str(self.root / "home")}
        env.pop("PULSE_SERVER")
        env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        with (self.root / "pulse.log").open("ab") as log:
            self._daemon = subprocess.Popen(
                self._daemon_command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
            )
        self._save(pid=self._daemon.pid, modules={})
        self._await(self._daemon)
        self._load("micfeed", f"module-null-sink sink_name=micfeed {_NULL_SINK}")
        self.replug("mic")
        self.replug("speaker")
        return self

    def _daemon_command(self) -> list[str]:
        return [
            "pulseaudio", "-n", "--daemonize=no", "--system=no", "--exit-idle-time=-1",
            "--use-pid-file=no", "--disable-shm=yes", "--realtime=no", "--high-priority=no",
            "--disallow-exit=no", "--log-level=notice",
            "-L", f"module-native-protocol-unix socket={self._socket} auth-anonymous=1",
            # pactl cannot kill a stream, this protocol can
            "-L", f"module-cli-protocol-unix socket={self._cli_socket}",
        ]  # fmt: skip

    def _await(self, daemon: subprocess.Popen[bytes], limit_s: float = 20.0) -> None:
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if daemon.poll() is not None:
                log = (self.root / "pulse.log").read_text()[-2000:]
                raise RigError(f"pulseaudio ended at once:\n{log}")
            if self._socket.exists() and not self._run_pactl("info").returncode:
                return
            time.sleep(0.05)
        self.stop()
        raise RigError("pulseaudio did not come up")

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End the daemon; nothing but its socket is removed."""
        pid = self._state().get("pid")
        if not pid:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, with_signal)
            if not self._ends(pid, 60):
                os.kill(pid, signal.SIGKILL)
                self._ends(pid, 60)
        self._socket.unlink(missing_ok=True)
        self._save(pid=0)

    def _ends(self, pid: int, looks: int) -> bool:
        for _ in range(looks):
            if self._daemon is not None and self._daemon.pid == pid:
                ended = self._daemon.poll() is not None
            else:
                ended = _is_gone_or_zombie(pid)
            if ended:
                return True
            time.sleep(0.05)
        return False

    def kill(self) -> None:
        """All devices are gone at once."""
        self.stop(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    # --- devices -----------------------------------------------------------------------------

    def unplug(self, device: str, *, rescue: bool = False) -> None:
        """Pull ``device``: streams on it die. ``rescue``: they move, as a desktop does it."""
        if device == "speaker":
            self.disconnect_echo()
        users = [] if rescue else self._users(device)
        modules = self._state().get("modules", {})
        commands = [f"unload-module {modules.pop(device)}"] if device in modules else []
        self._command(*self._kills(device, users), *commands)
        self._save(modules=modules)
        # an app that was quick to open the dying device again has been moved to another one
        self._command(*self._kills(device, users))

    def replug(self, device: str) -> None:
        if device == "speaker":
            self._load("speaker", f"module-null-sink sink_name=speaker {_NULL_SINK}")
            self.pactl("set-default-sink", "speaker")
        else:
            source = "source_name=mic master=micfeed.monitor channels=1 remix=no"
            self._load("mic", f"module-remap-source {source}")
            self.pactl("set-default-source", "mic")

    def add_default_speaker(self, name: str) -> None:
        """Another speaker, which the system uses from now on."""
        self._load(name, f"module-null-sink sink_name={name} {_NULL_SINK}")
        self.pactl("set-default-sink", name)

    def speaker_of(self, pid: int) -> str | None:
        """The name of the speaker that a process plays on."""
        names = {entry["index"]: entry["name"] for entry in self._listing("short", "sinks")}
        for stream in self._streams("speaker"):
            if _process_of(stream) == str(pid):
                return str(names.get(stream["sink"]))
        return None

    def suspend(self, device: str, suspended: bool = True) -> None:
        """Stop ``device`` without ending its streams."""
        command = "suspend-sink" if device == "speaker" else "suspend-source"
        self.pactl(command, device, "1" if suspended else "0")

    def connect_echo(self, delay_ms: int = 80, gain_db: float = -10.0) -> None:
        """Let the mic hear the speaker."""
        self.disconnect_echo()
        module = self._load(
            "echo",
            f"module-loopback source=speaker.monitor sink=micfeed latency_msec={delay_ms} "
            "adjust_time=0 source_dont_move=true sink_dont_move=true remix=no",
        )
        for _ in range(40):
            for stream in self._listing("sink-inputs"):
                if str(stream.get("owner_module")) == str(module):
                    self.pactl("set-sink-input-volume", str(stream["index"]), f"{gain_db}dB")
                    return
            time.sleep(0.05)
        raise RigError("the echo's stream did not appear")

    def disconnect_echo(self) -> None:
        self._unload("echo")

    # --- sound -------------------------------------------------------------------------------

    def feed(self, wav: str | Path, *, wait: bool = True) -> subprocess.Popen[bytes]:
        """Play ``wav`` into the microphone; ``wait`` until it has ended."""
        player = subprocess.Popen(
            ["paplay", "--device=micfeed", "--latency-msec=20", str(wav)], env=self.full_env()
        )
        if wait and player.wait():
            raise RigError(f"paplay cannot play {wav}")
        return player

    @contextlib.contextmanager
    def recording(self, wav: str | Path, what: str = "speaker") -> Iterator[None]:
        """Record ``what`` ("speaker", "mic" or "micfeed") into ``wav`` meanwhile."""
        recorder = subprocess.Popen(
            [
                "parec", f"--device={_MONITORS[what]}", "--latency-msec=20", "--channels=1",
                "--format=s16le", f"--rate={RATE}", "--file-format=wav", str(wav),
            ],
            env=self.full_env(),
        )  # fmt: skip
        try:
            self._await_recorder()
            yield
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.wait()

    def _await_recorder(self) -> None:
        for _ in range(100):
            if any("parec" in str(stream) for stream in self._listing("source-outputs")):
                return
            time.sleep(0.05)
        raise RigError("parec does not record")

    # --- talking to the daemon ---------------------------------------------------------------

    def pactl(self, *arguments: str) -> str:
        """What ``pactl`` prints. Raises RigError when it fails."""
        done = self._run_pactl(*arguments)
        if done.returncode:
            raise RigError(f"pactl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _run_pactl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pactl", *arguments],
            env=self.full_env(),
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
        )

    def _listing(self, *what: str) -> list[dict[str, Any]]:
        listing: list[dict[str, Any]] = json.loads(
            self.pactl("--format=json", "list", *what) or "[]"
        )
        return listing

    def _load(self, name: str, module: str) -> int:
        index = int(self.pactl("load-module", *module.split()))
        self._save(modules=self._state().get("modules", {}) | {name: index})
        return index

    def _unload(self, name: str) -> None:
        modules = self._state().get("modules", {})
        if name in modules:
            self._run_pactl("unload-module", str(modules.pop(name)))
            self._save(modules=modules)

    def _users(self, device: str) -> list[str]:
        """The process ids of the apps that have ``device`` open."""
        key = "sink" if device == "speaker" else "source"
        indices = {entry["name"]: entry["index"] for entry in self._listing("short", f"{key}s")}
        return [
            _process_of(stream)
            for stream in self._streams(device)
            if stream[key] == indices.get(device) and stream.get("client") not in (None, "n/a")
        ]

    def _kills(self, device: str, processes: list[str]) -> list[str]:
        """The commands that end what these apps have open, of the kind of ``device``."""
        return [
            f"kill-{_STREAMS[device]} {stream['index']}"
            for stream in self._streams(device)
            if _process_of(stream) in processes
        ]

    def _streams(self, device: str) -> list[dict[str, Any]]:
        return self._listing(f"{_STREAMS[device]}s")

    def _command(self, *lines: str) -> None:
        """pacmd-style commands, in one go. Never "exit": here that ends the daemon."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2.0)
            connection.connect(str(self._cli_socket))
            connection.sendall("\n".join([*lines, "stat", ""]).encode())
            with contextlib.suppress(OSError):
                connection.recv(1)  # stat has an answer, and is done last

    def _state(self) -> dict[str, Any]:
        if not self._state_file.exists():
            return {}
        state: dict[str, Any] = json.loads(self._state_file.read_text())
        return state

    def _save(self, **changes: Any) -> None:
        self._state_file.write_text(json.dumps(self._state() | changes))


def _process_of(stream: dict[str, Any]) -> str:
    return str(stream.get("properties", {}).get("application.process.id", ""))


def _is_gone_or_zombie(pid: int) -> bool:
    """A daemon whose parent is gone or is another process stays a zombie: it has ended too."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rsplit(")", 1)[1].split()[0] == "Z"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    acts = parser.add_subparsers(dest="act", required=True)
    for name in (
        "start",
        "env",
        "kill",
        "stop",
        "feed",
        "record",
        "echo",
        "unplug",
        "replug",
        "run",
    ):
        act = acts.add_parser(name)
        act.add_argument("dir")
        if name in ("feed", "record"):
            act.add_argument("wav")
        if name == "record":
            act.add_argument("seconds", type=float)
            act.add_argument("what", nargs="?", default="speaker", choices=list(_MONITORS))
        if name == "echo":
            act.add_argument("state", choices=["on", "off"])
            act.add_argument("--delay-ms", type=int, default=80)
            act.add_argument("--gain-db", type=float, default=-10.0)
        if name in ("unplug", "replug"):
            act.add_argument("device", choices=["speaker", "mic"])
        if name == "unplug":
            act.add_argument("--rescue", action="store_true")
        if name == "run":
            act.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    card = VirtualAudio(given.dir)
    match given.act:
        case "start":
            print(card.start().exports())
        case "env":
            print(card.exports())
        case "feed":
            card.feed(given.wav)
        case "record":
            with card.recording(given.wav, given.what):
                time.sleep(given.seconds)
        case "echo" if given.state == "on":
            card.connect_echo(given.delay_ms, given.gain_db)
        case "echo":
            card.disconnect_echo()
        case "unplug":
            card.unplug(given.device, rescue=given.rescue)
        case "replug":
            card.replug(given.device)
        case "kill":
            card.kill()
        case "stop":
            card.stop()
        case "run":
            command = [word for word in given.command if word != "--"]
            with card:
                return subprocess.call(command, env=card.full_env())
    return 0


if __name__ == "__main__":
    sys.exit(main())
