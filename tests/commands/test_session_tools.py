"""The tools that a session offers: as it begins, and once a server is lost."""

from collections.abc import Callable
from typing import cast

from live_cli.commands.session_tools import SessionTools
from live_cli.net.client.resuming_client import ResumingClient
from live_cli.plan.plan import plan_session
from live_cli.protocol.messages import ClientMessage, FunctionDeclaration, Tool
from live_cli.settings.schema import Settings, ToolSettings
from live_cli.tools.toolset import Toolset
from live_cli.ui.plain import PlainView


class FakeToolset:
    """One function, until it is lost."""

    def __init__(self) -> None:
        self.tools = ()
        self.names = ["house__lamp"]
        self.changed: Callable[[], None] = lambda: None

    def declared(self, behavior: str | None = None) -> list[Tool]:
        functions = [FunctionDeclaration(name=name, behavior=behavior) for name in self.names]
        return [Tool(function_declarations=functions)] if functions else []


class FakeClient:
    """Keeps what the next connection declares."""

    declared: list[Tool]

    def redeclare(self, tools: list[Tool]) -> None:
        self.declared = tools


async def test_a_lost_server_leaves_the_service_s_own_tools_alone() -> None:
    named = ToolSettings(tools=("search",))
    settings = Settings(server="gemini", gemini_key="k" * 20, tools=named)
    toolset = FakeToolset()
    tools = SessionTools(named, cast(Toolset, toolset), PlainView(), can_ask=False)
    plan = tools.plan_with(plan_session(settings, "talk"))
    search, functions = plan.setup.tools or []
    assert search.google_search == {}
    assert [each.name for each in functions.function_declarations or []] == ["house__lamp"]
    sent: list[ClientMessage] = []
    client = FakeClient()
    tools.start(cast(ResumingClient, client), plan, sent.append)
    toolset.names = []
    toolset.changed()
    (message,) = sent
    assert message.context_update is not None
    assert message.context_update.tools is not None
    assert message.context_update.tools.tools == client.declared == [search]
