"""Speech files, read and written in a stream: WAV, FLAC, and what libsndfile decodes."""
