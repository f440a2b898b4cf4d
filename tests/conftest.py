"""Fixtures for every room."""

pytest_plugins = ["tests.rig.fixtures", "tests.engine.real"]
