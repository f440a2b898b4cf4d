"""`live-cli doctor`: a check of the installation, with how to fix each thing that is missing.

The command succeeds when the server of the settings can be used. Missing sound devices are told
but are no failure: files can take their place.
"""

import os
import platform
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from live_cli import __version__
from live_cli.catalog import LANGUAGES
from live_cli.commands.doctor.endpoint_check import endpoint_findings, is_elsewhere
from live_cli.commands.doctor.findings import Finding, print_finding
from live_cli.commands.doctor.image_check import image_findings
from live_cli.engine.backends.table import SEMANTIC, Argument, Stage, find_backend
from live_cli.engine.languages import LocalLanguages
from live_cli.errors import ConnectError, DeviceError, EngineError, SettingsError
from live_cli.plan.server import ServerChoice, choose_server, missing_local_packages
from live_cli.settings.load import unknown_variables
from live_cli.settings.schema import Settings
from live_cli.streams import is_terminal

LIMIT_S = 3.0


def run(settings: Settings, *, json: bool) -> None:
    """Print the findings. Raises the first failure that stops the server of the settings."""
    failures = []
    for finding in findings(settings):
        print_finding(finding, as_json=json)
        if finding.failure:
            failures.append(finding.failure)
    if failures:
        raise failures[0]


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield the findings, each as soon as it is known."""
    yield Finding("version", f"live-cli {__version__}, Python {platform.python_version()}, "
                  f"{platform.system()} {platform.machine()}")  # fmt: skip
    yield _settings(settings)
    yield _key(settings)
    yield _local_packages(settings)
    yield from endpoint_findings(settings.engine, needed=_is_local(settings))
    if not is_elsewhere(Stage.TRANSCRIBER, settings.engine):
        yield _transcriber(settings)
    yield _end_of_turn(settings)
    yield _noise(settings)
    if not is_elsewhere(Stage.CHAT, settings.engine):
        yield _chat_model(settings)
    yield from _chat_programs()
    yield _languages(settings)
    yield from _server(settings)
    yield from _sound(settings)
    yield from image_findings(settings)
    yield _terminal()


# --- settings and engine -----------------------------------------------------------------------


def _settings(settings: Settings) -> Finding:
    unknown = unknown_variables(os.environ)
    if unknown:
        return Finding("settings", "; ".join(unknown) + ".", hint=True)
    if settings.config_path is None:
        return Finding("settings", "no settings file, none is needed (live-cli config init)")
    return Finding("settings", str(settings.config_path))


def _key(settings: Settings) -> Finding:
    if settings.gemini_key_source:
        return Finding("Gemini key", f"set by {settings.gemini_key_source}")
    says = "not set; to talk to Gemini, set GEMINI_API_KEY (https://aistudio.google.com)"
    return Finding("Gemini key", says, hint=True)


def _local_packages(settings: Settings) -> Finding:
    missing = missing_local_packages(settings.engine)
    if missing:
        says = f"{', '.join(missing)} not installed: pip install 'live-cli[local]' (or make setup)"
        return Finding("local engine", says, hint=True)
    return Finding("local engine", "installed")


def _is_local(settings: Settings) -> bool:
    """Return whether the settings use the engine on this machine."""
    return settings.server == "local" or (settings.server == "auto" and not settings.gemini_key)


def _transcriber(settings: Settings) -> Finding:
    """A missing transcriber is a note and no failure: `text` needs none."""
    name = settings.engine.transcriber
    backend, _ = find_backend(Stage.TRANSCRIBER, name)
    module = backend.module if backend else None
    if module is None or find_spec(module) is not None:
        return Finding("transcriber", name)
    says = (
        f"{module} is not installed: pip install 'live-cli[local]', or 'live-cli[whisper]' with "
        'transcriber = "whisper" where Moonshine has no wheel'
    )
    return Finding("transcriber", says, hint=True)


def _languages(settings: Settings) -> Finding:
    there = LocalLanguages(settings.engine.transcriber, settings.engine.synthesizer)
    heard = sum(there.hearing(code) is not None for code in LANGUAGES)
    spoken = sum(there.speaking(code) is not None for code in LANGUAGES)
    says = f"the local engine hears {heard} and speaks {spoken} of {len(LANGUAGES)}"
    return Finding("languages", f"{says}: live-cli languages", hint=min(heard, spoken) <= 1)


def _chat_programs() -> Iterator[Finding]:
    """The programs on this machine that serve chat models, which are used only when named."""
    from live_cli.engine.chat_models.programs import find_programs

    for program in find_programs():
        name = program.models[0] if program.models else "MODEL"
        count = len(program.models)
        says = (
            f"{program.title} has {count} model{'s' * (count != 1)}: --chat {program.name}:{name}"
        )
        yield Finding("chat model", says)


def _end_of_turn(settings: Settings) -> Finding:
    from live_cli.engine.backends.turn.model_file import WAY_OUT, bundled_file

    wanted = settings.engine.end_of_turn
    if wanted != SEMANTIC:
        return Finding("end of turn", wanted)
    if bundled_file() is None:
        says = f"silence alone, for the turn detector is not installed: {WAY_OUT}"
        return Finding("end of turn", says, hint=True)
    return Finding("end of turn", "by sound and words (Smart Turn)")


def _noise(settings: Settings) -> Finding:
    from live_cli.audio.noise.denoiser import INSTALL, library_and_model
    from live_cli.engine.speech_models.catalog import WHISPER_BASE
    from live_cli.engine.speech_models.lookup import is_whisper_there

    when = settings.engine.denoise
    if when == "off":
        return Finding("noise", "left in what is said: denoise is off")
    if library_and_model() is None:
        return Finding("noise", f"left in what is said, however loud: {INSTALL}", hint=True)
    says = "taken out of what is said where it is loud (DeepFilterNet3)"
    if when == "on":
        says = "taken out of all that is said (DeepFilterNet3)"
    if is_whisper_there(WHISPER_BASE):
        return Finding("noise", f"{says}; files are heard by Whisper base there")
    return Finding("noise", says)


def _chat_model(settings: Settings) -> Finding:
    from live_cli.engine.chat_models.lookup import BUNDLED, find_chat_model

    backend, wanted = find_backend(Stage.CHAT, settings.engine.chat)
    if backend is None or backend.argument is not Argument.MODEL:
        return Finding("chat model", settings.engine.chat)
    try:
        model = find_chat_model(wanted)
    except EngineError as exc:
        failure = exc if _is_local(settings) else None
        return Finding("chat model", str(exc), failure=failure, hint=True)
    sees = f"sees by {model.projector.name}" if model.projector else "cannot see"
    says = f"{model.name} ({model.origin}), {model.path}; {sees}"
    if model.name == BUNDLED:
        return Finding("chat model", f"{says}; a small one, no assistant: see live-cli models")
    return Finding("chat model", says)


# --- the server --------------------------------------------------------------------------------


def _server(settings: Settings) -> Iterator[Finding]:
    try:
        choice = choose_server(settings)
    except SettingsError as exc:
        yield Finding("server", str(exc), failure=exc)
        return
    if choice.kind == "child":
        yield Finding("server", "the engine on this machine, started when it is needed")
        return
    try:
        yield Finding("server", _reach(choice))
    except ConnectError as exc:
        yield Finding("server", str(exc), failure=exc)


def _reach(choice: ServerChoice) -> str:
    """Open and close a connection, TLS included. Raises ConnectError after `LIMIT_S` at most."""
    parts = urlsplit(choice.url or "")
    host, tls = parts.hostname or "", parts.scheme == "wss"
    port = parts.port or (443 if tls else 80)
    proxy = _proxy(host, tls)
    if proxy:
        host, port, tls = *proxy, False
    through = f" through the proxy {host}:{port}" if proxy else ""
    failure: list[Exception | None] = []

    def connect() -> None:
        try:
            with socket.create_connection((host, port), LIMIT_S) as plain:
                if tls:
                    context = ssl.create_default_context()
                    context.wrap_socket(plain, server_hostname=host).close()
            failure.append(None)
        except (OSError, UnicodeError) as exc:
            failure.append(exc)

    thread = threading.Thread(target=connect, daemon=True)  # looking up a name has no time limit
    thread.start()
    thread.join(LIMIT_S)
    if failure == [None]:
        return f"{choice.label} answers at {parts.netloc}{through}"
    why = _why(failure[0]) if failure else f"no answer within {LIMIT_S:g} s"
    where = "" if choice.label == parts.netloc and not proxy else f" at {host}:{port}"
    raise ConnectError(
        f"{choice.label} cannot be reached{where} ({why}): check the network, or use --server local"
    )


def _proxy(host: str, tls: bool) -> tuple[str, int] | None:
    url = getproxies().get("https" if tls else "http")
    if not url or proxy_bypass(host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    return (parts.hostname, parts.port or 80) if parts.hostname else None


def _why(exc: Exception | None) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {exc.verify_message}"
    return (getattr(exc, "strerror", None) or str(exc)).strip()


# --- sound and terminal ------------------------------------------------------------------------


def _sound(settings: Settings) -> Iterator[Finding]:
    from live_cli.devices.listing import find_device
    from live_cli.devices.portaudio import load_sounddevice

    try:
        version = load_sounddevice().get_portaudio_version()[1]
    except DeviceError as exc:
        yield Finding("sound", str(exc), hint=True)
        return
    yield Finding("sound", version.partition(",")[0])
    chosen = (("input", settings.talk.input_device), ("output", settings.talk.output_device))
    for kind, wanted in chosen:
        name = "microphone" if kind == "input" else "speaker"
        try:
            device = find_device(wanted, "input" if kind == "input" else "output")
        except DeviceError as exc:
            yield Finding(name, str(exc), hint=True)
        else:
            yield Finding(name, f"{device.name} ({device.host_api}), {device.default_rate} Hz")


def _terminal() -> Finding:
    if not is_terminal(sys.stdout):
        return Finding("terminal", "output goes to a file or a pipe: plain lines")
    size = os.get_terminal_size(sys.stdout.fileno())
    says = (
        f"{os.environ.get('TERM', 'unknown')}, {size.columns}x{size.lines}, {sys.stdout.encoding}"
    )
    narrow = size.columns < 40 or os.environ.get("TERM") == "dumb"
    return Finding("terminal", says, hint=narrow)
