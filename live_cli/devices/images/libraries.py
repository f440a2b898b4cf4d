"""Loads PyAV, mss and Pillow late, or says how they are installed; makes PyAV's frames images."""

import importlib
from typing import TYPE_CHECKING, Any

from live_cli.errors import SettingsError

if TYPE_CHECKING:
    from PIL.Image import Image

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


def image_of(frame: Any) -> "Image":
    """Return PyAV's ``frame`` as an image; its own ``to_image`` takes five times as long."""
    from PIL import Image

    return Image.fromarray(frame.to_ndarray(format="rgb24"))


def _load(name: str, says: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SettingsError(f"{says}: {INSTALL}.") from None
