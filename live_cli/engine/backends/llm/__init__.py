"""Chat models: GGUF files in this process, and OpenAI-compatible endpoints."""
