"""The client's tools: functions and MCP servers that the model calls, with the person asked."""
