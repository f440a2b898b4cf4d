"""Speech input: voice activity detection, endpointing, segments on their way to text."""
