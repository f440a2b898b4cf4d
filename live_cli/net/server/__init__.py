"""The Live API server: WebSocket and REST endpoints on one port, around any engine."""
