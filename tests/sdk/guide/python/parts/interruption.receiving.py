# From the Live API capabilities guide, https://ai.google.dev/gemini-api/docs/live-guide (Apache-2.0).
# Its `if` holds comments only; the line that prints is this project's.

async for response in session.receive():
    if response.server_content.interrupted is True:
        # The generation was interrupted

        # If realtime playback is implemented in your application,
        # you should stop playing audio and clear queued playback here.
        print("interrupted")
