"""Kokoro: text to its phonemes by language, its voices, and the model that speaks them."""
