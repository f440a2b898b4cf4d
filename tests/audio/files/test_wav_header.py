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
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2])
def test_reads_what_libsndfile_writes(
    tmp_path: Path, container: str, subtype: str, channels: int
) -> None:
    sound = np.random.default_rng(2).uniform(-0.9, 0.9, (500, channels))
    path = tmp_path / "a.wav"
    soundfile.write(path, sound, 22_050, subtype=subtype, format=container)
    data = path.read_bytes()
    stream = io.BytesIO(data[4:])
    layout, data_bytes = read_wav_header(stream)
    assert (layout.sample_rate, layout.channels) == (22_050, channels)
    assert data_bytes == 500 * layout.frame_bytes
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_allclose(layout.samples(stream.read(data_bytes)), expected.mean(1), atol=1e-6)


def test_our_header_is_one() -> None:
    layout, data_bytes = read_wav_header(io.BytesIO(wav_header(1000, 24_000)[4:]))
    assert (layout.sample_rate, layout.channels, layout.sample_bytes) == (24_000, 1, 2)
    assert data_bytes == 1000
    info = soundfile.info(io.BytesIO(wav_header(1000, 24_000) + bytes(1000)))
    assert (info.frames, info.samplerate, info.subtype) == (500, 24_000, "PCM_16")


def test_an_unknown_length_lasts_to_the_end_of_the_stream() -> None:
    header = wav_header(0, 16_000)
    assert read_wav_header(io.BytesIO(header[4:]))[1] is None


@given(st.binary(max_size=200), st.integers(0, 44))
def test_garbage_raises_our_own_error_only(garbage: bytes, kept: int) -> None:
    stream = io.BytesIO(wav_header(1000, 24_000)[4:kept] + garbage)
    try:
        layout, _ = read_wav_header(stream)
    except InputFileError:
        return
    layout.samples(stream.read())
