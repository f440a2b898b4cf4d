"""The Live API over WebSockets: the client, the server, and the server as a child process."""
