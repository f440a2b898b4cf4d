"""The WAV header, read from a pipe as well as libsndfile reads it from a file."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from live_cli.audio.files.wav_header import read_wav_header, wav_header
from live_cli.errors import InputFileError


@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
)
@pytest.mark.parametrize("channels", [1, 2])
def test_reads_what_libsndfile_writes(
    tmp_path: Path, container: str, subtype: str, channels: int
) -> None:
    sound = np.random.default_rng(2).uniform(-0.9, 0.9, (500, channels))
    path = tmp_path / "a.wav"
    soundfile.write(path, sound, 22_050, subtype=subtype, format=container)
    data = path.read_bytes()
    stream = io.BytesIO(data[4:])
    header = read_wav_header(stream)
    layout = header.format
    assert (layout.sample_rate, layout.channels) == (22_050, channels)
    assert header.data_bytes == 500 * layout.frame_bytes
    assert header.riff_bytes == len(data) - 8
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    read = layout.frames(stream.read(header.data_bytes))
    np.testing.assert_allclose(read, expected, atol=1e-6)


def test_our_header_is_one() -> None:
    header = read_wav_header(io.BytesIO(wav_header(1000, 24_000)[4:]))
    layout = header.format
    assert (layout.sample_rate, layout.channels, layout.sample_bytes) == (24_000, 1, 2)
    assert header.data_bytes == 1000
    info = soundfile.info(io.BytesIO(wav_header(1000, 24_000) + bytes(1000)))
    assert (info.frames, info.samplerate, info.subtype) == (500, 24_000, "PCM_16")


@given(st.binary(max_size=200), st.integers(0, 44))
def test_garbage_raises_our_own_error_only(garbage: bytes, kept: int) -> None:
    stream = io.BytesIO(wav_header(1000, 24_000)[4:kept] + garbage)
    try:
        header = read_wav_header(stream)
    except InputFileError:
        return
    header.format.frames(stream.read())
