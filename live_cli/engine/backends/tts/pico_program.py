"""Speaks with SVOX Pico in a process of its own; run as a program by `pico.py`.

The library holds the interpreter's lock for a whole sentence, and on some texts never returns.
Each line of stdin is a request as JSON; each answer is a length of 4 bytes, then PCM16 at 16 kHz.
"""

import json
import struct
import sys


def main() -> None:
    """Answer requests until stdin ends."""
    from py_nanotts import NanoTTS

    voice = NanoTTS()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            sound = voice.speak(
                request["text"],
                voice=request["voice"],
                speed=request["speed"],
                pitch=request["pitch"],
                volume=request["volume"],
            )
        except Exception:  # noqa: BLE001 - what it cannot speak is silent
            sound = b""
        sys.stdout.buffer.write(struct.pack("<I", len(sound)) + sound)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
