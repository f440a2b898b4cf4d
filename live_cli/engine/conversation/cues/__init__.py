"""What an utterance tells beside its words: the manner of speaking, and whom it addresses."""
