"""THE LINE: the WebSocket client, the server, and the server as a child process."""
