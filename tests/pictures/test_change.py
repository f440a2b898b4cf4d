"""What is worth sending: a moving hand, a new slide; not noise, light or a cursor."""

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from live_cli.pictures.change import THUMBNAIL_SIDE, SendOnChange, Thumbnail, differs

SHAPE = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)


def scene(seed: int = 0) -> Thumbnail:
    return default_rng(seed).integers(30, 200, SHAPE).astype(np.uint8)


ALL = slice(None)
NOISE = default_rng(3).normal(0, 4, SHAPE).astype(int)


def changed(by: NDArray[np.int_] | int, rows: slice = ALL, columns: slice = ALL) -> Thumbnail:
    image = scene().astype(int)
    image[rows, columns] += by
    lit: Thumbnail = image.clip(0, 255).astype(np.uint8)
    return lit


@pytest.mark.parametrize(
    ("image", "is_news"),
    [
        (scene(), False),
        (scene(1), True),
        (changed(20), False),
        (changed(-60), True),
        (changed(50, slice(4, 7), slice(4, 8)), True),
        (changed(90, slice(0, 1), slice(28, 32)), False),
        (changed(NOISE), False),
    ],
    ids=["same", "another", "exposure", "lamp", "hand", "clock", "noise"],
)
def test_what_differs(image: Thumbnail, is_news: bool) -> None:
    assert differs(scene(), image) is is_news


def test_a_still_picture_is_sent_every_ten_seconds_and_the_rest_is_saved() -> None:
    camera = SendOnChange()
    sent = [second for second in range(60) if camera.wants(scene(), float(second))]
    assert sent == [0, 10, 20, 30, 40, 50]
    assert (camera.sent, camera.saved) == (6, 54)


def test_a_moving_picture_is_sent_every_time() -> None:
    camera = SendOnChange()
    assert all(camera.wants(scene(second), float(second)) for second in range(20))


def test_slow_change_adds_up_against_what_was_sent() -> None:
    camera = SendOnChange(longest_pause_s=1e9)
    steps = [changed(2 * step, slice(0, 8), slice(0, 8)) for step in range(30)]
    sent = [step for step, image in enumerate(steps) if camera.wants(image, float(step))]
    assert 2 < len(sent) < 8


def test_who_has_lost_what_it_saw_sees_it_again() -> None:
    camera = SendOnChange()
    camera.wants(scene(), 0.0)
    camera.forget()
    assert camera.wants(scene(), 1.0)
