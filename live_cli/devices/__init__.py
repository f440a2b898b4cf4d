"""Microphone and speaker, files or pipes in their place, and devices that are lost and found."""
