"""How a server says that sound may come faster than it was spoken: a header of the handshake.

The Live API is fed in real time, and has no field for this. `serve` looks through sound as fast as
it can and slows its callers where it cannot, so a file need not take as long as its sound; a server
that does not say so is fed in real time.
"""

AUDIO_PACE_HEADER = "x-live-cli-audio-pace"
FASTER_THAN_REAL_TIME = "faster-than-real-time"
