"""`live-cli stages`: transcriber, chat model and synthesizer for other machines, in the foreground.

Address, key, certificate and limits are those of `serve`; who asks speaks OpenAI's API.
"""

import asyncio
import faulthandler
import importlib
import socket
from collections.abc import Sequence

from live_cli.commands.serve.child import check_libraries, single_threaded_numpy
from live_cli.commands.serve.command import (
    check_key_for_network,
    limits_of,
    say,
    stage_names,
    stages_of,
    stopping_on_signals,
    telling_when_loaded,
)
from live_cli.commands.serve.descriptors import raise_descriptor_limit
from live_cli.commands.serve.encryption import Encryption, encryption_of, plain_text_notice
from live_cli.commands.serve.environment import base_url, reached_at
from live_cli.commands.serve.log import log_to_stderr
from live_cli.engine.backends.table import Stage
from live_cli.loopback import is_loopback
from live_cli.net.server.listen import addresses_of, listen, port_of
from live_cli.settings.schema import Settings


def run(settings: Settings, only: Sequence[str]) -> None:
    """Serve the stages ``only`` until a signal, which ends it gracefully; a second one at once.

    Raises SettingsError, ConnectError and EngineError, as `serve` does.
    """
    host, key = settings.serve.host.strip("[]"), settings.server_key
    if not is_loopback(host):
        check_key_for_network(host, key)
    single_threaded_numpy()
    check_libraries("prometheus_client", "python_multipart")
    encryption = encryption_of(settings.serve, host)
    raise_descriptor_limit(settings.serve)
    listeners = listen(host, settings.serve.port)
    faulthandler.enable()  # a crash of a model library tells its place
    log_to_stderr()
    offered = tuple(Stage(name) for name in dict.fromkeys(only))
    asyncio.run(_serve(settings, host, listeners, key, encryption, offered))


async def _serve(
    settings: Settings,
    host: str,
    listeners: list[socket.socket],
    key: str | None,
    encryption: Encryption | None,
    offered: tuple[Stage, ...],
) -> None:
    stop = asyncio.Event()
    limits = limits_of(settings.serve)
    with stopping_on_signals(stop, limits.grace_s):
        say(_welcome(host, listeners, offered, keyed=key is not None))
        if notice := plain_text_notice(host, encryption):
            say(notice)
        for module in (
            "live_cli.net.server.openai_api.app",
            "live_cli.net.server.stats.prometheus",
        ):
            await asyncio.to_thread(importlib.import_module, module)

        from live_cli.engine.openai_api.served_stages import ServedStages
        from live_cli.net.server.openai_api.app import build_stages_app, serve_stages_on
        from live_cli.net.server.stats.prometheus import PrometheusCounts

        stages = ServedStages(stage_names(settings.engine, settings.serve), only=offered)
        loading = asyncio.create_task(stages.load())

        app = build_stages_app(
            stages,
            [stage.value for stage in offered],
            keys=[key] if key else [],
            origins=settings.serve.allow_origins,
            limits=limits,
            counts=PrometheusCounts(lambda: stages_of(stages), limits.sessions),
            ready=loading.done,
        )
        secure = encryption.context if encryption else None
        with telling_when_loaded(loading, stop):
            await serve_stages_on(app, listeners, stop=stop, secure=secure)
        await stages.close()


def _welcome(
    host: str, listeners: list[socket.socket], offered: tuple[Stage, ...], *, keyed: bool
) -> str:
    """Return what a person reads at the start: where it is, and what a `serve` is to be told."""
    port = port_of(listeners)
    names = ", ".join(stage.value for stage in offered)
    url = base_url(host, port)
    lines = [
        f"Serving {names} at {reached_at(host, port, addresses_of(listeners))}. "
        "The models are loading.",
        "Callers need the key that is set (LIVE_CLI_KEY), as their OPENAI_API_KEY."
        if keyed
        else "Callers need no key; only this machine can reach it.",
        "A `serve` uses it with these lines in its settings:",
        "  [engine]",
        *(f'  {stage.value} = "openai:{url}/v1{_name_of(stage)}"' for stage in offered),
    ]
    return "\n".join(lines)


def _name_of(stage: Stage) -> str:
    """Return what follows the address; a voice is left open, so that each keeps its own name."""
    return "" if stage is Stage.SYNTHESIZER else f"#{stage.value}"
