"""Smart Turn v3.2 in ONNX: from the sound of the last eight seconds, is the speaker done?

The model of the pipecat project (BSD-2-Clause, 8.7 MB) lies in the wheel of pipecat-ai, which is
installed without what it depends on and never imported.
"""

import threading

import numpy as np

from live_cli.audio.pcm import Samples
from live_cli.engine.backends.onnx_session import onnx_session
from live_cli.engine.backends.turn.log_mel import log_mel
from live_cli.engine.backends.turn.model_file import WAY_OUT, bundled_file
from live_cli.errors import EngineError
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_SECONDS = 8


class SmartTurnDetector:
    """The loaded model: some 50 ms of one core a question, without the GIL."""

    def __init__(self) -> None:
        file = bundled_file()
        if file is None:
            raise EngineError(f"the turn detector is not installed: {WAY_OUT}")
        try:
            self._session = onnx_session(file)
        except Exception as exc:  # onnxruntime raises its own kinds
            raise EngineError(f"the turn detector does not load ({exc}): {WAY_OUT}") from exc
        self._input = self._session.get_inputs()[0].name
        self._lock = threading.Lock()

    def probability(self, samples: Samples) -> float | None:
        """Return how likely the speaker has finished with ``samples`` (16 kHz): 0 to 1.

        The last eight seconds count; what is missing of them is silence before.
        """
        wanted = _SECONDS * INPUT_SAMPLE_RATE
        last = samples[-wanted:]
        last = np.pad(last, (wanted - len(last), 0))
        features = log_mel(last)[np.newaxis]
        with self._lock:
            answer = self._session.run(None, {self._input: features})
        return float(answer[0].reshape(-1)[0])
