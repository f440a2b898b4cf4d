"""An MCP server with tools of every kind, over stdio, or over HTTP with a port as its argument.

python tests/harness/mcp_server.py [PORT]
"""

import asyncio
import os
import subprocess
import sys

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("house")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000"
    "000301010018dd8db00000000049454e44ae426082"
)


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def lamp(room: str) -> str:
    """Tell whether the lamp of a room is on."""
    return f"The lamp in the {room} is on."


@server.tool()
def variable(name: str) -> str | None:
    """Tell a variable of the environment."""
    return os.environ.get(name)


@server.tool()
def picture() -> Image:
    """Show a picture."""
    return Image(data=PNG, format="png")


@server.tool()
def fails() -> str:
    """Fail."""
    raise ValueError("the fuse is blown")


@server.tool()
def dies() -> str:
    """End the server's process."""
    os._exit(3)


@server.tool()
async def grow(context: Context) -> str:
    """Offer one more tool, and say so."""
    server.add_tool(lamp, name="new_lamp", description="A lamp that was bought.")
    await context.notify_tools_changed()
    await context.session.send_tool_list_changed()
    return "grown"


@server.tool()
async def flood(context: Context, count: int) -> str:
    """Report progress far too often."""
    for each in range(count):
        await context.report_progress(each, count)
    return "flooded"


@server.tool()
def child() -> int:
    """Start a process that outlives the server."""
    return subprocess.Popen(["sleep", "1000"]).pid


@server.tool(structured_output=False)
def large(megabytes: int) -> str:
    """Return a text of a size."""
    return "x" * (megabytes * 1_000_000)


@server.tool()
async def slow(context: Context) -> str:
    """Report progress, then never end."""
    print("slow begins", file=sys.stderr, flush=True)
    await context.report_progress(1, 4, "a quarter")
    await asyncio.Event().wait()
    return "never"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run()
