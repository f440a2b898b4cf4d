"""Models that see, and those that cannot: refused before anything is connected."""

import os
from pathlib import Path
from typing import Any

import pytest

from live_cli.catalog import MODELS
from live_cli.errors import SettingsError
from live_cli.plan.plan import SessionPlan, Verb, plan_session
from live_cli.settings.load import load

KEY = {"GEMINI_API_KEY": "gemini-key"}
ENDPOINT = {"LIVE_CLI_ENGINE_CHAT": "openai:http://127.0.0.1:1/v1#m"}
TRANSLATES = "gemini-3.5-live-translate-preview"


@pytest.fixture(autouse=True)
def nothing_is_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live_cli.engine.chat_models.lookup.cache_folder", lambda: tmp_path)


def planned(
    verb: Verb, env: dict[str, str], *, pictures: bool = True, **options: Any
) -> SessionPlan:
    settings = load(options, environ={"LIVE_CLI_CONFIG": os.devnull, **env})
    return plan_session(settings, verb, pictures=pictures, local_installed=True)


@pytest.mark.parametrize("verb", ["talk", "text"])
@pytest.mark.parametrize("model", [each.id for each in MODELS if each.server == "gemini"])
def test_a_model_sees_or_is_refused_with_one_that_does(verb: Verb, model: str) -> None:
    speaks_to = {"language": "de"} if model == TRANSLATES else {}
    if model in (TRANSLATES, "gemini-3.5-transcribe-live"):
        with pytest.raises(SettingsError, match=f"{model} sees no pictures; gemini-3.8-live does"):
            planned(verb, KEY, model=model, **speaks_to)
    else:
        assert planned(verb, KEY, model=model).blind is None


@pytest.mark.parametrize("verb", ["talk", "text"])
@pytest.mark.parametrize(
    ("env", "options", "sees"),
    [
        (KEY, {}, True),
        ({}, {}, False),
        (KEY, {"server": "local"}, False),
        ({}, {"model": "gemini-3.8-live"}, False),
        ({"LIVE_CLI_ENGINE_CHAT": "qwen2.5-0.5b"}, {}, False),
        ({"LIVE_CLI_ENGINE_CHAT": "scripted:Hi."}, {}, False),
        (ENDPOINT, {}, True),
        ({}, {"server": "ws://elsewhere:1"}, True),
        (KEY, {"model": "gemini-9-live"}, True),
    ],
)
def test_what_cannot_see_is_refused_early_and_what_may_is_tried(
    verb: Verb, env: dict[str, str], options: dict[str, str], sees: bool
) -> None:
    without = planned(verb, env, pictures=False, **options)
    assert (without.blind is None) == sees
    if sees:
        assert planned(verb, env, **options).blind is None
        return
    with pytest.raises(SettingsError) as refused:
        planned(verb, env, **options)
    assert str(refused.value) == without.blind
    for way_out in ("Gemini 3.8 Live", "--server gemini", "openai:URL#MODEL", "live-cli models"):
        assert way_out in str(refused.value)
