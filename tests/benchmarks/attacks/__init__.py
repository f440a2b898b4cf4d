"""Attacks on a running `serve`, and on our own client, each with the figures of what it costs."""
