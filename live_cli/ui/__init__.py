"""The views of a session (live, plain lines, JSON lines), and the keys of a terminal."""
