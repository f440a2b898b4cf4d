"""The history: messages, tokens, trimming."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.conversation.handles import Handles
from live_cli.engine.conversation.history import MODEL, USER, History, TokenCount, Window
from live_cli.engine.conversation.stored_image import StoredImage
from live_cli.engine.stages import Image
from tests.harness.images import jpeg

WIDE = Window(context_tokens=100_000)


def filled(window=WIDE, turns=10, text="x" * 40):
    conversation = History("Be kind.", window)
    for _ in range(turns):
        conversation.add(USER, text)
        conversation.add(MODEL, text)
    conversation.add(USER, "last")
    return conversation


def test_consecutive_entries_of_a_role_are_one_message():
    conversation = History("Be kind.", WIDE)
    for role, text in [(USER, "a"), (USER, "b"), (MODEL, "c"), (MODEL, "d")]:
        conversation.add(role, text)
    messages = conversation.messages(heard="e")
    assert [(m.role, m.text) for m in messages] == [
        ("system", "Be kind."),
        ("user", "a\nb"),
        ("assistant", "c\nd"),
        ("user", "e"),
    ]


def test_what_was_only_heard_is_not_kept():
    conversation = History("", WIDE)
    assert len(conversation.messages(heard="e")) == 1
    assert conversation.messages() == ()


def test_billed_tokens_by_modality():
    conversation = History("12345678", WIDE)
    conversation.add(USER, "said", audio_s=2.0)
    conversation.add(MODEL, "spoken", audio_s=3.02)
    conversation.add(USER, "typed!")
    assert conversation.billed() == TokenCount(text=2 + 2, audio=50 + 76)


def picture(number=0, size=7, tokens=258, live=True):
    data = jpeg(number) + bytes(size - 7)
    return StoredImage(Image(data, "image/jpeg"), tokens, live)


def shown(conversation):
    return [
        int.from_bytes(image.data[3:7], "big")
        for message in conversation.messages()
        for image in message.images
    ]


def test_pictures_are_billed_by_modality_and_resolution():
    conversation = History("", WIDE)
    conversation.add(USER, "", pictures=(picture(tokens=64), picture(tokens=64)))
    conversation.add(USER, "what?", pictures=(picture(tokens=256, live=False),))
    assert conversation.billed() == TokenCount(text=2, audio=0, image=256, video=128)
    assert conversation.billed().total == 386


def test_pictures_go_with_the_words_they_came_with():
    conversation = History("", WIDE)
    conversation.add(USER, "first", pictures=(picture(1),))
    conversation.add(USER, "", pictures=(picture(2),))
    conversation.add(MODEL, "seen")
    conversation.add(USER, "third", pictures=(picture(3),))
    first, _, third = conversation.messages()
    assert (first.text, len(first.images)) == ("first", 2)
    assert (third.text, len(third.images)) == ("third", 1)
    assert shown(conversation) == [1, 2, 3]


def test_an_aside_is_read_by_the_model_and_not_billed():
    plain, told = History("", WIDE), History("", WIDE)
    plain.add(USER, "hello", 1.0)
    told.add(USER, "hello", 1.0, aside="(softly)")
    assert told.messages()[0].text == "hello\n(softly)"
    assert told.billed() == plain.billed()


def test_old_pictures_go_before_any_text_rarely_and_in_large_steps():
    conversation = History("Be kind.", Window(context_tokens=8192))
    counts = []
    for turn in range(100):
        conversation.add(USER, "What is this?", pictures=(picture(turn),))
        assert conversation.trim() == 0
        assert conversation.model_tokens() <= 8192
        counts.append(len(shown(conversation)))
        assert shown(conversation)[-1] == turn
        conversation.add(MODEL, "A cup.")
    drops = [before - after for before, after in pairwise(counts) if after < before]
    assert len(conversation.entries) == 200
    assert len(drops) <= 12
    assert min(drops) >= 8


def test_the_newest_pictures_stay_when_text_has_to_go():
    conversation = History("", Window(context_tokens=2000))
    for turn in range(20):
        conversation.add(USER, "x" * 400, pictures=(picture(turn),))
        conversation.add(MODEL, "y" * 40)
    conversation.add(USER, "last")
    assert conversation.trim() > 0
    assert shown(conversation)[-1] == 19
    assert conversation.model_tokens() <= 1600


def test_pictures_are_bounded_in_number_and_bytes_whatever_the_window():
    for size in (7, 3 * 2**20):
        conversation = History("", Window(context_tokens=10**9))
        for turn in range(60):
            conversation.add(USER, "look", pictures=(picture(turn, size),))
            conversation.trim()
            assert len(shown(conversation)) <= 40
            assert len(shown(conversation)) * size <= 32 * 2**20
        assert shown(conversation)[-4:] == [56, 57, 58, 59]
        assert len(conversation.entries) == 60


def test_a_turn_of_pictures_alone_leaves_nothing_behind():
    conversation = History("", Window(context_tokens=4096))
    conversation.add(USER, "", pictures=tuple(map(picture, range(30))))
    conversation.add(USER, "What did I show you?")
    conversation.trim()
    [message] = conversation.messages()
    assert message.text == "What did I show you?"
    assert 4 <= len(message.images) <= 6


def test_nothing_goes_below_the_limit():
    assert filled().trim() == 0


def test_trimming_is_rare_and_large():
    conversation = History("Be kind.", Window(context_tokens=1000))
    drops = []
    for _ in range(100):
        conversation.add(USER, "x" * 80)
        drops.append(conversation.trim())
        conversation.add(MODEL, "y" * 80)
    assert 2 <= sum(drop > 0 for drop in drops) <= 12
    assert conversation.model_tokens() <= 1000


def test_the_clients_trigger_and_target_are_honoured():
    conversation = filled(Window(100_000, trigger_tokens=150, target_tokens=60))
    assert conversation.billed().total > 150
    conversation.trim()
    assert conversation.billed().total <= 60
    assert conversation.entries[0].role == USER


def test_the_default_target_is_half_of_the_trigger():
    conversation = filled(Window(100_000, trigger_tokens=150))
    conversation.trim()
    assert 55 <= conversation.billed().total <= 75


def test_the_models_own_count_corrects_the_estimate():
    conversation = filled(Window(context_tokens=1000))
    assert conversation.trim() == 0
    conversation.calibrate(conversation.messages(), 900)  # denser text than four characters a token
    assert conversation.trim() > 0


def test_a_snapshot_is_not_changed_by_what_follows():
    conversation = filled(turns=1)
    snapshot = conversation.snapshot()
    conversation.add(MODEL, "more")
    again = History("Be kind.", WIDE)
    again.restore(snapshot)
    assert [entry.text for entry in again.entries][-1] == "last"


@given(
    st.lists(st.tuples(st.sampled_from([USER, MODEL]), st.integers(1, 400)), max_size=60),
    st.integers(0, 300),
)
def test_trimming_keeps_the_last_user_turn_and_starts_with_a_user_turn(turns, trigger):
    conversation = History("Be kind.", Window(2000, trigger_tokens=trigger))
    for role, length in turns:
        conversation.add(role, "x" * length)
    conversation.add(USER, "the question")
    dropped = conversation.trim()
    entries = conversation.entries
    assert entries[-1].text == "the question"
    assert not dropped or entries[0].role == USER
    assert conversation.messages()[0].role == "system"
    assert conversation.trim() == 0 or conversation.billed().total > trigger


def test_pictures_count_toward_the_clients_trigger():
    conversation = History("", Window(10**6, trigger_tokens=2000, target_tokens=600))
    for turn in range(8):
        conversation.add(USER, "look", pictures=(picture(turn),))
        assert (conversation.trim() > 0) == (turn == 7)  # 8 x 259 tokens
        conversation.add(MODEL, "yes")
    assert conversation.billed().total <= 600
    assert shown(conversation) == [6, 7]


def test_handles_keep_what_was_said_when_pictures_are_too_many():
    handles = Handles()
    given = []
    for session in range(10):
        conversation = History("", WIDE)
        for turn in range(4):
            conversation.add(USER, f"{session}: look", pictures=(picture(turn, 6 * 2**20),))
            given.append(handles.give("local", conversation.snapshot(), now=0.0))
    kept = [handles.take(handle, "local", now=1.0) for handle in given]
    assert [len(snapshot.entries) for snapshot in kept] == [1, 2, 3, 4] * 10
    unique = {id(seen): seen.bytes for snapshot in kept for seen in snapshot.pictures}
    assert 96 * 2**20 < sum(unique.values()) <= 128 * 2**20
    assert len(kept[-1].pictures) == 4
    assert not kept[0].pictures
