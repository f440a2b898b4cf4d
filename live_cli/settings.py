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
from typing import Any, ClassVar

from live_cli.catalog import did_you_mean
from live_cli.config_file import ConfigFile, KeyPath, read_config
from live_cli.errors import SettingsError
from live_cli.named_files import gemini_key, read_system, server_key
from live_cli.setting_rules import Choice, Device, Flag, Language, Rule, Server, Text, Voice, Whole


def _setting(rule: Rule, default: Any = None) -> Any:
    return field(default=default, metadata={"rule": rule})


_HIGH_LOW = Choice(("high", "low"))


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session is asked for. None: the server's or the model's own choice."""

    model: str | None = _setting(Text())
    api_version: str | None = _setting(Choice(("v1beta", "v1alpha")))
    voice: str | None = _setting(Voice("one of the thirty voices"))
    language: str | None = _setting(Language("a language code"))
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
class VoiceActivity:
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
class TalkOptions:
    input_device: str | None = _setting(Device("a device's number or a part of its name"))
    output_device: str | None = _setting(Device("a device's number or a part of its name"))


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Which implementation each stage of the local engine uses."""

    detector: str = _setting(Text("a detector's name"), "silero")
    transcriber: str = _setting(Text("a transcriber's name"), "moonshine")
    chat: str = _setting(Text("a chat model's name, gguf:PATH or openai:URL#MODEL"), "gguf")
    synthesizer: str = _setting(Text("a synthesizer's name"), "hibari")
    threads: int = _setting(Whole(0, 256), 0)
    """Threads of the chat model; 0: one less than the cores, at least one."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    host: str = _setting(Text("a host name or address"), "127.0.0.1")
    port: int = _setting(Whole(0, 65_535), 8765)
    """0: a free one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything, merged. ``config_path``: the file that was read, if any."""

    server: str = _setting(
        Server("auto, gemini, local or an address such as wss://host:8765"), "auto"
    )
    usage: bool = _setting(Flag(), False)
    api_key_file: str | None = _setting(Text("the name of a file"))
    server_key_file: str | None = _setting(Text("the name of a file"))
    session: SessionOptions = field(default_factory=SessionOptions)
    vad: VoiceActivity = field(default_factory=VoiceActivity)
    talk: TalkOptions = field(default_factory=TalkOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    serve: ServeOptions = field(default_factory=ServeOptions)
    gemini_key: str | None = field(default=None, repr=False)
    """From GEMINI_API_KEY, GOOGLE_API_KEY or ``api_key_file``, the first that is there."""
    gemini_key_source: str | None = None
    server_key: str | None = field(default=None, repr=False)
    """For a server by address, and for `serve`: from LIVE_CLI_KEY or ``server_key_file``."""
    config_path: Path | None = None
    profile: str | None = None

    TOP_LEVEL: ClassVar[tuple[str, ...]] = ("session", "vad")
    """Groups whose keys stand at the top of the file; the other groups are tables."""
    TABLES: ClassVar[tuple[str, ...]] = ("talk", "engine", "serve")


class OptionError(SettingsError):
    """A wrong value on the command line: wrong usage, not a wrong setting."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its path in the file, the group that holds it, its rule and its default."""

    path: KeyPath
    group: str | None
    rule: Rule
    default: Any

    @property
    def name(self) -> str:
        """As `load` takes it and the file spells it: ``voice``, ``serve.port``."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        return "LIVE_CLI_" + "_".join(self.path).upper()


def _keys() -> Iterator[Key]:
    groups: tuple[tuple[str | None, Any], ...] = (
        (None, Settings),
        ("session", SessionOptions),
        ("vad", VoiceActivity),
        ("talk", TalkOptions),
        ("engine", EngineOptions),
        ("serve", ServeOptions),
    )
    for group, kind in groups:
        table = (group,) if group in Settings.TABLES else ()
        for each in fields(kind):
            if "rule" in each.metadata:
                default = None if each.default is MISSING else each.default
                yield Key((*table, each.name), group, each.metadata["rule"], default)


KEYS: dict[KeyPath, Key] = {key.path: key for key in _keys()}
_BY_NAME = {key.name: key for key in KEYS.values()}

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
    values: dict[Key, Any] = {}
    if file is not None:
        values |= _from_file(file, profile)
    elif profile:
        raise SettingsError(
            f"There is no profile {profile!r}: there is no settings file "
            f"({default_config_path()}). Write one with: live-cli config init"
        )
    values |= _from_environment(env)
    values |= _from_options(options or {})
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


# --- the sources -------------------------------------------------------------------------------


def _from_file(file: ConfigFile, profile: str | None) -> dict[Key, Any]:
    tables = dict(file.tables)
    profiles = tables.pop("profiles", {})
    if not isinstance(profiles, dict):
        raise file.complaint(("profiles",), "must be tables: [profiles.NAME]")
    values = dict(_from_tables(file, (), tables))
    for name, table in profiles.items():
        if not isinstance(table, dict):
            raise file.complaint(("profiles", name), f"must be a table: [profiles.{name}]")
        of_profile = dict(_from_tables(file, ("profiles", name), table))
        if name == profile:
            values |= of_profile
    if profile and profile not in profiles:
        known = f" (it has {', '.join(profiles)})" if profiles else ""
        raise SettingsError(
            f"{file.path} has no profile {profile!r}{known}{did_you_mean(profile, profiles)}"
        )
    return values


def _from_tables(
    file: ConfigFile, prefix: KeyPath, tables: Mapping[str, Any], table: KeyPath = ()
) -> Iterator[tuple[Key, Any]]:
    for name, value in tables.items():
        path = (*table, name)
        if not table and name in Settings.TABLES:
            if not isinstance(value, dict):
                raise file.complaint((*prefix, *path), f"must be a table: [{name}]")
            yield from _from_tables(file, prefix, value, path)
            continue
        key = KEYS.get(path)
        if key is None:
            raise file.complaint((*prefix, *path), _unknown(path))
        try:
            yield key, _beside(file.path, key, key.rule.read(value))
        except ValueError as exc:
            raise file.complaint((*prefix, *path), f"{exc}") from None


def _unknown(path: KeyPath) -> str:
    if path[-1] in ("api_key", "key", "gemini_api_key", "google_api_key", "server_key"):
        return (
            "does not belong here: set GEMINI_API_KEY (or LIVE_CLI_KEY), or put the key alone "
            "into a file that only you can read and name it: api_key_file = '…'"
        )
    names = [key.name for key in KEYS.values()] + list(Settings.TABLES) + ["profiles"]
    whole = ".".join(path)
    near = did_you_mean(whole, names) or did_you_mean(path[-1], names)
    for key in KEYS.values():
        if key.path[-1] == path[-1]:  # the right key in the wrong table
            table = f"in [{key.path[0]}]" if len(key.path) > 1 else "at the top of the file"
            near = f"; it belongs {table}"
    return f"is not a setting{near}"


def _beside(config: Path, key: Key, value: Any) -> Any:
    """Files named in the settings file are looked for beside it."""
    if key.name.endswith("_file"):
        return str(config.parent / Path(value).expanduser())
    if key.name == "system" and value.startswith("@") and not value.startswith("@@"):
        return "@" + str(config.parent / Path(value[1:]).expanduser())
    return value


def _from_environment(env: Mapping[str, str]) -> dict[Key, Any]:
    values: dict[Key, Any] = {}
    for key in KEYS.values():
        text = env.get(key.variable)
        if not text:
            continue
        try:
            values[key] = key.rule.read(key.rule.from_text(text))
        except ValueError as exc:
            raise SettingsError(f"{key.variable} {exc}") from None
    return values


def _from_options(options: Mapping[str, object]) -> dict[Key, Any]:
    values: dict[Key, Any] = {}
    for name, value in options.items():
        key = _BY_NAME[name]
        if value is None:
            continue
        try:
            given = key.rule.from_text(value) if isinstance(value, str) else value
            values[key] = key.rule.read(given)
        except ValueError as exc:
            raise OptionError(f"--{key.path[-1].replace('_', '-')} {exc}") from None
    return values


# --- together ----------------------------------------------------------------------------------


def _build(values: Mapping[Key, Any], path: Path | None, profile: str | None) -> Settings:
    def of(group: str | None) -> dict[str, Any]:
        return {key.path[-1]: value for key, value in values.items() if key.group == group}

    session = SessionOptions(**of("session"))
    if session.system is not None:
        session = replace(session, system=read_system(session.system))
    return Settings(
        **of(None),
        session=session,
        vad=VoiceActivity(**of("vad")),
        talk=TalkOptions(**of("talk")),
        engine=EngineOptions(**of("engine")),
        serve=ServeOptions(**of("serve")),
        config_path=path,
        profile=profile,
    )
