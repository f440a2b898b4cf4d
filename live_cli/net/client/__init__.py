"""The client of a Live API server: one connection, and a session over several."""
