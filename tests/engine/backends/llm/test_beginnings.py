"""The order in which replies begin."""

import threading

import pytest

from live_cli.engine.backends.llm.beginnings import FIRST_TOKENS, LONGEST_S, Beginnings

TOKEN = {"choices": [{"delta": {"content": "a"}}]}


class Replies:
    """Replies that wait for their turn in threads of their own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.beginnings = Beginnings(lambda: self.now)
        self.begun: list[str] = []
        self.leaves = threading.Event()
        self._threads: list[threading.Thread] = []

    def ask(self, name: str, *, reads_ahead: bool = False) -> None:
        """Begin ``name`` as soon as it may, in a thread; return when it waits."""
        looked = threading.Event()

        def is_stopped() -> bool:
            looked.set()
            return self.leaves.is_set()

        def wait() -> None:
            if self.beginnings.wait(is_stopped, reads_ahead=reads_ahead) is not None:
                self.begun.append(name)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        self._threads.append(thread)
        assert looked.wait(10)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def replies():
    return Replies()


def test_a_reply_begins_when_the_one_before_has_its_first_words(replies):
    first = replies.beginnings.wait(lambda: False, reads_ahead=False)
    replies.ask("second")
    seen = []
    on_chunk = first.watched(lambda chunk: seen.append(chunk) or False)
    on_chunk({"prompt_progress": {"total": 9}})  # is no token
    for _ in range(FIRST_TOKENS - 1):
        on_chunk(TOKEN)
    assert replies.begun == []
    on_chunk(TOKEN)
    replies.join()
    assert replies.begun == ["second"]
    assert len(seen) == FIRST_TOKENS + 1


def test_a_reply_that_ends_sooner_makes_room_too_and_once(replies):
    with replies.beginnings.wait(lambda: False, reads_ahead=False) as first:
        replies.ask("second")
        assert replies.begun == []
    replies.join()
    replies.ask("third")
    first.__exit__(None, None, None)  # the second is under way, and not to be ended by the first
    assert replies.begun == ["second"]
    replies.now = LONGEST_S
    replies.join()


def test_who_reads_ahead_comes_after_all_who_answer(replies):
    with replies.beginnings.wait(lambda: False, reads_ahead=False):
        replies.ask("ahead", reads_ahead=True)
        replies.ask("answer")
    replies._threads[1].join(10)
    assert replies.begun == ["answer"]
    replies.now = LONGEST_S
    replies.join()
    assert replies.begun == ["answer", "ahead"]


def test_a_long_prompt_holds_up_nobody(replies):
    replies.beginnings.wait(lambda: False, reads_ahead=False)
    replies.ask("second")
    replies.now = LONGEST_S / 2
    assert replies.begun == []
    replies.now = LONGEST_S
    replies.join()
    assert replies.begun == ["second"]


def test_who_leaves_while_it_waits_is_not_waited_for(replies):
    with replies.beginnings.wait(lambda: False, reads_ahead=False):
        replies.ask("gone")
        replies.leaves.set()
        replies.join()
        replies.leaves.clear()
        replies.ask("there")
    replies.join()
    assert replies.begun == ["there"]
