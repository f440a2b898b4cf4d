"""What doctor says of stages elsewhere."""

import json

from live_cli.commands.doctor.endpoint_check import endpoint_findings
from live_cli.settings.schema import EngineSettings
from tests.harness.http_endpoint import Answered, http_endpoint

DEAD = "http://127.0.0.1:9/v1"


def listing(*models):
    data = [{"id": model, "object": "model"} for model in models]
    return Answered(body=json.dumps({"object": "list", "data": data}).encode())


def test_each_address_is_asked_which_models_it_has(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "shared-key")
    monkeypatch.setenv("SYNTHESIZER_API_KEY", "not\na-key")
    with (
        http_endpoint(lambda _: listing("small", "large")) as one,
        http_endpoint(lambda _: Answered(404)) as silent,
        http_endpoint(lambda _: Answered(401)) as closed,
    ):
        engine = EngineSettings(
            transcriber=f"openai:{one.base}#small,{DEAD},{silent.base}",
            chat=f"openai:{closed.base}#m,{one.base}#huge",
            synthesizer=f"openai:{one.base}#kokoro/af",
        )
        found = list(endpoint_findings(engine, needed=True))
        keys = [asked.headers["Authorization"] for asked in one.asked]
    assert keys == ["Bearer shared-key"] * 2
    said = [(each.hint, each.failure is not None, each.says) for each in found]
    for (hint, failed, says), (hinted, failing, words) in zip(
        said,
        [
            (False, False, "answers, with small"),
            (True, False, "cannot reach the transcriber at 127.0.0.1:9"),
            (False, False, "answers"),
            (True, False, "set OPENAI_API_KEY"),
            (True, False, "has no model 'huge', but small, large"),
            (True, True, "SYNTHESIZER_API_KEY does not hold a key"),
        ],
        strict=True,
    ):
        assert (hint, failed) == (hinted, failing), says
        assert words in says
        assert "a-key" not in says


def test_stages_of_this_machine_are_no_endpoints():
    assert list(endpoint_findings(EngineSettings(), needed=True)) == []
