"""Paths of pictures in a typed line: what is taken for one, and what stays text."""

import os
from pathlib import Path

import pytest

from live_cli.commands.text.pasted import is_picture_file, split_line
from tests.harness.images import PNG

THERE = {
    "/a.png", "/b.JPG", "./c.png", "../e e.gif", "cat.png", "~/d.webp", "/it's.png", "/photo",
    "/home/ada/my cat.png", "/räd.png", "/odd\\name.png", r"C:\Users\ada\my cat.png",
}  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "/home/ada/my cat.png",
        "'/home/ada/my cat.png' ",
        '"/home/ada/my cat.png"',
        r"/home/ada/my\ cat.png ",
        "file:///home/ada/my%20cat.png",
        "file://localhost/home/ada/my%20cat.png",
        "file:/home/ada/my%20cat.png",
        "\t/home/ada/my cat.png\r",
    ],
)
def test_every_way_in_which_terminals_write_a_path(line: str) -> None:
    words, paths, _ = split_line(line, THERE.__contains__, windows=False)
    assert (words, paths) == ("", ("/home/ada/my cat.png",))
    asked = f"What is this? {line}"
    assert split_line(asked, THERE.__contains__, windows=False)[:2] == (
        "What is this?",
        ("/home/ada/my cat.png",),
    )


@pytest.mark.parametrize(
    ("line", "words", "paths"),
    [
        ("what's in /a.png? it's", "what's in ? it's", ["/a.png"]),
        ("/a.png", "", ["/a.png"]),
        ("/a.png /b.JPG", "", ["/a.png", "/b.JPG"]),
        ("compare /a.png with /b.JPG", "compare picture 1 with picture 2", ["/a.png", "/b.JPG"]),
        (r"'/it'\''s.png' who", "who", ["/it's.png"]),
        (r"/it\'s.png who", "who", ["/it's.png"]),
        ("../e e.gif or ~/d.webp", "picture 1 or picture 2", ["../e e.gif", "~/d.webp"]),
        ("file:///r%C3%A4d.png", "", ["/räd.png"]),
        (r"/odd\name.png", "", ["/odd\\name.png"]),
        ("/photo says?", "says?", ["/photo"]),
        ("cat.png", "", ["cat.png"]),
        # talk about files, and what is none
        ("what is in cat.png?", "what is in cat.png?", []),
        ("what is in 'cat.png'?", "what is in 'cat.png'?", []),
        ("see /gone.png for more", "see /gone.png for more", []),
        ("gone.png", "gone.png", []),
        ("file://elsewhere/a.png", "file://elsewhere/a.png", []),
        ("yes and/or no, 'quoted' \"too\"", "yes and/or no, 'quoted' \"too\"", []),
        ("/quit", "/quit", []),
        ("", "", []),
    ],
)
def test_what_of_a_line_is_sent_as_a_picture(line: str, words: str, paths: list[str]) -> None:
    found = split_line(line, THERE.__contains__, windows=False)
    assert (found.words, found.paths) == (words, tuple(paths))


@pytest.mark.parametrize("line", ["/gone.png", "'/my gone.JPEG' ", "/my gone.png", "~/gone.heic"])
def test_a_path_alone_that_leads_nowhere_is_told(line: str) -> None:
    missing = split_line(line, THERE.__contains__, windows=False).missing
    assert missing == line.strip(" '")


@pytest.mark.parametrize("line", [r'"C:\Users\ada\my cat.png" ', r"C:\Users\ada\my cat.png"])
def test_paths_of_windows_keep_their_backslashes(line: str) -> None:
    found = split_line(line, THERE.__contains__, windows=True)
    assert found[:2] == ("", (r"C:\Users\ada\my cat.png",))


def test_a_picture_is_known_by_its_name_or_by_its_beginning(tmp_path: Path) -> None:
    contents = {"named.JPG": b"", "photo": PNG, "notes": b"Buy milk.", "empty": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    found = [name for name in os.listdir(tmp_path) if is_picture_file(str(tmp_path / name))]
    assert sorted(found) == ["named.JPG", "photo"]
    assert not is_picture_file("/" + "x" * 5000 + ".png")
    assert not is_picture_file("~nobody-of-that-name/x.png")
