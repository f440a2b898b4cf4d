"""What Ray Serve is told of the stages, from arguments as a command line or a file has them."""

import importlib
import sys

import pytest

from live_cli.engine.backends.table import Stage
from live_cli.engine.openai_api.served_stages import SERVED
from live_cli.errors import SettingsError
from live_cli.scale.deployments import (
    StageArguments,
    endpoints_options,
    read_arguments,
    stage_options,
)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({}, StageArguments()),
        ({"stages": "chat"}, StageArguments((Stage.CHAT,))),
        ({"stages": "synthesizer, chat,chat"}, StageArguments((Stage.SYNTHESIZER, Stage.CHAT))),
        ({"stages": ["transcriber"]}, StageArguments((Stage.TRANSCRIBER,))),
        (
            {"min_replicas": "2", "max_replicas": 3, "num_cpus": "1.5", "num_gpus": 1},
            StageArguments(min_replicas=2, max_replicas=3, num_cpus=1.5, num_gpus=1.0),
        ),
    ],
)
def test_arguments_are_read_from_texts_and_numbers(
    given: dict[str, object], meant: StageArguments
) -> None:
    assert read_arguments(given) == meant


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"stage": "chat"}, "stage is no argument of stages; did you mean 'stages'?"),
        ({"stages": "ears"}, "'ears' is no stage: choose transcriber, chat, synthesizer."),
        ({"stages": ""}, "'' is no stage"),
        ({"stages": []}, "stages must be some of transcriber"),
        ({"stages": 3}, "stages must be some of transcriber"),
        ({"min_replicas": 0}, "min_replicas must be a whole number from 1 on."),
        ({"max_replicas": 1.5}, "max_replicas must be a whole number from 1 on."),
        ({"max_replicas": float("inf")}, "max_replicas must be a whole number"),
        ({"max_replicas": float("nan")}, "max_replicas must be a whole number"),
        ({"max_replicas": True}, "max_replicas must be a number."),
        ({"min_replicas": 3, "max_replicas": 2}, "max_replicas must not be less"),
        ({"num_cpus": "two"}, "num_cpus must be a number."),
        ({"num_gpus": -1}, "num_gpus must be a number from 0 on."),
        ({"num_gpus": "nan"}, "num_gpus must be a number from 0 on."),
    ],
)
def test_a_wrong_argument_is_named_in_one_line(given: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_arguments(given)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_replica_has_what_it_works_on_and_the_next() -> None:
    arguments = StageArguments(num_cpus=2.0, num_gpus=1.0)
    told = {stage: stage_options(stage, arguments, side_by_side=4, waiting=500) for stage in SERVED}
    assert {stage: each["max_ongoing_requests"] for stage, each in told.items()} == {
        Stage.TRANSCRIBER: 2,
        Stage.CHAT: 8,
        Stage.SYNTHESIZER: 2,
    }
    for stage, each in told.items():
        assert each["name"] == stage.value
        assert each["max_queued_requests"] == 500
        assert each["ray_actor_options"] == {"num_cpus": 2.0, "num_gpus": 1.0}
        scaling = each["autoscaling_config"]
        assert scaling["target_ongoing_requests"] < each["max_ongoing_requests"]
    front = endpoints_options(arguments, waiting=500)
    assert "num_gpus" not in front["ray_actor_options"]


def test_all_stages_start_on_two_cores() -> None:
    arguments = StageArguments()
    options = [stage_options(each, arguments, side_by_side=4, waiting=1) for each in SERVED]
    options.append(endpoints_options(arguments, waiting=1))
    taken = [each["ray_actor_options"]["num_cpus"] for each in options]
    assert sum(taken) + arguments.num_cpus <= 2, "and a second replica of one"


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "live_cli.scale.ray_app", raising=False)
    with pytest.raises(SettingsError, match=r"pip install 'live-cli\[ray\]'"):
        importlib.import_module("live_cli.scale.ray_app")
