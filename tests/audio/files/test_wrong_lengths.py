"""Files whose header tells no length, or a wrong one: read to their end, without a word."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from live_cli.audio.files.speech_files import open_speech
from live_cli.devices.piped_speech import PipedSpeech
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.sound_files import wav_bytes, with_sizes, write_mp3

RATE = 16_000
SPEECH = (0.2 * np.random.default_rng(5).standard_normal(RATE * 4)).clip(-1, 1).astype("f4")
WHOLE = 4 * INPUT_SAMPLE_RATE


def read(path: Path) -> tuple[np.ndarray, str | None]:
    with open_speech(path) as speech:
        return np.concatenate(list(speech)), speech.warning


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8", "FLOAT", "ULAW", "ALAW"])
@pytest.mark.parametrize(
    ("data_bytes", "riff_bytes"),
    [
        (0, 0), (0, 36), (0, None), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFFFFF, None), (0x80000000, 0),
        (0x7FFFF000, 0x7FFFF024), (16_000, 16_036), (16_000, None), (1, 37), (10_000_000, None),
        (10_000_000, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("piped", [False, True])
def test_a_wav_that_tells_a_wrong_length_is_read_whole_in_silence(
    tmp_path: Path, subtype: str, data_bytes: int, riff_bytes: int | None, piped: bool
) -> None:
    path = tmp_path / "killed.wav"
    path.write_bytes(with_sizes(wav_bytes(SPEECH, RATE, subtype), data_bytes, riff_bytes))
    if piped:
        with path.open("rb") as stream:
            speech = PipedSpeech(stream)
            sound, warning = np.concatenate(list(speech)), speech.warning
    else:
        sound, warning = read(path)
    assert sound.size == WHOLE
    assert np.corrcoef(sound, SPEECH)[0, 1] > 0.99
    assert warning is None


@pytest.mark.parametrize("chunk", [b"LIST", b"id3 ", b"bext", b"cue ", b"_PMX", b"iXML"])
@pytest.mark.parametrize("size", [8, 7, 5_000])
def test_chunks_behind_the_sound_are_no_sound(tmp_path: Path, chunk: bytes, size: int) -> None:
    body = chunk + size.to_bytes(4, "little") + b"\xa5" * (size + size % 2)
    path = tmp_path / "tagged.wav"
    path.write_bytes(wav_bytes(SPEECH, RATE) + body + body)
    sound, warning = read(path)
    assert sound.size == WHOLE
    assert warning is None


def test_a_second_data_chunk_is_more_sound(tmp_path: Path) -> None:
    wav = wav_bytes(SPEECH, RATE)
    path = tmp_path / "two.wav"
    path.write_bytes(wav + b"LIST\x04\0\0\0INFO" + wav[36:])
    sound, warning = read(path)
    assert sound.size == 2 * WHOLE
    assert warning is None


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), b"APETAGEX" + bytes(60), bytes(100), b"\0"])
def test_tags_behind_a_wav_are_no_sound(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "tagged.wav"
    path.write_bytes(wav_bytes(SPEECH, RATE) + tail)
    sound, warning = read(path)
    assert sound.size == WHOLE
    assert warning is None


def test_a_large_chunk_before_the_sound_is_passed_over(tmp_path: Path) -> None:
    wav = wav_bytes(SPEECH, RATE)
    cover = b"id3 " + (3 << 20).to_bytes(4, "little") + bytes(3 << 20)
    path = tmp_path / "cover.wav"
    path.write_bytes(wav[:12] + cover + wav[12:])
    assert read(path)[0].size == WHOLE


def test_a_wav_that_is_cut_off_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(wav_bytes(SPEECH, RATE)[:-40_000])
    sound, warning = read(path)
    assert sound.size == WHOLE - 20_000
    assert warning is not None
    assert "cut off" in warning


def no_length(mp3: bytes) -> bytes:
    return mp3


def told_frames(number: int) -> Callable[[bytes], bytes]:
    def change(mp3: bytes) -> bytes:
        at = mp3.index(b"Xing") if b"Xing" in mp3 else mp3.index(b"Info")
        return mp3[: at + 8] + number.to_bytes(4, "big") + mp3[at + 12 :]

    return change


@pytest.mark.parametrize(
    ("tells_length", "change"),
    [
        (False, no_length),
        (True, told_frames(20)),
        (True, told_frames(0)),
        (True, told_frames(5_000)),
        (False, lambda mp3: b"\0" * 3_000 + mp3),
        (False, lambda mp3: mp3 + b"TAG" + bytes(125)),
        (False, lambda mp3: b"ID3\x03\0\0\0\0\x10\x00" + bytes(2048) + mp3),
    ],
    ids=["none", "too few", "nothing", "too many", "junk before", "a tag", "a tag before"],
)
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_an_mp3_that_tells_a_wrong_length_is_read_whole_in_silence(
    tmp_path: Path, tells_length: bool, change: Callable[[bytes], bytes], rate: int
) -> None:
    # loud first, then soft: what the first frame's bit rate promises is wrong by far
    sound = (SPEECH * np.linspace(1, 0.001, SPEECH.size)).astype("f4")
    at_rate = np.interp(np.arange(4 * rate) / rate, np.arange(sound.size) / RATE, sound)
    path = write_mp3(tmp_path / "stream.mp3", at_rate.astype("f4"), rate, tells_length=tells_length)
    path.write_bytes(change(path.read_bytes()))
    with open_speech(path) as speech:
        seconds = sum(block.size for block in speech) / INPUT_SAMPLE_RATE
        assert speech.warning is None
    assert seconds == pytest.approx(4.0, abs=0.15)
    assert speech.duration_s is None or speech.duration_s == pytest.approx(4.0, abs=0.15)
