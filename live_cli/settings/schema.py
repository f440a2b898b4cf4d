"""All settings, merged once and frozen.

    built-in defaults < the TOML file < its [profiles.NAME] < the environment < the command line

Every setting is one field below; its place is its name everywhere: ``silence_ms`` in the file,
``LIVE_CLI_SILENCE_MS`` in the environment; ``[serve] port`` and ``LIVE_CLI_SERVE_PORT``.
Keys are no settings: they come from the environment or from a file of their own, never from the
command line, and no repr or error shows them.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from live_cli.catalog import did_you_mean
from live_cli.errors import SettingsError
from live_cli.loopback import LOOPBACK_ADDRESS
from live_cli.settings.credentials import gemini_key, read_system, server_key
from live_cli.settings.rules import (
    Choice,
    DeviceName,
    Flag,
    LanguageCode,
    Origins,
    ServerAddress,
    Text,
    ValueRule,
    VoiceName,
    Whole,
)
from live_cli.settings.sources import TABLES, Setting, from_environment, from_file, from_options
from live_cli.settings.toml_file import ConfigFile, KeyPath, read_config


def _setting(rule: ValueRule, default: Any = None) -> Any:
    return field(default=default, metadata={"rule": rule})


_HIGH_LOW = Choice(("high", "low"))


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What a session is asked for. None: the server's or the model's own choice."""

    model: str | None = _setting(Text())
    api_version: str | None = _setting(Choice(("v1beta", "v1alpha")))
    voice: str | None = _setting(VoiceName("one of the thirty voices"))
    language: str | None = _setting(LanguageCode("a language code"))
    system: str | None = _setting(Text("text, or @ and the name of a file"))
    """The text itself: an ``@FILE`` has been read."""
    modality: str | None = _setting(Choice(("audio", "text")))
    input_transcript: bool = _setting(Flag(), True)
    output_transcript: bool = _setting(Flag(), True)
    affective: bool = _setting(Flag(), False)
    proactive: bool = _setting(Flag(), False)
    thinking_budget: int | None = _setting(Whole(-1, 1_000_000))
    """Tokens; 0 off, -1 automatic."""
    thinking_level: str | None = _setting(Choice(("minimal", "low", "medium", "high")))
    show_thoughts: bool = _setting(Flag(), False)
    media_resolution: str | None = _setting(Choice(("low", "medium", "high")))
    resume: bool = _setting(Flag(), True)
    compress: bool = _setting(Flag(), True)


@dataclass(frozen=True, slots=True)
class VoiceActivitySettings:
    """When the user counts as speaking. None: the server's own choice."""

    start_sensitivity: str | None = _setting(_HIGH_LOW)
    end_sensitivity: str | None = _setting(_HIGH_LOW)
    prefix_padding_ms: int | None = _setting(Whole(0, 5_000))
    silence_ms: int | None = _setting(Whole(20, 10_000))
    interruption: bool = _setting(Flag(), True)
    turn_coverage: str | None = _setting(
        Choice(("only-activity", "all-input", "audio-activity-and-all-video"))
    )
    push_to_talk: bool = _setting(Flag(), False)


