"""Videos, pictures and folders of them in place of a camera, on a clock that the test sets."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from live_cli.devices.images.picture_files import PictureFiles
from live_cli.devices.images.video_file import VideoFile, _OnePass
from live_cli.errors import DeviceError, InputFileError
from tests.devices.images.videos import COLOURS, make_video, nearest


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("suffix", "codec", "gop"),
    [(".mp4", "libx264", 250), (".mp4", "libx264", 5), (".mkv", "libx264", 12),
     (".avi", "mjpeg", 1), (".webm", "libvpx", 30), (".mpg", "mpeg2video", 15)],
)  # fmt: skip
def test_a_video_shows_what_is_due_and_begins_again(
    tmp_path: Path, suffix: str, codec: str, gop: int
) -> None:
    path = make_video(tmp_path / f"clip{suffix}", seconds=3, codec=codec, gop=gop)
    clock = Clock()
    video = VideoFile(path, clock)
    video.open()
    for at, second in ((0.0, 0), (0.9, 0), (1.2, 1), (2.1, 2), (2.9, 2), (3.2, 0), (4.5, 1),
                       (63.5, 0), (64.5, 1), (80.5, 2)):  # fmt: skip
        clock.now = 50.0 + at
        assert nearest(video.newest()) == second, f"at {at} s"
    video.close()
    video.close()


def test_what_was_not_asked_for_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "clip.avi", seconds=3, codec="mjpeg", gop=1)
    decoded = []
    packets_until = _OnePass._packets_until

    def counted(playing: _OnePass, at_s: float) -> list[object]:
        packets = packets_until(playing, at_s)
        decoded.extend(packets)
        return packets

    monkeypatch.setattr(_OnePass, "_packets_until", counted)
    clock = Clock()
    video = VideoFile(path, clock)
    video.open()
    clock.now += 2.5
    assert nearest(video.newest()) == 2
    assert len(decoded) <= 6  # of 63
    video.close()


def test_a_video_of_one_picture_goes_on_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "one.gif"
    Image.new("RGB", (8, 8), "blue").save(path)
    clock = Clock()
    video = VideoFile(path, clock)
    video.open()
    for at in (0.0, 1.0, 17.3):
        clock.now = 50.0 + at
        assert nearest(video.newest()) == 2
    video.close()


def test_a_cut_off_video_is_played_as_far_as_it_goes(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mkv", seconds=3, codec="libx264", gop=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    clock = Clock()
    video = VideoFile(path, clock)
    video.open()
    for _ in range(12):
        clock.now += 0.7
        assert nearest(video.newest()) in (0, 1)
    video.close()


def test_a_folder_gives_one_picture_a_second_in_the_order_of_names(tmp_path: Path) -> None:
    for name, colour in (("b.PNG", "lime"), ("a.jpg", "red"), ("c.webp", "blue")):
        Image.new("RGB", (40, 30), colour).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    clock = Clock()
    folder = PictureFiles(tmp_path, clock)
    folder.open()
    seen = []
    for _ in range(5):
        seen.append(nearest(folder.newest()))
        clock.now += 0.4
        assert nearest(folder.newest()) == seen[-1]
        clock.now += 0.59  # asked a little early
    assert seen == [0, 1, 2, 0, 1]


def test_what_is_handed_out_may_be_changed(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.png")
    picture = PictureFiles(tmp_path / "a.png")
    picture.open()
    picture.newest().thumbnail((4, 4))
    assert picture.newest().size == (40, 30)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    picture = PictureFiles(tmp_path / "a.png")
    picture.open()
    assert picture.newest().getpixel((1, 1)) == (255, 255, 255)


def test_after_a_broken_picture_the_next_one_follows(tmp_path: Path) -> None:
    clock = Clock()
    for name, colour in (("a.png", "red"), ("c.png", "blue")):
        Image.new("RGB", (4, 4), colour).save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    folder = PictureFiles(tmp_path, clock)
    folder.open()
    clock.now += 1
    with pytest.raises(DeviceError, match=r"b\.png is no picture"):
        folder.newest()
    folder.close()
    folder.open()
    assert nearest(folder.newest()) == 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.png", b"", "is empty"),
        ("text.jpg", b"hello", "is no picture that can be read"),
        ("empty.mp4", b"", "is no video that can be played"),
        ("text.mp4", b"hello" * 100, "is no video that can be played"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "is no video that can be played"),
        ("list.ffconcat", b"ffconcat version 1.0\nfile clip.mp4\n", "is no video"),
    ],
)
def test_a_file_that_is_none_is_an_input_file_to_people_and_a_device_to_the_capture(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    make_video(tmp_path / "clip.mp4", seconds=1)
    path = tmp_path / name
    path.write_bytes(content)
    is_picture = path.suffix in (".png", ".jpg")
    source = PictureFiles(path) if is_picture else VideoFile(path)
    with pytest.raises(DeviceError) as caught:
        source.open()
    source.close()
    assert isinstance(caught.value, InputFileError)
    assert caught.value.exit_code == 7
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sound_file_has_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    with av.open(str(path), "w") as sound:
        stream = sound.add_stream("pcm_s16le", rate=16_000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), layout="mono")
        silence.sample_rate = 16_000
        sound.mux(stream.encode(silence))
    with pytest.raises(DeviceError, match="it has no pictures"):
        VideoFile(path).open()


def test_an_empty_folder_and_one_that_is_gone_are_said(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="has no pictures: put some there"):
        PictureFiles(tmp_path).open()
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(30 << 20)
    with pytest.raises(DeviceError, match=r"huge\.png is larger than 20 MB"):
        PictureFiles(tmp_path).open()
    with pytest.raises(DeviceError, match=r"gone\.png cannot be read: No such file"):
        PictureFiles(tmp_path / "gone.png").open()
    with pytest.raises(DeviceError, match=r"gone\.mp4 cannot be read: No such file"):
        VideoFile(tmp_path / "gone.mp4").open()


def test_colours_are_told_apart() -> None:
    assert [nearest(Image.new("RGB", (8, 8), colour)) for colour in COLOURS] == [0, 1, 2]
