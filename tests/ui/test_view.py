import pytest

from live_cli.ui.view import Summary, duration, summary_lines


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0.0 s"),
        (4.24, "4.2 s"),
        (9.96, "10 s"),
        (59.6, "1 min 0 s"),
        (72, "1 min 12 s"),
        (7_500, "2 h 5 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("summary", "lines"),
    [
        (Summary(3.0), ["0 turns in 3.0 s"]),
        (
            Summary(72.0, 3, 0, 820.4, 1204),
            ["3 turns in 1 min 12 s · median latency 820 ms · 1,204 tokens"],
        ),
        (
            Summary(60, 1, 1, 1_820, 10, {"AUDIO": 6, "TEXT": 4}, dropped_frames=1, underruns=2),
            [
                "1 turn in 1 min 0 s · 1 interruption · median latency 1,820 ms"
                " · 10 tokens (audio 6, text 4)",
                "1 microphone frame dropped · 2 gaps in playback",
            ],
        ),
        (
            Summary(1.0, missed_frames=150, underruns=1, dry_ms=1234.5, start_delay_ms=88.4),
            [
                "0 turns in 1.0 s",
                "3.0 s without a microphone · 1 gap in playback (1,234 ms)"
                " · playback began after 88 ms",
            ],
        ),
    ],
)
def test_a_summary_is_a_line_and_a_second_one_only_for_losses(
    summary: Summary, lines: list[str]
) -> None:
    assert summary_lines(summary) == lines
