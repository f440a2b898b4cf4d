"""The tools that an MCP server offers: listed page by page, the wanted ones, the usable ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from live_cli.tools.mcp.config import McpEntry
from live_cli.tools.mcp.results import declaration_complaint
from live_cli.tools.tool import ClientTool

if TYPE_CHECKING:
    import mcp

MOST_TOOLS: Final = 256
"""Of one server; each is read by the model before every answer."""
_MOST_PAGES: Final = 64


@dataclass(slots=True)
class ServerOffer:
    """Tools of a server; ``left_out``: a sentence for each tool that is wanted and unusable."""

    tools: tuple[ClientTool, ...] = ()
    left_out: list[str] = field(default_factory=list)

    @property
    def counted(self) -> str:
        """Return the number of tools, in words."""
        return "1 tool" if len(self.tools) == 1 else f"{len(self.tools)} tools"


async def offered(
    client: "mcp.Client", entry: McpEntry, tool_of: Callable[[Any], ClientTool]
) -> ServerOffer:
    """Ask the server of ``entry`` for its tools; ``tool_of`` makes a tool of each that is used."""
    found: list[Any] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None or len(found) > MOST_TOOLS:
            break
    return _offer_of([tool for tool in found if entry.offers(tool.name)], entry.name, tool_of)


def _offer_of(
    wanted: Sequence[Any], server: str, tool_of: Callable[[Any], ClientTool]
) -> ServerOffer:
    usable: dict[str, Any] = {}
    left_out: list[str] = []
    for tool in wanted[:MOST_TOOLS]:
        why = "is there twice" if tool.name in usable else declaration_complaint(tool)
        if why is None:
            usable[tool.name] = tool
        else:
            left_out.append(f"Tool {tool.name} of MCP server {server} is left out: it {why}.")
    if len(wanted) > MOST_TOOLS:
        left_out.append(f"MCP server {server} has more than {MOST_TOOLS} tools: the first.")
    return ServerOffer(tuple(map(tool_of, usable.values())), left_out)
