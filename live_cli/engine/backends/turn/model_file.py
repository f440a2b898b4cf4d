"""The file of the Smart Turn model, found without importing the package that it lies in."""

from pathlib import Path

from live_cli.paths import package_folder

WAY_OUT = "pip install --no-deps pipecat-ai==1.14.0"


def bundled_file() -> Path | None:
    """Return the model's file inside the package pipecat-ai, if it is installed."""
    folder = package_folder("pipecat")
    if folder is None:
        return None
    data = folder / "audio" / "turn" / "smart_turn" / "data"
    return next(iter(sorted(data.glob("smart-turn-v3*-cpu.onnx"), reverse=True)), None)
