"""The backends of the stages: one file for each; each imports its library late."""

import os

# onnxruntime's official builds report to their maker unless told not to before they load.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
