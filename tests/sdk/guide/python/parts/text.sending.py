# From the Live API capabilities guide, https://ai.google.dev/gemini-api/docs/live-guide (Apache-2.0).

message = "Hello, how are you?"
await session.send_client_content(turns=message, turn_complete=True)
