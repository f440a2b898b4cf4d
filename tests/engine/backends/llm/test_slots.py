"""Which slot reads a chat: tables, and that no chat is lost while there is room for it."""

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.backends.llm.slots import Slots
from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling, ToolDeclaration

SYSTEM = ChatMessage("system", "Be kind.")
AHEAD = Sampling(max_tokens=1)
WEATHER = ToolDeclaration("weather", "", {})


def said(*texts):
    """The instruction, then user and assistant in turns."""
    roles = ("user", "assistant") * len(texts)
    return (SYSTEM, *(ChatMessage(role, text) for role, text in zip(roles, texts, strict=False)))


def request(*texts, ahead=False, salt="", tools=()):
    return ChatRequest(said(*texts), AHEAD if ahead else Sampling(), tools, salt)


def taken(slots, *requests):
    """The numbers of the slots that these take one after the other."""
    numbers = []
    for each in requests:
        with slots.taken(each) as number:
            numbers.append(number)
    return numbers


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        # a chat goes on where it was, whatever the others do that begin alike
        ([request("A"), request("B"), request("A", "a", "C")], [0, 1, 0]),
        ([request("A"), request("A"), request("A", "a", "C"), request("A", "b", "D")], [0, 1] * 2),
        # what was only read ahead loses nothing: its last message was half a question
        ([request(".", ahead=True), request("A"), request("B")], [0, 0, 1]),
        ([request("A"), request("A", "a", ".", ahead=True), request("A", "a", "B")], [0, 0, 0]),
        # neither salt nor tools are shared
        ([request("A"), request("A", "a", "B", salt="x")], [0, 1]),
        ([request("A"), request("A", "a", "B", tools=(WEATHER,))], [0, 1]),
        # where all are in use for chats, the oldest gives way
        ([request("A"), request("B"), request("C"), request("A", "a", "D")], [0, 1, 2, 0]),
        ([*(request(text) for text in "ABCD"), request("B", "b", "E")], [0, 1, 2, 0, 1]),
    ],
)  # fmt: skip
def test_slots_of_requests(requests, expected):
    assert taken(Slots(3), *requests) == expected


def test_a_request_beyond_the_slots_is_left_to_wait():
    slots = Slots(2)
    with ExitStack() as stack:
        numbers = [stack.enter_context(slots.taken(request(text))) for text in "ABC"]
        assert numbers == [0, 1, None]
    assert taken(slots, request("A", "a", "D")) == [0]


@given(st.integers(1, 5), st.lists(st.integers(0, 4), max_size=40))
def test_chats_that_fit_keep_their_slots(chats, order):
    slots, texts, homes = Slots(chats), {}, {}
    for chat in (each % chats for each in order):
        texts.setdefault(chat, []).append(f"question {len(texts.get(chat, []))} of {chat}")
        [number] = taken(slots, request(*texts[chat]))
        assert homes.setdefault(chat, number) == number
        texts[chat].append("answer")
    assert len(set(homes.values())) == len(homes)
