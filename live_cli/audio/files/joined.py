"""Where a file ends that others were joined to, as ``cat a.ogg b.ogg`` does.

Decoders read the first and stop without a word, or go on into the next one's header. A format's
own structure tells where it ends (Ogg's pages, MP4's boxes, MP3's frames); for others the next
beginning of the same format is searched, by a signature that is long enough to be no chance.
"""

import os
from collections.abc import Callable
from typing import BinaryIO

from live_cli.audio.files.kinds import KIND_BYTES, SIGNATURE_BYTES, SIGNATURES, kind_of
from live_cli.audio.files.mp3_frames import first_run
from live_cli.audio.files.mp4_boxes import mp4_boxes
from live_cli.audio.files.wav_header import read_wav_header
from live_cli.audio.files.window import Window
from live_cli.errors import InputFileError

_SEARCH_BYTES = 1 << 20
_OGG_PAGE_BYTES = 27
_OGG_FIRST_PAGE = 2
_SIZE_BYTES = 8


def first_file(stream: BinaryIO, start: int, end: int) -> tuple[Window, int | None]:
    """Return the file that begins at ``start`` of ``stream``, and where the next begins, if any.

    An MP3 file that does not know its length is given one.
    """
    kind = kind_of(_read(stream, start, KIND_BYTES))
    if kind == "mpeg" and (run := first_run(stream, start, end)) is not None:
        following = run.end if run.end < end else None
        if run.needs_length:
            return Window(stream, run.sound_start, run.end, run.xing_frame()), following
        return Window(stream, run.start, run.end), following
    find = _ENDS.get(kind or "", _by_signature)
    found = find(stream, start, end, kind or "")
    return Window(stream, start, found), found if found < end else None


def _read(stream: BinaryIO, at: int, size: int) -> bytes:
    stream.seek(at)
    return stream.read(size)


def _ogg_end(stream: BinaryIO, start: int, end: int, kind: str) -> int:
    """Pages one after another; a first page after others begins the next file (RFC 3533, 4)."""
    at, begun = start, False
    while True:
        head = _read(stream, at, _OGG_PAGE_BYTES + 255)
        if len(head) < _OGG_PAGE_BYTES or head[:4] != b"OggS":
            return at if at < end and kind_of(head) else end
        is_first = bool(head[5] & _OGG_FIRST_PAGE)
        if is_first and begun:
            return at
        begun = begun or not is_first
        segments = head[26]
        at += _OGG_PAGE_BYTES + segments + sum(head[27 : 27 + segments])


def _mp4_end(stream: BinaryIO, start: int, end: int, kind: str) -> int:
    """``ftyp`` stands first in a file (ISO 14496-12, 4.3); a second one begins the next."""
    boxes = mp4_boxes(stream, start, end)
    next(boxes, None)
    return next((at for at, name in boxes if name == b"ftyp"), end)


def _declared_end(stream: BinaryIO, start: int, end: int, kind: str) -> int:
    """RIFF and FORM tell their size; what comes behind counts where it is another sound file."""
    head = _read(stream, start, _SIZE_BYTES)
    size = int.from_bytes(head[4:8], "big" if head[:4] in (b"FORM", b"RIFX") else "little")
    at = start + _SIZE_BYTES + size + size % 2
    return at if at < end and kind_of(_read(stream, at, KIND_BYTES)) else end


def _wav_end(stream: BinaryIO, start: int, end: int, kind: str) -> int:
    """What is not compressed is read forwards, by a reader that finds the end itself."""
    stream.seek(start + len(b"RIFF"))
    try:
        read_wav_header(stream)
    except InputFileError:
        return _declared_end(stream, start, end, kind)
    return end


def _by_signature(stream: BinaryIO, start: int, end: int, kind: str) -> int:
    signature = SIGNATURES.get(kind)
    if signature is None:
        return end
    at = start + 1
    stream.seek(at)
    kept = b""
    while data := stream.read(min(_SEARCH_BYTES, end - at - len(kept))):
        searched = kept + data
        if found := signature.search(searched):
            return at + found.start()
        kept = searched[-SIGNATURE_BYTES:]
        at += len(searched) - len(kept)
    return end


_ENDS: dict[str, Callable[[BinaryIO, int, int, str], int]] = {
    "wav": _wav_end,
    "ogg": _ogg_end,
    "mp4": _mp4_end,
    "aiff": _declared_end,
    "riff": _declared_end,
}


def size_of(stream: BinaryIO) -> int:
    """Return the size of ``stream``, which can be rewound, in bytes."""
    return stream.seek(0, os.SEEK_END)
