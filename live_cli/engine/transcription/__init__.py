"""Sessions that only transcribe, with interim transcriptions and the times of sentences."""
