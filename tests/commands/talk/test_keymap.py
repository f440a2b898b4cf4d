"""The keys of a talk and the calls they make."""

import pytest

from live_cli.commands.talk.keymap import Keymap
from live_cli.tools.consent import ConsentAnswer


class Talking:
    """A conversation that records the calls made to it, its microphone and its images."""

    def __init__(self, *, push_to_talk: bool) -> None:
        self.microphone = self
        self.push_to_talk = push_to_talk
        self.held = False
        self.asks = False
        self.done: list[str] = []

    def stop(self) -> None:
        self.done.append("stop")

    def toggle_mute(self) -> None:
        self.done.append("mute")

    def toggle(self) -> None:
        self.done.append("images")

    def start_activity(self) -> None:
        self.held = True
        self.done.append("start")

    def end_activity(self) -> None:
        self.held = False
        self.done.append("end")

    def interrupt_model(self) -> None:
        self.done.append("interrupt")

    def answer(self, answer: ConsentAnswer) -> None:
        self.done.append(answer.name)

    def send_line(self, text: str) -> None:
        self.done.append(f"line {text}")


class FakeView:
    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []

    def status(self, **changes: object) -> None:
        self.told.append(changes)


def done(*keys: str, push_to_talk: bool = False) -> list[str]:
    talking = Talking(push_to_talk=push_to_talk)
    talk_keys = Keymap(talking, talking, FakeView())  # type: ignore[arg-type]
    for key in keys:
        talk_keys.press(key)
    return talking.done


@pytest.mark.parametrize(
    ("keys", "acts"),
    [
        (["m", "v", "q"], ["mute", "images", "stop"]),
        (["eof"], ["stop"]),
        (["enter"], ["interrupt"]),
        ([" "], []),
        (["t", "h", "i", "enter", "enter"], ["line hi", "interrupt"]),
        (["t", "q", "m", "v", "escape", "q"], ["stop"]),
        (["release:q", "repeat:q", "unknown"], []),
        (["t", "release:t", "a", "repeat:a", "release:a", "enter", "release:enter"], ["line aa"]),
    ],
)
def test_keys_with_the_server_s_own_detection(keys: list[str], acts: list[str]) -> None:
    assert done(*keys) == acts


@pytest.mark.parametrize(
    ("keys", "acts"),
    [
        ([" ", " ", " "], ["start", "end", "start"]),
        (["enter"], []),
        ([" ", "release: ", "focus-out"], ["start"]),  # nobody told that releases come
        (["releases-told", " ", "repeat: ", "repeat: ", "release: "], ["start", "end"]),
        (["releases-told", "release: "], []),
        (["releases-told", " ", "focus-out", "release: "], ["start", "end"]),
        (["releases-told", " ", "t", "release: ", "x", "enter"], ["start", "end", "line x"]),
    ],
)
def test_keys_with_push_to_talk(keys: list[str], acts: list[str]) -> None:
    assert done(*keys, push_to_talk=True) == acts


def test_the_view_learns_that_the_key_is_held() -> None:
    view = FakeView()
    talking = Talking(push_to_talk=True)
    Keymap(talking, talking, view).press("releases-told")  # type: ignore[arg-type]
    assert view.told == [{"hold_to_talk": True}]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["none"], []),
        (["kitty", "none"], ["kitty"]),
        (["kitty", "sixel"], ["kitty", "sixel"]),  # sixels go before
        (["sixel"], ["sixel"]),
    ],
)
def test_the_view_learns_what_the_terminal_draws(answers: list[str], told: list[str]) -> None:
    view, talking = FakeView(), Talking(push_to_talk=False)
    keymap = Keymap(talking, talking, view)  # type: ignore[arg-type]
    for answer in answers:
        keymap.press(f"graphics:{answer}")
    assert view.told == [{"graphics": kind} for kind in told]
    assert talking.done == []


@pytest.mark.parametrize("asks", [True, False])
def test_keys_answer_a_question_and_keep_their_meaning(asks: bool) -> None:
    talking = Talking(push_to_talk=False)
    talking.asks = asks
    keys = Keymap(talking, talking, FakeView())  # type: ignore[arg-type]
    for key in ("y", "a", "n", "N", "m", "enter", "q"):
        keys.press(key)
    answers = [answer.name for answer in ConsentAnswer] if asks else []
    assert talking.done == [*answers, "mute", "interrupt", "stop"]
