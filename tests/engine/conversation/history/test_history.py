"""The history: messages, tokens, trimming."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.conversation.handles import Handles
from live_cli.engine.conversation.history.entries import MODEL, USER
from live_cli.engine.conversation.history.history import ContextWindow, History
from live_cli.engine.conversation.history.tokens import TokenCount
from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.stages import Image
from live_cli.fair_share import OWNER
from tests.harness.images import jpeg

WIDE = ContextWindow(context_tokens=100_000)


def filled(window=WIDE, turns=10, text="x" * 40):
    history = History("Be kind.", window)
    for _ in range(turns):
        history.add(USER, text)
        history.add(MODEL, text)
    history.add(USER, "last")
    return history


def test_consecutive_entries_of_a_role_are_one_message():
    history = History("Be kind.", WIDE)
    for role, text in [(USER, "a"), (USER, "b"), (MODEL, "c"), (MODEL, "d")]:
        history.add(role, text)
    messages = history.messages(heard="e")
    assert [(m.role, m.text) for m in messages] == [
        ("system", "Be kind."),
        ("user", "a\nb"),
        ("assistant", "c\nd"),
        ("user", "e"),
    ]


def test_what_was_only_heard_is_not_kept():
    history = History("", WIDE)
    assert len(history.messages(heard="e")) == 1
    assert history.messages() == ()


def test_billed_tokens_by_modality():
    history = History("12345678", WIDE)
    history.add(USER, "said", audio_s=2.0)
    history.add(MODEL, "spoken", audio_s=3.02)
    history.add(USER, "typed!")
    assert history.billed() == TokenCount(text=2 + 2, audio=50 + 76)


def stored_image(number=0, size=7, tokens=258, live=True):
    data = jpeg(number) + bytes(size - 7)
    return StoredImage(Image(data, "image/jpeg"), tokens, live)


def shown(history):
    return [
        int.from_bytes(image.data[3:7], "big")
        for message in history.messages()
        for image in message.images
    ]


def test_images_are_billed_by_modality_and_resolution():
    history = History("", WIDE)
    history.add(USER, "", images=(stored_image(tokens=64), stored_image(tokens=64)))
    history.add(USER, "what?", images=(stored_image(tokens=256, live=False),))
    assert history.billed() == TokenCount(text=2, audio=0, image=256, video=128)
    assert history.billed().total == 386


def test_images_go_with_the_words_they_came_with():
    history = History("", WIDE)
    history.add(USER, "first", images=(stored_image(1),))
    history.add(USER, "", images=(stored_image(2),))
    history.add(MODEL, "seen")
    history.add(USER, "third", images=(stored_image(3),))
    first, _, third = history.messages()
    assert (first.text, len(first.images)) == ("first", 2)
    assert (third.text, len(third.images)) == ("third", 1)
    assert shown(history) == [1, 2, 3]


def test_an_aside_is_read_by_the_model_and_not_billed():
    plain, told = History("", WIDE), History("", WIDE)
    plain.add(USER, "hello", 1.0)
    told.add(USER, "hello", 1.0, aside="(softly)")
    assert told.messages()[0].text == "hello\n(softly)"
    assert told.billed() == plain.billed()


def test_old_images_go_before_any_text_rarely_and_in_large_steps():
    history = History("Be kind.", ContextWindow(context_tokens=8192))
    counts = []
    for turn in range(100):
        history.add(USER, "What is this?", images=(stored_image(turn),))
        assert history.trim() == 0
        assert history.model_tokens() <= 8192
        counts.append(len(shown(history)))
        assert shown(history)[-1] == turn
        history.add(MODEL, "A cup.")
    drops = [before - after for before, after in pairwise(counts) if after < before]
    assert len(history.entries) == 200
    assert len(drops) <= 12
    assert min(drops) >= 8


def test_the_newest_images_stay_when_text_has_to_go():
    history = History("", ContextWindow(context_tokens=2000))
    for turn in range(20):
        history.add(USER, "x" * 400, images=(stored_image(turn),))
        history.add(MODEL, "y" * 40)
    history.add(USER, "last")
    assert history.trim() > 0
    assert shown(history)[-1] == 19
    assert history.model_tokens() <= 1600


def test_images_are_bounded_in_number_and_bytes_whatever_the_window():
    for size in (7, 3 * 2**20):
        history = History("", ContextWindow(context_tokens=10**9))
        for turn in range(60):
            history.add(USER, "look", images=(stored_image(turn, size),))
            history.trim()
            assert len(shown(history)) <= 40
            assert len(shown(history)) * size <= 32 * 2**20
        assert shown(history)[-4:] == [56, 57, 58, 59]
        assert len(history.entries) == 60


def test_a_turn_of_images_alone_leaves_nothing_behind():
    history = History("", ContextWindow(context_tokens=4096))
    history.add(USER, "", images=tuple(map(stored_image, range(30))))
    history.add(USER, "What did I show you?")
    history.trim()
    [message] = history.messages()
    assert message.text == "What did I show you?"
    assert 4 <= len(message.images) <= 6


@pytest.mark.parametrize(("model_tokens", "left"), [(64, 4), (600, 2), (1088, 1), (9000, 1)])
def test_of_images_that_take_much_of_the_window_fewer_stay(model_tokens, left):
    history = History("", ContextWindow(context_tokens=2200))
    shown_last = tuple(
        replace(stored_image(number), model_tokens=model_tokens) for number in range(4)
    )
    history.add(USER, "What do you see?", images=shown_last)
    history.trim()
    assert shown(history) == list(range(4 - left, 4))
    assert history.messages()[-1].text == "What do you see?"


def test_nothing_goes_below_the_limit():
    assert filled().trim() == 0


def test_trimming_is_rare_and_large():
    history = History("Be kind.", ContextWindow(context_tokens=1000))
    drops = []
    for _ in range(100):
        history.add(USER, "x" * 80)
        drops.append(history.trim())
        history.add(MODEL, "y" * 80)
    assert 2 <= sum(drop > 0 for drop in drops) <= 12
    assert history.model_tokens() <= 1000


def test_the_clients_trigger_and_target_are_honoured():
    history = filled(ContextWindow(100_000, trigger_tokens=150, target_tokens=60))
    assert history.billed().total > 150
    history.trim()
    assert history.billed().total <= 60
    assert history.entries[0].role == USER


def test_the_default_target_is_half_of_the_trigger():
    history = filled(ContextWindow(100_000, trigger_tokens=150))
    history.trim()
    assert 55 <= history.billed().total <= 75


def test_the_models_own_count_corrects_the_estimate():
    history = filled(ContextWindow(context_tokens=1000))
    assert history.trim() == 0
    history.calibrate(history.estimated_tokens(), 900)  # denser text than four characters a token
    assert history.trim() > 0


def test_a_snapshot_is_not_changed_by_what_follows():
    history = filled(turns=1)
    snapshot = history.snapshot()
    history.add(MODEL, "more")
    again = History("Be kind.", WIDE)
    again.restore(snapshot)
    assert [entry.text for entry in again.entries][-1] == "last"


@given(
    st.lists(st.tuples(st.sampled_from([USER, MODEL]), st.integers(1, 400)), max_size=60),
    st.integers(0, 300),
)
def test_trimming_keeps_the_last_user_turn_and_starts_with_a_user_turn(turns, trigger):
    history = History("Be kind.", ContextWindow(2000, trigger_tokens=trigger))
    for role, length in turns:
        history.add(role, "x" * length)
    history.add(USER, "the question")
    dropped = history.trim()
    entries = history.entries
    assert entries[-1].text == "the question"
    assert not dropped or entries[0].role == USER
    assert history.messages()[0].role == "system"
    assert history.trim() == 0 or history.billed().total > trigger


def test_images_count_toward_the_clients_trigger():
    history = History("", ContextWindow(10**6, trigger_tokens=2000, target_tokens=600))
    for turn in range(8):
        history.add(USER, "look", images=(stored_image(turn),))
        assert (history.trim() > 0) == (turn == 7)  # 8 x 259 tokens
        history.add(MODEL, "yes")
    assert history.billed().total <= 600
    assert shown(history) == [6, 7]


def test_handles_keep_what_was_said_when_images_are_too_many():
    handles = Handles()
    given = []
    for session in range(10):
        history = History("", WIDE)
        for turn in range(4):
            history.add(USER, f"{session}: look", images=(stored_image(turn, 6 * 2**20),))
            given.append(handles.issue(OWNER, "local", history.snapshot(), now=0.0))
    kept = [handles.snapshot_of(OWNER, handle, "local", now=1.0) for handle in given]
    assert [len(snapshot.entries) for snapshot in kept] == [1, 2, 3, 4] * 10
    unique = {id(seen): seen.bytes for snapshot in kept for seen in snapshot.images}
    assert 96 * 2**20 < sum(unique.values()) <= 128 * 2**20
    assert len(kept[-1].images) == 4
    assert not kept[0].images
