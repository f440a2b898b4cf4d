"""Camera images: checked, priced, thinned to one a second, handed over by turn coverage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.conversation.stored_image import stored_image_of
from live_cli.engine.conversation.video_images import VideoImages
from live_cli.engine.setup.media import (
    ALL_INPUT,
    ALL_VIDEO,
    ONLY_ACTIVITY,
    Resolution,
    resolution_of,
)
from live_cli.errors import UnsupportedError
from tests.harness.images import JPEG, PNG, WEBP, jpeg


def shown(video, arrivals, first=0):
    """Show one image at each time of arrival; the numbers of those kept."""
    numbers = []
    for number, now in enumerate(arrivals, first):
        if video.due(now):
            video.keep(stored_image_of(jpeg(number), "image/jpeg", Resolution(), live=True))
            numbers.append(number)
    return numbers


def numbers(images):
    return [int.from_bytes(image.image.data[3:7], "big") for image in images]


@pytest.mark.parametrize(
    ("data", "mime_type", "kept_as"),
    [
        (JPEG, "image/jpeg", "image/jpeg"),
        (JPEG, "image/jpg", "image/jpeg"),
        (PNG, "IMAGE/PNG", "image/png"),
        (WEBP, "image/webp; q=1", "image/webp"),
    ],
)
def test_the_three_types_are_read(data, mime_type, kept_as):
    image = stored_image_of(data, mime_type, Resolution(64, "low"))
    assert (image.image.data, image.image.mime_type) == (data, kept_as)
    assert (image.image.detail, image.tokens) == ("low", 64)


@pytest.mark.parametrize(
    ("data", "mime_type", "words"),
    [
        (PNG, "image/jpeg", "is image/png, not image/jpeg"),
        (b"GIF89a", "image/gif", "'image/gif' are not read: send JPEG, PNG or WebP"),
        (b"hello", "image/png", "not an image: it does not begin as image/png"),
        (b"RIFF\0\0\0\0WAVEfmt ", "image/webp", "not an image"),
        (b"", "image/png", "empty"),
        (JPEG + bytes(8 * 2**20), "image/jpeg", "8.0 MiB; at most 7"),
        (b"%PDF-1.7", "application/pdf", "'application/pdf' are not read"),
    ],
)
def test_what_is_no_image_is_refused_by_what_is_wrong_with_it(data, mime_type, words):
    with pytest.raises(UnsupportedError) as refused:
        stored_image_of(data, mime_type, Resolution())
    assert words in refused.value.reason
    assert refused.value.close_code == 1007
    assert len(refused.value.reason.encode()) <= 123


@pytest.mark.parametrize(
    ("setting", "tokens", "detail"),
    [
        ("MEDIA_RESOLUTION_LOW", 64, "low"),
        ("MEDIA_RESOLUTION_MEDIUM", 256, "auto"),
        ("MEDIA_RESOLUTION_HIGH", 256, "high"),
        ("MEDIA_RESOLUTION_UNSPECIFIED", 258, "auto"),
        (None, 258, "auto"),
    ],
)
def test_an_image_costs_what_its_resolution_says(setting, tokens, detail):
    assert resolution_of(setting) == Resolution(tokens, detail)


def test_an_unknown_resolution_is_refused():
    with pytest.raises(UnsupportedError, match="'ULTRA' is not known"):
        resolution_of("MEDIA_RESOLUTION_ULTRA")


def test_ten_images_a_second_are_thinned_to_one():
    kept = shown(VideoImages(ALL_VIDEO), [i / 10 for i in range(300)])
    assert 30 <= len(kept) <= 31


@given(st.lists(st.floats(-0.25, 0.25), min_size=2, max_size=40))
def test_one_image_a_second_passes_however_it_jitters(jitters):
    arrivals = [second + jitter for second, jitter in enumerate(jitters)]
    assert len(shown(VideoImages(ALL_VIDEO), arrivals)) == len(arrivals)


@given(st.lists(st.floats(0, 3), max_size=60))
def test_never_more_than_one_a_second_in_the_long_run(gaps):
    now, arrivals = 0.0, []
    for gap in gaps:
        now += gap
        arrivals.append(now)
    assert len(shown(VideoImages(ALL_VIDEO), arrivals)) <= now + 1.5


@pytest.mark.parametrize(
    ("coverage", "taken"),
    [
        (ONLY_ACTIVITY, [2, 3, 4, 5]),
        (ALL_VIDEO, [0, 1, 2, 3, 4, 5]),
        (ALL_INPUT, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_the_turn_takes_what_its_coverage_says(coverage, taken):
    video = VideoImages(coverage)
    shown(video, [0, 1, 2])
    video.begin_activity()
    shown(video, [3, 4, 5], first=3)
    assert numbers(video.take()) == taken
    assert video.take() == ()


@pytest.mark.parametrize("coverage", [ONLY_ACTIVITY, ALL_VIDEO])
def test_a_typed_turn_has_the_latest_image(coverage):
    video = VideoImages(coverage)
    shown(video, [0, 1, 2])
    assert numbers(video.take())[-1] == 2


def test_after_its_turn_an_activity_is_over():
    video = VideoImages(ONLY_ACTIVITY)
    video.begin_activity()
    shown(video, [0, 1])
    video.take()
    shown(video, [2, 3, 4], first=2)
    assert numbers(video.take()) == [4]


def test_of_too_many_images_the_oldest_go():
    video = VideoImages(ALL_VIDEO)
    shown(video, range(100))
    assert numbers(video.take()) == list(range(40, 100))


def test_of_too_many_bytes_the_oldest_go():
    video = VideoImages(ALL_VIDEO)
    for number in range(10):
        data = jpeg(number) + bytes(6 * 2**20)
        video.keep(stored_image_of(data, "image/jpeg", Resolution()))
    assert numbers(video.take()) == [7, 8, 9]  # 24 MiB hold three of them
