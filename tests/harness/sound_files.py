"""Sound files of many kinds, made from samples: what libsndfile and FFmpeg write."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

MEDIA = {
    # name: codec, container, rate
    "m4a": ("aac", "ipod", 16_000),
    "mp4": ("aac", "mp4", 44_100),
    "mov": ("aac", "mov", 48_000),
    "aac": ("aac", "adts", 16_000),
    "alac.m4a": ("alac", "ipod", 16_000),
    "webm": ("libopus", "webm", 48_000),
    "mkv": ("flac", "matroska", 16_000),
    "amr": ("libopencore_amrnb", "amr", 8_000),
    "3gp": ("libopencore_amrnb", "3gp", 8_000),
    "wma": ("wmav2", "asf", 44_100),
    "ac3": ("ac3", "ac3", 48_000),
    "ts": ("aac", "mpegts", 16_000),
    "flv": ("aac", "flv", 44_100),
    "tta": ("tta", "tta", 16_000),
    "wv": ("wavpack", "wv", 16_000),
    "g722": ("g722", "g722", 16_000),
}
"""Formats that libsndfile does not read."""


def write_media(
    path: Path, sound: np.ndarray, rate: int, kind: str, *, options: dict[str, str] | None = None
) -> Path:
    """``sound``, mono float32 at ``rate``, as one of `MEDIA`, whatever ``path`` ends in."""
    codec, container, own_rate = MEDIA[kind]
    with av().open(str(path), "w", format=container, options=options or {}) as target:
        stream = target.add_stream(codec, rate=own_rate)
        stream.layout = "mono"
        if codec in ("wmav2", "libopencore_amrnb"):
            stream.bit_rate = 12_200 if own_rate == 8_000 else 64_000
        for frame in _frames(sound, rate, own_rate, stream.codec_context):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def write_mp3(path: Path, sound: np.ndarray, rate: int, *, tells_length: bool) -> Path:
    """An MP3 file of varying bit rate; without its length it is as a stream would be."""
    options = {"write_xing": str(int(tells_length)), "id3v2_version": "0"}
    with av().open(str(path), "w", format="mp3", options=options) as target:
        stream = target.add_stream("libmp3lame", rate=rate)
        stream.layout = "mono"
        stream.codec_context.options = {"flags": "+qscale", "global_quality": "500"}
        for frame in _frames(sound, rate, rate, stream.codec_context):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def av() -> Any:
    import av as package

    return package


def _frames(sound: np.ndarray, rate: int, own_rate: int, codec: Any) -> Any:
    """The frames that the encoder ``codec`` wants, of one length but the last."""
    package = av()
    wanted = codec.codec.audio_formats[0].name
    resampler = package.AudioResampler(format=wanted, layout="mono", rate=own_rate)
    fifo = package.AudioFifo()
    whole = package.AudioFrame.from_ndarray(sound[None].astype("f4"), format="fltp", layout="mono")
    whole.sample_rate = rate
    for piece in [*resampler.resample(whole), *resampler.resample(None)]:
        piece.pts = None
        fifo.write(piece)
    codec.open(strict=False)
    at, size = 0, codec.frame_size or 1024
    while (frame := fifo.read(size, partial=True)) is not None:
        frame.pts = at
        at += frame.samples
        yield frame


def wav_bytes(sound: np.ndarray, rate: int, subtype: str = "PCM_16") -> bytes:
    target = io.BytesIO()
    soundfile.write(target, sound, rate, format="WAV", subtype=subtype)
    return target.getvalue()


def with_sizes(wav: bytes, data_bytes: int, riff_bytes: int | None = None) -> bytes:
    """``wav`` whose header tells other lengths, as a recorder leaves that was killed."""
    changed = bytearray(wav)
    at = wav.index(b"data") + 4
    changed[at : at + 4] = struct.pack("<I", data_bytes)
    if riff_bytes is not None:
        changed[4:8] = struct.pack("<I", riff_bytes)
    return bytes(changed)
