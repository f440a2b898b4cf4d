"""HTTP endpoints as OpenAI's API has them, for an engine's stages: `live-cli stages`."""
