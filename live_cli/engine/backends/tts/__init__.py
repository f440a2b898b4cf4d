"""Synthesizers: text to speech."""
