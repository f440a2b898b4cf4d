"""The deployments of the stages on Ray Serve, from the arguments of the application. Pure.

Ray Serve scales a deployment by the requests that wait and run at its replicas. A transcriber and
a synthesizer work on one request at a time; one more is kept at hand, so that neither waits for the
next. A chat model generates several replies side by side, in slots that share each pass through the
model: that is its dynamic batching, and a second one before it would only add its wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from live_cli.catalog import did_you_mean
from live_cli.engine.backends.table import Stage
from live_cli.engine.openai_api.served_stages import SERVED
from live_cli.errors import SettingsError

ENDPOINTS: Final = "endpoints"
"""The name of the deployment that callers reach; the others are called as their stages are."""
ENDPOINTS_AT_A_TIME: Final = 200
"""Requests at one replica of the endpoints, which only pass them on and keep no core busy."""
_AHEAD: Final = 2
"""Requests at a replica for each that it works on."""
_UPSCALE_DELAY_S: Final = 10
"""Of load that lasts; Ray's own 30 s are long for somebody who talks."""


@dataclass(frozen=True, slots=True)
class StageArguments:
    """What ``serve run`` takes as NAME=VALUE, and a Serve config file as ``args``.

    ``stages``: those that are deployed. The others are of each replica of a stage, whatever the
    stage; ``deployments`` in a config file sets them for one. ``num_cpus``, ``num_gpus``: what Ray
    reserves, in whole or in part.
    """

    stages: tuple[Stage, ...] = SERVED
    min_replicas: int = 1
    max_replicas: int = 8
    num_cpus: float = 0.5
    num_gpus: float = 0.0


def read_arguments(given: Mapping[str, object]) -> StageArguments:
    """Return the arguments as they were meant: a command line gives texts, a file numbers.

    Raises SettingsError, which names the argument.
    """
    readers = {
        "stages": _stages,
        "min_replicas": _count,
        "max_replicas": _count,
        "num_cpus": _share,
        "num_gpus": _share,
    }
    for name in given:
        if name not in readers:
            raise SettingsError(f"{name} is no argument of stages{did_you_mean(name, readers)}")
    values: dict[str, Any] = {name: readers[name](name, value) for name, value in given.items()}
    arguments = StageArguments(**values)
    if arguments.max_replicas < arguments.min_replicas:
        raise SettingsError("max_replicas must not be less than min_replicas.")
    return arguments


def _stages(name: str, value: object) -> tuple[Stage, ...]:
    words = value.split(",") if isinstance(value, str) else value
    known = {stage.value: stage for stage in SERVED}
    if not isinstance(words, list | tuple) or not words:
        raise SettingsError(f"{name} must be some of {', '.join(known)}.")
    found = [str(word).strip() for word in words]
    if unknown := [word for word in found if word not in known]:
        raise SettingsError(f"{unknown[0]!r} is no stage: choose {', '.join(known)}.")
    return tuple(known[word] for word in dict.fromkeys(found))


def _count(name: str, value: object) -> int:
    number = _number(name, value)
    if number < 1 or not number.is_integer():
        raise SettingsError(f"{name} must be a whole number from 1 on.")
    return int(number)


def _share(name: str, value: object) -> float:
    number = _number(name, value)
    if not 0 <= number < float("inf"):
        raise SettingsError(f"{name} must be a number from 0 on.")
    return number


def _number(name: str, value: object) -> float:
    try:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return float(value)
    except ValueError:
        pass
    raise SettingsError(f"{name} must be a number.")


def stage_options(
    stage: Stage, arguments: StageArguments, *, side_by_side: int, waiting: int
) -> dict[str, Any]:
    """Return what Ray Serve is told of the deployment of ``stage``.

    ``side_by_side``: the replies that a chat model generates at a time. ``waiting``: the requests
    that may wait for a replica, at each replica of the endpoints; more are refused with 503.
    """
    at_a_time = side_by_side if stage is Stage.CHAT else 1
    return {
        "name": stage.value,
        "max_ongoing_requests": _AHEAD * at_a_time,
        "max_queued_requests": waiting,
        "autoscaling_config": {
            "min_replicas": arguments.min_replicas,
            "max_replicas": arguments.max_replicas,
            "target_ongoing_requests": at_a_time,
            "upscale_delay_s": _UPSCALE_DELAY_S,
        },
        "ray_actor_options": {"num_cpus": arguments.num_cpus, "num_gpus": arguments.num_gpus},
    }


def endpoints_options(arguments: StageArguments, *, waiting: int) -> dict[str, Any]:
    """Return the same of the endpoints in front."""
    return {
        "name": ENDPOINTS,
        "max_ongoing_requests": ENDPOINTS_AT_A_TIME,
        "max_queued_requests": waiting,
        "autoscaling_config": {
            "min_replicas": 1,
            "max_replicas": arguments.max_replicas,
            "target_ongoing_requests": ENDPOINTS_AT_A_TIME // 2,
        },
        "ray_actor_options": {"num_cpus": 0},
    }
