"""The file of the Smart Turn model, found without importing the package that it lies in."""

from importlib.util import find_spec
from pathlib import Path

WAY_OUT = "pip install --no-deps pipecat-ai==1.14.0"


def bundled_file() -> Path | None:
    """Return the model's file inside the package pipecat-ai, if it is installed."""
    try:
        spec = find_spec("pipecat")
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    data = Path(spec.origin).parent / "audio" / "turn" / "smart_turn" / "data"
    return next(iter(sorted(data.glob("smart-turn-v3*-cpu.onnx"), reverse=True)), None)
