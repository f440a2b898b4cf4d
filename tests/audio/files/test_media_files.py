"""Sound that libsndfile does not decode, whatever a file is called; and without the package."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.audio.files.speech_files import open_speech
from live_cli.errors import InputFileError
from live_cli.sample_rates import INPUT_SAMPLE_RATE
from tests.harness.sound_files import MEDIA, wav_bytes, write_media, write_mp3

RATE = 16_000


def tone(seconds: float, hz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype("f4")


def read(path: Path) -> tuple[np.ndarray, str | None]:
    with open_speech(path) as speech:
        blocks = list(speech)
        assert max(block.size for block in blocks) < 2 * INPUT_SAMPLE_RATE  # streamed, not whole
        return np.concatenate(blocks), speech.warning


def dominant_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.fft.rfftfreq(sound.size, 1 / RATE)[spectrum.argmax()])


@pytest.mark.parametrize("kind", MEDIA)
def test_media_files_are_read(tmp_path: Path, kind: str) -> None:
    path = write_media(tmp_path / f"talk.{kind}", tone(5.0), RATE, kind)
    sound, warning = read(path)
    assert sound.size / INPUT_SAMPLE_RATE == pytest.approx(5.0, abs=0.15)
    assert dominant_hz(sound) == pytest.approx(440, abs=2)
    assert warning is None


@pytest.mark.parametrize("kind", ["m4a", "webm", "amr", "wma", "aac", "flv", "ts", "mkv"])
@pytest.mark.parametrize("called", ["talk.wav", "talk.mp3", "talk.raw", "talk.vox", "talk"])
def test_a_media_file_may_be_called_anything(tmp_path: Path, kind: str, called: str) -> None:
    sound, warning = read(write_media(tmp_path / called, tone(2.0), RATE, kind))
    assert sound.size / INPUT_SAMPLE_RATE == pytest.approx(2.0, abs=0.15)
    assert warning is None


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "CAF"])
@pytest.mark.parametrize("called", ["talk.m4a", "talk.raw", "talk.vox", "talk.gsm", "talk"])
def test_what_libsndfile_reads_may_be_called_anything(
    tmp_path: Path, container: str, called: str
) -> None:
    path = tmp_path / called
    with path.open("wb") as file:
        soundfile.write(file, tone(2.0), RATE, format=container)
    sound, warning = read(path)
    assert sound.size / INPUT_SAMPLE_RATE == pytest.approx(2.0, abs=0.1)
    assert warning is None


@pytest.mark.parametrize("called", ["talk.m4a", "talk.mp3", "talk.wav", "talk.webm", "talk.ts"])
@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><body>Not found</body></html>\n" * 40,
        b'{"segments": [{"start": 0.0, "text": "hello"}]}\n' * 200,
        b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 50,
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n\n" * 50,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        b"%PDF-1.7\n" + b"1 0 obj << >> endobj\n" * 100,
    ],
    ids=["html", "json", "srt", "vtt", "png", "pdf"],
)
def test_what_is_no_sound_is_refused_whatever_it_is_called(
    tmp_path: Path, called: str, content: bytes
) -> None:
    path = tmp_path / called
    path.write_bytes(content)
    with pytest.raises(InputFileError) as caught:
        list(open_speech(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{file}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {file}\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ],
    ids=["hls", "concat", "sdp"],
)
def test_a_playlist_leads_to_no_other_file_and_to_no_network(tmp_path: Path, content: str) -> None:
    other = write_media(tmp_path / "other.ts", tone(1.0), RATE, "ts")
    path = tmp_path / "talk.m4a"
    path.write_text(content.format(file=other))
    with pytest.raises(InputFileError, match="is not audio"):
        open_speech(path)


def test_what_a_stranger_sent_is_not_given_to_ffmpeg(tmp_path: Path) -> None:
    path = write_media(tmp_path / "talk.m4a", tone(1.0), RATE, "m4a")
    with path.open("rb") as stream, pytest.raises(InputFileError, match="is not audio"):
        open_speech(stream, untrusted=True)


@pytest.mark.parametrize("suffix", [".gsm", ".ulaw", ".g722", ".al"])
def test_text_is_no_headerless_sound(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"talk{suffix}"
    path.write_text("only words, no sound at all\n" * 200)
    with pytest.raises(InputFileError, match="is not audio"):
        open_speech(path)


@pytest.mark.parametrize("kind", ["webm", "mkv", "flv"])
def test_a_media_file_that_is_cut_off_gives_what_is_there_and_says_so(
    tmp_path: Path, kind: str
) -> None:
    whole = write_media(tmp_path / "whole", tone(20.0), RATE, kind).read_bytes()
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    sound, warning = read(path)
    assert 5.0 < sound.size / INPUT_SAMPLE_RATE < 15.0
    assert warning is not None
    assert "cut off" in warning


def test_an_m4a_without_its_end_is_said_to_lack_its_index(tmp_path: Path) -> None:
    whole = write_media(tmp_path / "whole", tone(5.0), RATE, "m4a").read_bytes()
    path = tmp_path / "cut.m4a"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputFileError, match=r"cut\.m4a cannot be read: it has no index"):
        open_speech(path)


def test_a_film_without_sound_has_none(tmp_path: Path) -> None:
    import av

    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for _ in range(5):
            target.mux(stream.encode(picture))
        target.mux(stream.encode(None))
    with pytest.raises(InputFileError, match=r"silent\.mp4 is not audio"):
        open_speech(path)


def test_a_media_file_without_its_package_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_media(tmp_path / "talk.m4a", tone(1.0), RATE, "m4a")
    monkeypatch.setattr("live_cli.audio.files.decoders.media_is_installed", lambda: False)
    with pytest.raises(InputFileError, match=r"pip install 'live-cli\[media\]'") as caught:
        open_speech(path)
    assert "\n" not in str(caught.value)


def test_what_needs_no_media_package_does_not_load_it(tmp_path: Path) -> None:
    path = write_mp3(tmp_path / "a.mp3", tone(1.0), RATE, tells_length=False)
    program = (
        "import sys; from live_cli.audio.files.speech_files import open_speech\n"
        "list(open_speech(sys.argv[1])); print('av' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, check=True)
    assert done.stdout == b"False\n"


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX alone")
@pytest.mark.parametrize("kind", ["wav", "flac", "m4a", "webm"])
@pytest.mark.parametrize("name", [b"caf\xe9", b"\xff\x80", b"a\nb\x1b[2J", b"\xe2\x80\xae", b"-x"])
def test_a_file_is_read_whatever_bytes_its_name_has(tmp_path: Path, name: bytes, kind: str) -> None:
    if kind in MEDIA:
        content = write_media(tmp_path / "plain", tone(1.0), RATE, kind).read_bytes()
    elif kind == "wav":
        content = wav_bytes(tone(1.0), RATE)
    else:
        soundfile.write(tmp_path / "plain.flac", tone(1.0), RATE)
        content = (tmp_path / "plain.flac").read_bytes()
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name + b"." + kind.encode()))
    path.write_bytes(content)
    sound, warning = read(path)
    assert sound.size / INPUT_SAMPLE_RATE == pytest.approx(1.0, abs=0.15)
    assert warning is None
