"""What it costs: money beside tokens where a price is set, also over lost connections."""

import re
from pathlib import Path

import pytest

from tests.harness.command import json_lines, live_cli, of_type
from tests.harness.mean_server import DONE, Caller, handle, mean_server, text
from tests.harness.speech import moonshine_asset

PRICES = """
[prices."gemini-3.8-live"]
input_text = 1.0
input_audio = 3.0
output_text = 10.0
output_audio = 12.0
"""


def usage(prompt: int, response: int) -> dict:
    return {
        "usageMetadata": {
            "promptTokenCount": prompt,
            "responseTokenCount": response,
            "totalTokenCount": prompt + response,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
            "responseTokensDetails": [{"modality": "TEXT", "tokenCount": response}],
        }
    }


def dollars(*turns: tuple[int, int]) -> float:
    return sum(prompt + 10 * response for prompt, response in turns) / 1e6


async def two_turns_and_a_loss(caller: Caller) -> None:
    """Answer, with two snapshots; lose the second answer after a snapshot of it."""
    await caller.set_up(handle("h1"))
    await caller.until_asked()
    await caller.say(text("One."), usage(1000, 10), DONE | usage(1000, 40))
    await caller.until_asked()
    await caller.say(text("Tw"), usage(1500, 5))
    await caller.close(1011, "restart")


async def the_rest(caller: Caller) -> None:
    await caller.set_up(handle("h2"))
    await caller.until_asked()
    await caller.say(text("Two."), DONE | usage(1500, 60))
    await caller.listen()


def ask(tmp_path: Path, *args: str, settings: str = PRICES):
    (tmp_path / "c.toml").write_text(settings)
    with mean_server(two_turns_and_a_loss, the_rest) as server:
        return live_cli(
            "text", "--server", server.address, "--model", "gemini-3.8-live", "--config",
            tmp_path / "c.toml", *args, home=tmp_path, stdin="one\ntwo\n",
        )  # fmt: skip


BILLED = ((1000, 40), (1500, 5), (1500, 60))


def test_a_program_reads_tokens_and_money_right_over_a_reconnect(tmp_path):
    done = ask(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    records = json_lines(done.stdout)
    summary = of_type(records, "session_close")[-1]["summary"]
    assert summary["total_tokens"] == sum(map(sum, BILLED))
    assert summary["estimated_dollars"] == pytest.approx(dollars(*BILLED))
    assert summary["unpriced_tokens"] == 0
    reports = of_type(records, "usage")
    assert [each["total"] for each in reports] == [1010, 1040, 1505, 1560]
    assert [each["session_total"] for each in reports] == [1010, 1040, 2545, 4105]
    assert reports[1]["estimated_dollars"] == pytest.approx(dollars((1000, 40)))
    assert reports[-1]["session_estimated_dollars"] == pytest.approx(dollars(*BILLED))


@pytest.mark.parametrize(
    "settings", ["", PRICES.replace("3.8", "3.1"), "[prices.local]\ninput_text = 1"]
)
def test_without_a_price_of_the_model_there_are_tokens_alone(tmp_path, settings):
    done = ask(tmp_path, "--json", settings=settings)
    records = json_lines(done.stdout)
    summary = of_type(records, "session_close")[-1]["summary"]
    assert (summary["total_tokens"], summary["estimated_dollars"]) == (sum(map(sum, BILLED)), None)
    assert {each["estimated_dollars"] for each in of_type(records, "usage")} == {None}
    plain = ask(tmp_path, "--usage", settings=settings).stderr.decode()
    assert "1,040 tokens this turn\n" in plain
    assert "$" not in plain


def test_a_person_sees_money_beside_tokens_and_that_it_is_an_estimate(tmp_path):
    told = ask(tmp_path, "--usage").stderr.decode()
    assert "1,040 tokens this turn, estimated $0.0014\n" in told
    assert ask(tmp_path).stderr.decode().count("$") == 0


def test_the_summary_of_a_talk_has_money_beside_tokens(tmp_path):
    (tmp_path / "c.toml").write_text(
        "[prices.local]\ninput_audio = 3000.0\noutput_audio = 12000.0\n"
        "input_text = 1000.0\noutput_text = 1000.0\n"
    )
    done = live_cli(
        "talk", "--input", moonshine_asset("two_cities.wav"), "--output", tmp_path / "a.wav",
        "--config", tmp_path / "c.toml", home=tmp_path, env={"LIVE_CLI_ENGINE_CHAT": "scripted"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r" tokens.* · estimated \$\d+\.\d\d$", done.stderr.decode(), re.MULTILINE)
