"""The way in which all models of ONNX are loaded: on the CPU, without telemetry."""

from pathlib import Path
from typing import Any


def onnx_session(file: Path, threads: int = 1) -> Any:
    """Load the model in ``file``. Raises what onnxruntime raises, and ImportError.

    One thread by default: two are slower on a machine that has other work.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = False  # it keeps the most ever needed: 26 MB in all
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
