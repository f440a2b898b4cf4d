"""When a lost device is tried again."""

import pytest

from live_cli.devices.reopening import Phase, Reopening


def lost(at: float = 100.0) -> Reopening:
    policy = Reopening()
    policy.lose(at)
    return policy


def test_a_device_that_runs_is_not_tried() -> None:
    policy = Reopening()
    assert not policy.is_due(1e9)
    assert policy.away_s(1e9) == 0.0


def test_a_lost_one_is_tried_at_once_and_then_ever_less_often_up_to_each_second() -> None:
    policy, now, tries = lost(), 100.0, []
    while now < 108.0:
        if policy.is_due(now):
            tries.append(round(now - 100.0, 2))
            policy.refused(now)
        now = round(now + 0.05, 2)
    assert tries == [0.0, 0.25, 0.75, 1.75, 2.75, 3.75, 4.75, 5.75, 6.75, 7.75]


def test_one_that_opens_is_back_only_when_it_calls_back() -> None:
    policy = lost()
    policy.opened(102.0)
    assert policy.phase is Phase.OPENED
    assert not policy.is_due(102.5)
    policy.called_back()
    assert policy.phase is Phase.RUNNING
    assert not policy.is_due(200.0)


@pytest.mark.parametrize(("after_s", "overdue"), [(0.9, False), (1.0, True)])
def test_one_that_opens_and_stays_silent_is_overdue(after_s: float, overdue: bool) -> None:
    policy = lost()
    policy.opened(102.0)
    assert policy.is_overdue(102.0 + after_s) is overdue


def test_one_that_is_lost_again_waits_and_was_away_all_the_time() -> None:
    policy = lost()
    policy.opened(100.1)
    policy.lose(101.1)
    assert not policy.is_due(101.1)
    assert policy.is_due(101.4)
    assert policy.away_s(101.4) == pytest.approx(1.4)


def test_the_default_will_do_after_a_second() -> None:
    policy = lost()
    assert not policy.takes_default(100.9)
    assert policy.takes_default(101.0)


def test_the_next_loss_begins_anew() -> None:
    policy = lost()
    for at in (100.0, 100.25, 100.75):
        policy.refused(at)
    policy.opened(101.75)
    policy.called_back()
    policy.lose(500.0)
    assert policy.is_due(500.0)
    assert policy.away_s(500.2) == pytest.approx(0.2)
    policy.refused(500.0)
    assert policy.is_due(500.25)
