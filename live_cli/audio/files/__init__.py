"""Speech files, read and written in a stream: what libsndfile decodes, and what FFmpeg does."""
