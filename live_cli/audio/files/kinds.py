"""What a file begins with, by which its format is known; what it is called may be a lie."""

import re

KIND_BYTES = 16
"""How much of a file `kind_of` wants to see; bare PCM has lasted half a millisecond by then."""

_KINDS = (
    ("wav", re.compile(rb"RIFF....WAVE", re.DOTALL)),
    ("riff", re.compile(rb"RIFF|RIFX|RF64|riff\x2e\x91\xcf\x11")),
    ("aiff", re.compile(rb"FORM....AIF[FC]", re.DOTALL)),
    ("flac", re.compile(rb"fLaC")),
    ("ogg", re.compile(rb"OggS")),
    ("mp4", re.compile(rb"....(?:ftyp|moov|mdat|wide|free|skip|pnot|styp)", re.DOTALL)),
    ("matroska", re.compile(rb"\x1a\x45\xdf\xa3")),
    ("asf", re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
    ("amr", re.compile(rb"#!AMR")),
    ("caf", re.compile(rb"caff\x00\x01")),
    ("au", re.compile(rb"\.snd\x00\x00")),
    ("tta", re.compile(rb"TTA1")),
    ("flv", re.compile(rb"FLV\x01")),
    # MPEG and its kin: a tag, or the sync word of MPEG audio, of AAC (ADTS) or of AC-3
    (
        "mpeg",
        re.compile(rb"ID3[\x02-\x04]|\xff[\xe2-\xe7\xf2-\xf7\xfa\xfb]|\xff[\xf0\xf1\xf8\xf9]"),
    ),
    ("other", re.compile(rb"\x0b\x77|wvpk|MAC |MP\+|MPCK|\.RMF|\.ra\xfd|DSD |Creative Voice")),
)

# For formats whose own structure does not lead to where a file ends: how the next one begins.
SIGNATURES = {
    "flac": re.compile(rb"fLaC[\x00\x80]\x00\x00\x22"),
    "matroska": re.compile(rb"\x1a\x45\xdf\xa3.{1,40}\x42\x82.(?:webm|matroska)", re.DOTALL),
    "asf": re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"),
    "amr": re.compile(rb"#!AMR(?:-WB)?\n"),
    "caf": re.compile(rb"caff\x00\x01\x00\x00desc"),
    "au": re.compile(rb"\.snd\x00\x00.{2}.{4}\x00\x00\x00[\x01-\x1b]", re.DOTALL),
    "tta": re.compile(rb"TTA1[\x01-\x03]\x00"),
    "flv": re.compile(rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09"),
}
SIGNATURE_BYTES = 64
"""More than any of `SIGNATURES` matches."""


def kind_of(head: bytes) -> str | None:
    """Return a word for the format of a file that begins with ``head``; None for any other."""
    for kind, beginning in _KINDS:
        if beginning.match(head):
            return kind
    return None
