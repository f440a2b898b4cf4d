"""Warns of a Bluetooth headset in its hands-free profile: 8 or 16 kHz, as on a telephone.

Bluetooth Classic has no profile with both good sound and a microphone: as soon as some programme
opens the headset's microphone, its speaker falls from A2DP (44.1 or 48 kHz) to HFP.
"""

import re

TELEPHONE_RATES = (8_000, 16_000)
_NAMES = re.compile(r"hands[- ]?free|\bhfp\b|\bhsp\b|headset head unit", re.IGNORECASE)


def hands_free_warning(role: str, name: str, rate: int, best_rate: int) -> str | None:
    """Return a warning for the user, with what to do; None for a device in no such profile.

    ``rate`` is the device's own at the moment, in Hz; ``best_rate`` the highest of this session.
    """
    if not (_NAMES.search(name) or (rate in TELEPHONE_RATES and rate < best_rate)):
        return None
    quality = f"at {rate / 1000:g} kHz" if rate in TELEPHONE_RATES else "in hands-free mode"
    return (
        f"The {role} {name} runs {quality}, as a telephone does: a Bluetooth headset cannot play "
        "well while its own microphone is used. Choose another microphone with --input-device "
        "(`live-cli devices` lists them)."
    )
