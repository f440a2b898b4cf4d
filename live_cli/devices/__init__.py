"""THE EARS AND MOUTH: microphone, speaker, and files or pipes in their place."""
