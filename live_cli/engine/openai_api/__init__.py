"""The engine's transcriber, synthesizer and chat model as OpenAI's API asks for them."""
