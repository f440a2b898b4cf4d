"""The adaptive echo canceller: what the speaker plays kept out of what the microphone sends."""
