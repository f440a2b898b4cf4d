"""The two sample rates of the Live API and the length of a frame, once for the whole package."""

INPUT_SAMPLE_RATE = 16_000
"""Hz of what the user says, everywhere between the microphone and the models."""

OUTPUT_SAMPLE_RATE = 24_000
"""Hz of what the model says, everywhere between the synthesizer and the speaker."""

FRAME_MS = 20
"""The length of a frame: of what the microphone gives at a time."""

FRAME_SAMPLES = INPUT_SAMPLE_RATE * FRAME_MS // 1000
"""Samples in a frame of the user's speech."""
