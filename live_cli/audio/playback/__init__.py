"""The jitter buffer for the model's speech, and what of it has been heard."""
