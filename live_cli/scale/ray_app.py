"""The stages as an application for Ray Serve: ``serve run live_cli.scale.ray_app:stages``.

Each stage is a deployment, each of its replicas a process with one model; before them are replicas
of the endpoints, whose requests and answers are those of `live-cli stages`. Placing, scaling,
balancing and restarting are Ray's.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from live_cli.commands.serve.child import check_libraries
from live_cli.commands.serve.command import check_key_for_network, limits_of, stage_names
from live_cli.engine.backends.table import Stage
from live_cli.engine.openai_api.served_stages import ServedStages
from live_cli.engine.stages import StageNames
from live_cli.errors import LiveError, SettingsError
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.openai_api.app import build_stages_app
from live_cli.net.server.openai_api.hosted import HostedApp
from live_cli.scale.deployments import (
    ENDPOINTS_AT_A_TIME,
    endpoints_options,
    read_arguments,
    stage_options,
)
from live_cli.settings.load import load

try:
    import click  # Ray's own
    import ray
    from ray import serve
except ImportError as exc:
    raise SettingsError(
        "Ray Serve is not installed. Install it: pip install 'live-cli[ray]'"
    ) from exc

from live_cli.scale.deployed_stages import DeployedStages


def stages(args: dict[str, Any]) -> Any:
    """Return the application, from the settings and ``args`` (`deployments.StageArguments`).

    Settings and key are those of `live-cli stages`, read where this is called; without a key only
    callers on a replica's own machine are let in. Raises ClickException for what is wrong with
    them, which ``serve run`` shows as one line.
    """
    try:
        return _application(args)
    except LiveError as exc:
        raise click.ClickException(str(exc)) from exc


def _application(args: Mapping[str, Any]) -> Any:
    arguments = read_arguments(args)
    settings = load()
    if settings.server_key is not None:
        check_key_for_network("Ray Serve", settings.server_key)
    check_libraries("python_multipart")
    names, limits = stage_names(settings.engine, settings.serve), limits_of(settings.serve)
    waiting = limits.connections
    deployed = {
        stage.value: serve.deployment(
            **stage_options(stage, arguments, side_by_side=names.parallel, waiting=waiting)
        )(StageReplica).bind(names, stage)
        for stage in arguments.stages
    }
    endpoints = serve.deployment(**endpoints_options(arguments, waiting=waiting))
    return endpoints(serve.ingress()(EndpointsReplica)).bind(
        deployed,
        keys=[settings.server_key] if settings.server_key else [],
        origins=settings.serve.allow_origins,
        limits=replace(limits, sessions=ENDPOINTS_AT_A_TIME),
    )


class StageReplica(ServedStages):
    """One stage with its model, in a process of its own. Ray waits for its constructor."""

    async def __init__(self, names: StageNames, stage: Stage) -> None:  # type: ignore[misc]
        cpus = int(ray.get_runtime_context().get_assigned_resources().get("CPU", 0))
        super().__init__(replace(names, threads=names.threads or cpus), only=[stage])
        await self.load()


class EndpointsReplica:
    """The endpoints before ``stages``, which are handles of deployments by the stages' names."""

    def __init__(
        self,
        stages: Mapping[str, Any],
        *,
        keys: Collection[str],
        origins: Collection[str],
        limits: Limits,
    ) -> None:
        self._stages = dict(stages)
        self._keys = keys
        self._origins = origins
        self._limits = limits

    def __serve_build_asgi_app__(self) -> HostedApp:
        """Return the ASGI application; Ray calls this once in each replica."""
        app = build_stages_app(
            DeployedStages(self._stages),
            tuple(self._stages),
            keys=self._keys,
            origins=self._origins,
            limits=self._limits,
        )
        return HostedApp(app, this_machine_only=not self._keys)
