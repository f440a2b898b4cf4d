"""Voice conversation in the terminal over the Live API."""

__version__ = "0.1.0"
