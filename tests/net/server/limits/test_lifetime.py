"""How long connections and sessions last, by a clock that the test sets."""

import pytest

from live_cli.fair_share import OWNER
from live_cli.net.server.access.tokens import EXPIRED
from live_cli.net.server.close_reason import CloseReason, closing_reason
from live_cli.net.server.limits.lifetime import (
    CONNECTION_OVER,
    GoAwayDue,
    Lifetime,
    LifetimeLimits,
    ResumableSession,
    ResumableSessions,
    session_over,
    time_left,
)

GUIDE = LifetimeLimits()
AUDIO_OVER = session_over(900.0, "audio")
VIDEO_OVER = session_over(120.0, "video")
FOR_EVER = LifetimeLimits(connection_s=0.0)
Said = tuple[float, GoAwayDue | CloseReason]


def lived(lifetime: Lifetime) -> list[Said]:
    """All that `tick` returns, each at the time that `timer` named."""
    said: list[Said] = []
    while (due := lifetime.timer()) is not None:
        what = lifetime.tick(due)
        assert what is not None
        assert lifetime.tick(due - 0.001) is None or said
        said.append((due, what))
        if isinstance(what, CloseReason):
            break
    return said


def test_a_connection_lasts_ten_minutes_and_is_warned_a_minute_before() -> None:
    lifetime = Lifetime(GUIDE, ResumableSession(), 1000.0, compresses=True)
    assert lived(lifetime) == [(1540.0, GoAwayDue(60.0)), (1600.0, CONNECTION_OVER)]


@pytest.mark.parametrize(("limit_s", "left_s"), [(5.0, 2.5), (60.0, 30.0), (120.0, 60.0)])
def test_a_short_limit_warns_at_its_half(limit_s: float, left_s: float) -> None:
    lifetime = Lifetime(
        LifetimeLimits(connection_s=limit_s), ResumableSession(), 0.0, compresses=True
    )
    assert lived(lifetime) == [(limit_s - left_s, GoAwayDue(left_s)), (limit_s, CONNECTION_OVER)]


def test_audio_alone_lasts_a_quarter_of_an_hour() -> None:
    assert lived(Lifetime(FOR_EVER, ResumableSession(), 0.0)) == [
        (840.0, GoAwayDue(60.0)),
        (900.0, AUDIO_OVER),
    ]


def test_pictures_shorten_it_to_two_minutes_from_the_first() -> None:
    lifetime = Lifetime(FOR_EVER, ResumableSession(), 0.0)
    assert [lifetime.note_video(at) for at in (300.0, 301.0)] == [True, False]
    assert lived(lifetime) == [(360.0, GoAwayDue(60.0)), (420.0, VIDEO_OVER)]


def test_late_pictures_do_not_lengthen_it() -> None:
    lifetime = Lifetime(FOR_EVER, ResumableSession(), 0.0)
    lifetime.note_video(839.0)
    assert lived(lifetime)[-1] == (900.0, AUDIO_OVER)


def test_compression_and_zeros_set_no_limit() -> None:
    compressed = Lifetime(FOR_EVER, ResumableSession(), 0.0, compresses=True)
    compressed.note_video(1.0)
    none = Lifetime(LifetimeLimits(0.0, 0.0, 0.0), ResumableSession(), 0.0)
    none.note_video(1.0)
    assert (compressed.timer(), none.timer()) == (None, None)


def test_a_session_is_measured_over_its_connections_and_warned_once() -> None:
    session = ResumableSession()
    first = Lifetime(GUIDE, session, 0.0)
    assert lived(first)[-1] == (600.0, CONNECTION_OVER)
    first.close(600.0)
    second = Lifetime(GUIDE, session, 5000.0)  # the time between counts for nothing
    assert second.timer() == 5240.0
    assert second.tick(5240.0) == GoAwayDue(60.0)
    second.close(5250.0)
    third = Lifetime(GUIDE, session, 5251.0)
    assert lived(third) == [(5301.0, AUDIO_OVER)]
    third.close(5301.0)
    assert Lifetime(GUIDE, session, 6000.0).tick(6000.0) == AUDIO_OVER


def test_pictures_are_remembered_over_connections() -> None:
    session = ResumableSession()
    first = Lifetime(FOR_EVER, session, 0.0)
    first.note_video(10.0)
    first.close(50.0)
    second = Lifetime(FOR_EVER, session, 100.0)
    assert not second.note_video(110.0)
    assert lived(second)[-1] == (180.0, VIDEO_OVER)


def test_the_end_of_a_token_is_the_end() -> None:
    lifetime = Lifetime(GUIDE, ResumableSession(), 100.0, token_end=(300.0, EXPIRED))
    assert lived(lifetime) == [(240.0, GoAwayDue(60.0)), (300.0, EXPIRED)]


def test_a_warning_is_said_once_a_connection() -> None:
    lifetime = Lifetime(GUIDE, ResumableSession(), 0.0, token_end=(599.0, EXPIRED))
    assert [lifetime.tick(at) for at in (539.0, 540.0, 598.0)] == [GoAwayDue(60.0), None, None]


def test_the_oldest_handles_are_forgotten() -> None:
    sessions, one, other = ResumableSessions(most=2), ResumableSession(), ResumableSession()
    for handle, session in (("a", one), ("b", one), ("c", other)):
        sessions.note(handle, session)
    found = [sessions.find(OWNER, handle) for handle in ("a", "b", "c", None)]
    assert found == [None, one, other, None]


@pytest.mark.parametrize(
    ("left_s", "told"),
    [(60.0, "60s"), (59.998, "60s"), (4.4989, "4s"), (1.0, "1s"), (0.29987, "0.3s"), (0.0, "0s")],
)
def test_the_time_left_is_told_in_whole_seconds(left_s: float, told: str) -> None:
    assert time_left(left_s) == told


def test_reasons_are_not_cut() -> None:
    for refusal in (AUDIO_OVER, VIDEO_OVER, CONNECTION_OVER):
        assert closing_reason(refusal.reason) == refusal.reason
