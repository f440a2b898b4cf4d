"""Detectors of voice activity."""
