"""Who may call what: the order of the rules, and that no tool talks itself in."""

from dataclasses import replace
from functools import partial

import pytest

from live_cli.protocol.messages import JsonObject
from live_cli.tools.consent import Consent, ConsentAnswer, Verdict
from live_cli.tools.tool import ClientTool, TellProgress, ToolResult


async def done(arguments: JsonObject, progress: TellProgress) -> ToolResult:
    return ToolResult({"output": arguments})


def tool(
    name: str = "home__lock", *, trusted: bool = False, reads_only: bool = False
) -> ClientTool:
    return ClientTool(
        name, "MCP server home", "", {}, done, "home", reads_only=reads_only, trusted=trusted
    )


ROWS = [
    # trusted, reads only, somebody to ask -> what becomes of the first call
    (False, False, True, Verdict.ASK),
    (False, True, True, Verdict.ASK),
    (True, False, True, Verdict.ASK),
    (True, True, True, Verdict.RUN),
    (False, False, False, Verdict.REFUSE),
    (False, True, False, Verdict.REFUSE),
    (True, False, False, Verdict.RUN),
    (True, True, False, Verdict.RUN),
]


@pytest.mark.parametrize(("trusted", "reads_only", "can_ask", "verdict"), ROWS)
def test_a_first_call(trusted: bool, reads_only: bool, can_ask: bool, verdict: Verdict) -> None:
    consent = Consent(can_ask=can_ask)
    assert consent.verdict(tool(trusted=trusted, reads_only=reads_only)) is verdict


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("home__lock", True),
        ("home", True),
        ("home__*", True),
        ("*", True),
        ("lock", False),
        ("HOME", False),
        ("home__", False),
        ("other", False),
        ("", False),
    ],
)
def test_a_pattern_allows_tools_and_servers_by_their_whole_names(pattern: str, fits: bool) -> None:
    verdict = Consent([pattern], can_ask=False).verdict(tool())
    assert verdict is (Verdict.RUN if fits else Verdict.REFUSE)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (ConsentAnswer.ONCE, Verdict.ASK),
        (ConsentAnswer.SESSION, Verdict.RUN),
        (ConsentAnswer.NO, Verdict.ASK),
        (ConsentAnswer.NEVER, Verdict.REFUSE),
    ],
)
def test_an_answer_holds_for_its_tool_and_its_time(answer: ConsentAnswer, verdict: Verdict) -> None:
    consent = Consent()
    consent.note(tool(), answer)
    assert consent.verdict(tool()) is verdict
    assert consent.verdict(tool("home__open")) is Verdict.ASK


def test_never_is_stronger_than_what_was_allowed_beforehand() -> None:
    consent = Consent(["home"])
    consent.note(tool(trusted=True, reads_only=True), ConsentAnswer.NEVER)
    assert consent.verdict(tool(trusted=True, reads_only=True)) is Verdict.REFUSE


def test_a_tool_that_its_server_has_changed_since_is_asked_about_again() -> None:
    consent = Consent()
    consent.note(tool(), ConsentAnswer.SESSION)
    consent.note(tool("home__open"), ConsentAnswer.NEVER)
    again = replace(tool(), call=partial(done))
    assert consent.verdict(again) is Verdict.RUN
    for changed in (
        replace(tool(), description="Opens all doors."),
        replace(tool(), parameters={"type": "object"}),
    ):
        assert consent.verdict(changed) is Verdict.ASK
    assert consent.verdict(replace(tool("home__open"), description="New.")) is Verdict.REFUSE
