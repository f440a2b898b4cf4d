"""Fixtures for every room."""

pytest_plugins = ["tests.harness.virtual_audio_fixtures", "tests.harness.real_stages"]
