"""Loads PyAV, mss and Pillow late, or says how they are installed."""

import importlib
from typing import Any

from live_cli.errors import SettingsError

INSTALL = "pip install 'live-cli[video]'"


def load_av() -> Any:
    """Return PyAV, which opens cameras and videos. Raises SettingsError where it is missing."""
    return _load("av", "Cameras and videos need the package av")


def load_mss() -> Any:
    """Return mss, which reads screens. Raises SettingsError where it is missing."""
    return _load("mss", "The screen needs the package mss")


def load_pillow() -> None:
    """Load Pillow, of whose kind all images are. Raises SettingsError where it is missing."""
    _load("PIL.Image", "Images need the package Pillow")


def _load(name: str, says: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SettingsError(f"{says}: {INSTALL}.") from None
