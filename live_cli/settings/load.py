"""Settings merged once, from all their sources.

built-in defaults < the TOML file < its [profiles.NAME] < the environment < the command line
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from live_cli import paths
from live_cli.catalog import did_you_mean
from live_cli.errors import SettingsError
from live_cli.prices import Prices
from live_cli.settings.credentials import gemini_key, note_secret, server_key
from live_cli.settings.schema import (
    SETTINGS,
    EngineSettings,
    ServeSettings,
    SessionSettings,
    Setting,
    Settings,
    TalkSettings,
    ToolSettings,
    TranscribeSettings,
    VoiceActivitySettings,
)
from live_cli.settings.sources import (
    from_environment,
    from_file,
    from_options,
    mcp_from_file,
    prices_from_file,
    read_system,
    tools_from_file,
)
from live_cli.settings.store_address import password_of
from live_cli.settings.toml_file import ConfigFile, read_config
from live_cli.settings.tool_tables import ToolTable

_OTHER_VARIABLES = ("LIVE_CLI_CONFIG", "LIVE_CLI_PROFILE", "LIVE_CLI_KEY")


def load(
    options: Mapping[str, object] | None = None,
    *,
    config: Path | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Merge all sources. ``options``: name -> value from the command line, None: not given.

    Raises SettingsError (OptionError for ``options``), InputFileError for a missing @FILE.
    """
    env = os.environ if environ is None else environ
    profile = profile or env.get("LIVE_CLI_PROFILE") or None
    file = find_config(config, env)
    values: dict[Setting, Any] = {}
    prices: dict[str, Prices] = {}
    servers: dict[str, Any] = {}
    single_tools: dict[str, ToolTable] = {}
    if file is not None:
        values |= from_file(file, profile)
        prices = prices_from_file(file, profile)
        servers = mcp_from_file(file, profile)
        single_tools = tools_from_file(file, profile)
    elif profile:
        raise SettingsError(
            f"There is no profile {profile!r}: there is no settings file "
            f"({default_config_path()}). Write one with: live-cli config init"
        )
    values |= from_environment(env)
    values |= from_options(options or {})
    settings = _build(values, file.path if file else None, profile)
    note_secret(password_of(settings.serve.store))
    gemini, source = gemini_key(env, settings.api_key_file)
    return replace(
        settings,
        prices=prices,
        mcp=servers,
        tool=single_tools,
        gemini_key=gemini,
        gemini_key_source=source,
        server_key=server_key(env, settings.server_key_file),
    )


def default_config_path() -> Path:
    """Return the platform's own place for the settings file; the file need not exist."""
    return paths.config_folder() / "config.toml"


def config_path(config: Path | None, env: Mapping[str, str]) -> tuple[Path, bool]:
    """Return where the file is looked for, and whether it must exist because it was named."""
    named = config or (Path(env["LIVE_CLI_CONFIG"]) if env.get("LIVE_CLI_CONFIG") else None)
    return (named, True) if named else (default_config_path(), False)


def find_config(config: Path | None, env: Mapping[str, str]) -> ConfigFile | None:
    """Read the settings file; None when none was named and the platform's place is empty."""
    path, must_exist = config_path(config, env)
    return read_config(path) if must_exist or path.exists() else None


def unknown_variables(env: Mapping[str, str]) -> list[str]:
    """Return one sentence for each LIVE_CLI_ variable that is no setting, with the near match."""
    known = {setting.variable for setting in SETTINGS.values()} | set(_OTHER_VARIABLES)
    return [
        f"{name} is not a setting{did_you_mean(name, known)}"
        for name in sorted(env)
        if name.startswith("LIVE_CLI_") and name not in known
    ]


def _build(values: Mapping[Setting, Any], path: Path | None, profile: str | None) -> Settings:
    def of(group: str | None) -> dict[str, Any]:
        return {
            setting.path[-1]: value for setting, value in values.items() if setting.group == group
        }

    session = SessionSettings(**of("session"))
    if session.system is not None:
        session = replace(session, system=read_system(session.system))
    return Settings(
        **of(None),
        session=session,
        vad=VoiceActivitySettings(**of("vad")),
        talk=TalkSettings(**of("talk")),
        tools=ToolSettings(**of("tools")),
        transcribe=TranscribeSettings(**of("transcribe")),
        engine=EngineSettings(**of("engine")),
        serve=ServeSettings(**of("serve")),
        config_path=path,
        profile=profile,
    )