@dataclass(frozen=True, slots=True)
class TalkSettings:
    input_device: str | None = _setting(DeviceName("a part of a device's name"))
    output_device: str | None = _setting(DeviceName("a part of a device's name"))
    echo_cancel: bool = _setting(Flag(), True)
    half_duplex: bool = _setting(Flag(), False)
    record: str | None = _setting(Text("the name of a folder"))


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Which implementation each stage of the local engine uses."""

    detector: str = _setting(Text("a detector's name"), "silero")
    transcriber: str = _setting(Text("a transcriber's name"), "moonshine")
    chat: str = _setting(Text("a chat model's name, gguf:PATH or openai:URL#MODEL"), "gguf")
    synthesizer: str = _setting(Text("a synthesizer's name"), "hibari")
    threads: int = _setting(Whole(0, 256), 0)
    """Threads of the chat model; 0: one less than the cores, at least one."""


@dataclass(frozen=True, slots=True)
class ServeSettings:
    host: str = _setting(Text("a host name or address"), LOOPBACK_ADDRESS)
    port: int = _setting(Whole(0, 65_535), 8765)
    """0: a free one."""
    strict: bool = _setting(Flag(), False)
    allow_origins: tuple[str, ...] = _setting(Origins(), ())
    connection_limit_s: int = _setting(Whole(0, 86_400), 600)
    audio_session_limit_s: int = _setting(Whole(0, 86_400), 900)
    video_session_limit_s: int = _setting(Whole(0, 86_400), 120)
    go_away_s: int = _setting(Whole(0, 3600), 60)
    grace_s: int = _setting(Whole(0, 600), 5)
    max_connections: int = _setting(Whole(1, 100_000), 500)
    max_sessions: int = _setting(Whole(1, 10_000), 16)
    max_auth_tokens: int = _setting(Whole(0, 100_000), 1000)
    max_message_bytes: int = _setting(Whole(1024, 900_000_000), 16_777_216)
    max_held_bytes: int = _setting(Whole(1024, 900_000_000), 16_777_216)
    max_small_messages_per_s: int = _setting(Whole(0, 1_000_000), 1000)
    parallel: int = _setting(Whole(1, 64), 4)
    """Replies that a chat model in this process generates side by side."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything, merged. ``config_path``: the file that was read, if any."""

    server: str = _setting(
        ServerAddress("auto, gemini, local or an address such as wss://host:8765"), "auto"
    )
    usage: bool = _setting(Flag(), False)
    api_key_file: str | None = _setting(Text("the name of a file"))
    server_key_file: str | None = _setting(Text("the name of a file"))
    session: SessionSettings = field(default_factory=SessionSettings)
    vad: VoiceActivitySettings = field(default_factory=VoiceActivitySettings)
    talk: TalkSettings = field(default_factory=TalkSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    gemini_key: str | None = field(default=None, repr=False)
    """From GEMINI_API_KEY, GOOGLE_API_KEY or ``api_key_file``, the first that is there."""
    gemini_key_source: str | None = None
    server_key: str | None = field(default=None, repr=False)
    """For a server by address, and for `serve`: from LIVE_CLI_KEY or ``server_key_file``."""
    config_path: Path | None = None
    profile: str | None = None


def _keys() -> Iterator[Setting]:
    groups: tuple[tuple[str | None, Any], ...] = (
        (None, Settings),
        ("session", SessionSettings),
        ("vad", VoiceActivitySettings),
        ("talk", TalkSettings),
        ("engine", EngineSettings),
        ("serve", ServeSettings),
    )
    for group, kind in groups:
        table = (group,) if group in TABLES else ()
        for each in fields(kind):
            if "rule" in each.metadata:
                default = None if each.default is MISSING else each.default
                yield Setting((*table, each.name), group, each.metadata["rule"], default)


KEYS: dict[KeyPath, Setting] = {key.path: key for key in _keys()}
_OTHER_VARIABLES = ("LIVE_CLI_CONFIG", "LIVE_CLI_PROFILE", "LIVE_CLI_KEY")


def load(
    options: Mapping[str, object] | None = None,
    *,
    config: Path | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Merge everything once. ``options``: name -> value from the command line, None: not given.

    Raises SettingsError (OptionError for ``options``), InputFileError for a missing @FILE.
    """
    env = os.environ if environ is None else environ
    profile = profile or env.get("LIVE_CLI_PROFILE") or None
    file = find_config(config, env)
    values: dict[Setting, Any] = {}
    if file is not None:
        values |= from_file(KEYS, file, profile)
    elif profile:
        raise SettingsError(
            f"There is no profile {profile!r}: there is no settings file "
            f"({default_config_path()}). Write one with: live-cli config init"
        )
    values |= from_environment(KEYS, env)
    values |= from_options(KEYS, options or {})
    path = file.path if file else None
    settings = _build(values, path, profile)
    gemini, source = gemini_key(env, settings.api_key_file)
    return replace(
        settings,
        gemini_key=gemini,
        gemini_key_source=source,
        server_key=server_key(env, settings.server_key_file),
    )


def default_config_path() -> Path:
    """The platform's own place for the file; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path("live-cli", appauthor=False) / "config.toml"


def config_path(config: Path | None, env: Mapping[str, str]) -> tuple[Path, bool]:
    """Where the file is looked for, and whether it must exist because it was named."""
    named = config or (Path(env["LIVE_CLI_CONFIG"]) if env.get("LIVE_CLI_CONFIG") else None)
    return (named, True) if named else (default_config_path(), False)


def find_config(config: Path | None, env: Mapping[str, str]) -> ConfigFile | None:
    """The file, read; None when none was named and the platform's place is empty."""
    path, must_exist = config_path(config, env)
    return read_config(path) if must_exist or path.exists() else None


def unknown_variables(env: Mapping[str, str]) -> list[str]:
    """LIVE_CLI_ variables that are no settings, each as a sentence with the near match."""
    known = {key.variable for key in KEYS.values()} | set(_OTHER_VARIABLES)
    return [
        f"{name} is not a setting{did_you_mean(name, known)}"
        for name in sorted(env)
        if name.startswith("LIVE_CLI_") and name not in known
    ]


# --- together ----------------------------------------------------------------------------------


def _build(values: Mapping[Setting, Any], path: Path | None, profile: str | None) -> Settings:
    def of(group: str | None) -> dict[str, Any]:
        return {key.path[-1]: value for key, value in values.items() if key.group == group}

    session = SessionSettings(**of("session"))
    if session.system is not None:
        session = replace(session, system=read_system(session.system))
    return Settings(
        **of(None),
        session=session,
        vad=VoiceActivitySettings(**of("vad")),
        talk=TalkSettings(**of("talk")),
        engine=EngineSettings(**of("engine")),
        serve=ServeSettings(**of("serve")),
        config_path=path,
        profile=profile,
    )
