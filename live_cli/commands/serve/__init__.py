"""`live-cli serve`: the local server in the foreground, or as the child of another command."""
