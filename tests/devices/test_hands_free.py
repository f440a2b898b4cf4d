import pytest

from live_cli.devices.hands_free import hands_free_warning


@pytest.mark.parametrize(
    ("name", "rate", "best", "says"),
    [
        ("AirPods", 16_000, 48_000, "at 16 kHz"),
        ("AirPods", 8_000, 44_100, "at 8 kHz"),
        ("Headset (WH-1000 Hands-Free AG Audio)", 44_100, 44_100, "in hands-free mode"),
        ("bluez_card, HFP", 48_000, 48_000, "in hands-free mode"),
        ("JBL Headset Head Unit (HSP/HFP)", 16_000, 16_000, "at 16 kHz"),
        ("AirPods", 48_000, 48_000, None),
        ("Conference mic", 16_000, 16_000, None),  # that is all it ever had
        ("AirPods", 44_100, 48_000, None),
        ("Whsparagus", 48_000, 48_000, None),
    ],
)
def test_a_headset_that_fell_to_hands_free_is_warned_of(
    name: str, rate: int, best: int, says: str | None
) -> None:
    warning = hands_free_warning("speaker", name, rate, best)
    if says is None:
        assert warning is None
        return
    assert warning is not None
    assert says in warning
    assert name in warning
    assert "--input-device" in warning
    assert "\n" not in warning
