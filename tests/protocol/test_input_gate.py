"""Mute, push to talk and pre-roll, told in frames."""

from live_cli.protocol.input_gate import PAUSE_MS, PREROLL_MS, InputGate
from live_cli.protocol.messages import ClientMessage
from live_cli.sample_rates import FRAME_MS


def kinds(messages: list[ClientMessage]) -> list[str]:
    names = []
    for message in messages:
        assert message.realtime_input is not None
        given = message.realtime_input
        fields = ("activity_start", "audio", "audio_stream_end", "activity_end")
        names += [name for name in fields if getattr(given, name) is not None]
    return names


def sound(messages: list[ClientMessage]) -> bytes:
    inputs = [message.realtime_input for message in messages]
    return b"".join(given.audio.data for given in inputs if given and given.audio)


def frames(count: int, first: int = 0) -> list[bytes]:
    return [bytes([number % 256]) * 640 for number in range(first, first + count)]


def test_automatic_sends_every_frame_as_it_comes() -> None:
    gate = InputGate(manual=False)
    sent = [gate.frame(frame) for frame in frames(5)]
    assert [sound(messages) for messages in sent] == frames(5)


def test_a_second_of_mute_ends_the_stream_once() -> None:
    gate = InputGate(manual=False)
    gate.frame(b"ab")
    assert gate.set_muted(True) == []
    heard = [kinds(gate.frame(b"cd")) for _ in range(3 * PAUSE_MS // FRAME_MS)]
    assert heard.count(["audio_stream_end"]) == 1
    assert heard[PAUSE_MS // FRAME_MS - 1] == ["audio_stream_end"]
    assert all(kind in ([], ["audio_stream_end"]) for kind in heard)
    gate.set_muted(False)
    assert sound(gate.frame(b"ef")) == b"ef"


def test_a_short_mute_sends_nothing_and_ends_nothing() -> None:
    gate = InputGate(manual=False)
    gate.frame(b"ab")
    gate.set_muted(True)
    assert all(gate.frame(b"cd") == [] for _ in range(PAUSE_MS // FRAME_MS - 1))


def test_manual_sends_only_between_the_keys_and_starts_with_the_preroll() -> None:
    gate = InputGate(manual=True)
    before = frames(40)
    assert all(gate.frame(frame) == [] for frame in before)
    pressed = gate.press()
    assert kinds(pressed) == ["activity_start", "audio"]
    assert sound(pressed) == b"".join(before[-PREROLL_MS // FRAME_MS :])
    assert sound(gate.frame(b"xy")) == b"xy"
    assert kinds(gate.release()) == ["activity_end"]
    assert gate.frame(b"zz") == []


def test_no_frame_is_sent_twice_over_two_presses() -> None:
    gate = InputGate(manual=True)
    sent = b""
    stream = frames(60)
    for number, frame in enumerate(stream):
        if number in (10, 30):
            sent += sound(gate.press())
        if number in (20, 50):
            gate.release()
        sent += sound(gate.frame(frame))
    assert sent == b"".join(stream[0:20] + stream[20:50])


def test_keys_that_change_nothing_send_nothing() -> None:
    gate = InputGate(manual=True)
    assert gate.release() == []
    gate.press()
    assert gate.press() == []
    assert InputGate(manual=False).press() == []


def test_mute_ends_a_held_activity_and_blocks_the_key() -> None:
    gate = InputGate(manual=True)
    gate.press()
    assert kinds(gate.set_muted(True)) == ["activity_end"]
    assert gate.press() == []


def test_the_end_of_the_input_is_said_once_in_the_mode_s_own_way() -> None:
    automatic = InputGate(manual=False)
    assert automatic.end() == []
    automatic.frame(b"ab")
    assert kinds(automatic.end()) == ["audio_stream_end"]
    assert automatic.end() == []
    manual = InputGate(manual=True)
    manual.press()
    assert kinds(manual.end()) == ["activity_end"]
    assert manual.end() == []


def test_a_pause_is_said_once_and_the_next_frame_reopens_the_stream() -> None:
    gate = InputGate(manual=False)
    gate.frame(b"ab")
    assert kinds(gate.pause()) == ["audio_stream_end"]
    assert gate.pause() == []
    gate.frame(b"ab")
    assert kinds(gate.pause()) == ["audio_stream_end"]
    held = InputGate(manual=True)
    held.press()
    assert held.pause() == []  # the key is still down
