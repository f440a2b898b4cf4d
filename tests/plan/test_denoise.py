"""Who takes the noise out of what is said: the engine of this machine, or `talk` itself."""

import os

import pytest

from live_cli.plan.plan import plan_session
from live_cli.settings.load import load


@pytest.mark.parametrize(
    ("verb", "talk", "engine", "given"),
    [
        ("talk", "auto", "auto", "auto"),
        ("talk", "auto", "off", "off"),
        ("talk", "on", "auto", "on"),
        ("talk", "off", "on", "off"),
        ("transcribe", "off", "auto", "auto"),
    ],
)
def test_an_own_engine_is_told_what_talk_asks(verb, talk, engine, given):
    environ = {
        "LIVE_CLI_CONFIG": os.devnull,
        "LIVE_CLI_SERVER": "local",
        "LIVE_CLI_TALK_DENOISE": talk,
        "LIVE_CLI_ENGINE_DENOISE": engine,
    }
    plan = plan_session(load({}, environ=environ), verb, local_installed=True)
    assert f"--denoise={given}" in plan.child_args
