"""Several sound files joined into one: read whole, one after another, or said to be cut off."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.files.mp3_frames import first_run
from live_cli.audio.files.speech_files import open_speech
from live_cli.devices.piped_speech import PipedSpeech
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.sound_files import MEDIA, wav_bytes, with_sizes, write_media, write_mp3

RATE = 16_000


def tone(hz: float, seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype("f4")


def dominant_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.fft.rfftfreq(sound.size, 1 / RATE)[spectrum.argmax()])


def assert_holds_both(path: Path) -> None:
    """400 Hz for two seconds, then 900 Hz, and nothing wrong with it."""
    with open_speech(path) as speech:
        sound = np.concatenate(list(speech))
        assert speech.warning is None
    assert sound.size / INPUT_SAMPLE_RATE == pytest.approx(4.0, abs=0.3)
    half = sound.size // 2
    assert dominant_hz(sound[: half - 4_000]) == pytest.approx(400, abs=3)
    assert dominant_hz(sound[half + 4_000 :]) == pytest.approx(900, abs=3)


def encoded(folder: Path, hz: float, kind: str) -> bytes:
    path = folder / f"{hz}.{kind}"
    if kind in MEDIA:
        write_media(path, tone(hz), RATE, kind)
    elif kind.startswith("mp3"):
        write_mp3(path, tone(hz), RATE, tells_length=kind == "mp3")
    else:
        container, _, subtype = kind.partition(" ")
        with path.open("wb") as file:
            soundfile.write(file, tone(hz), RATE, format=container, subtype=subtype or None)
    return path.read_bytes()


@pytest.mark.parametrize(
    "kind",
    [
        "WAV", "WAV ULAW", "WAV MS_ADPCM", "FLAC", "OGG", "OGG OPUS", "AIFF", "CAF", "AU", "mp3",
        "mp3 without length", *(kind for kind in MEDIA if kind != "wv"),
    ],
)  # fmt: skip
def test_two_files_of_a_kind_are_read_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "joined"
    path.write_bytes(encoded(tmp_path, 400, kind) + encoded(tmp_path, 900, kind))
    if kind == "g722":  # no beginning of its own: the suffix tells
        path = path.rename(tmp_path / "joined.g722")
    assert_holds_both(path)


@pytest.mark.parametrize(
    "kinds",
    [("WAV", "FLAC"), ("WAV", "OGG"), ("WAV", "m4a"), ("OGG", "FLAC"), ("mp3", "mp3 streamed")],
    ids=" and ".join,
)
def test_files_of_two_kinds_are_read_whole(tmp_path: Path, kinds: tuple[str, str]) -> None:
    path = tmp_path / "joined"
    first, second = kinds
    path.write_bytes(encoded(tmp_path, 400, first) + encoded(tmp_path, 900, second))
    assert_holds_both(path)


def test_wavs_of_two_rates_and_widths_are_read_whole(tmp_path: Path) -> None:
    wide = np.column_stack([tone(900, rate=44_100)] * 2)
    path = tmp_path / "joined.wav"
    path.write_bytes(wav_bytes(tone(400, rate=8_000), 8_000) + wav_bytes(wide, 44_100, "PCM_24"))
    assert_holds_both(path)


def test_mp3s_of_two_rates_are_read_whole(tmp_path: Path) -> None:
    first = write_mp3(tmp_path / "a.mp3", tone(400, rate=44_100), 44_100, tells_length=True)
    second = write_mp3(tmp_path / "b.mp3", tone(900, rate=22_050), 22_050, tells_length=False)
    path = tmp_path / "joined.mp3"
    path.write_bytes(first.read_bytes() + b"TAG" + bytes(125) + second.read_bytes())
    assert_holds_both(path)


def test_a_killed_recorder_s_wav_may_be_the_last(tmp_path: Path) -> None:
    path = tmp_path / "joined.wav"
    path.write_bytes(wav_bytes(tone(400), RATE) + with_sizes(wav_bytes(tone(900), RATE), 0, 0))
    assert_holds_both(path)


@pytest.mark.parametrize("second", ["WAV", "FLAC"])
def test_a_pipe_of_joined_files_is_read_whole(tmp_path: Path, second: str) -> None:
    path = tmp_path / "joined"
    path.write_bytes(encoded(tmp_path, 400, "WAV") + encoded(tmp_path, 900, second))
    with path.open("rb") as stream:
        sound = np.concatenate(list(PipedSpeech(stream)))
    assert sound.size == pytest.approx(4 * INPUT_SAMPLE_RATE, abs=10)
    assert dominant_hz(sound[:30_000]) == pytest.approx(400, abs=3)
    assert dominant_hz(sound[34_000:]) == pytest.approx(900, abs=3)


def test_what_cannot_be_read_behind_the_first_is_said(tmp_path: Path) -> None:
    path = tmp_path / "joined.wav"
    path.write_bytes(wav_bytes(tone(400), RATE) + b"fLaC\x00\x00\x00\x22 and no more")
    with open_speech(path) as speech:
        assert sum(block.size for block in speech) == 2 * INPUT_SAMPLE_RATE
        assert speech.warning is not None
        assert "cut off" in speech.warning


def test_thousands_of_tiny_files_are_said_to_be_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "many.wav"
    path.write_bytes(wav_bytes(tone(400, 0.001), RATE) * 3_000)
    with open_speech(path) as speech:
        assert sum(block.size for block in speech) == 1_000 * 16
        assert speech.warning is not None
        assert "cut off" in speech.warning


@pytest.mark.parametrize(
    "data", [b"\xff" * (4 << 20), (b"\xff\xfb" + bytes(30)) * (1 << 17)], ids=["all ones", "heads"]
)
def test_the_search_for_frames_gives_up(data: bytes) -> None:
    stream = CountingStream(data)
    assert first_run(stream, 0, len(data)) is None
    assert stream.read_bytes < 8 * len(data)


class CountingStream(io.BytesIO):
    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.read_bytes += len(data)
        return data
