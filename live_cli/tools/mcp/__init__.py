"""MCP servers: as they are configured, run and bounded, and what they give as tools."""
