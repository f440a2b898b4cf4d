"""`live-cli talk`: microphone and speaker (or files) wired to a session, keys and recording."""
