"""The history: messages, tokens, trimming."""

from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.conversation import MODEL, USER, Conversation, TokenCount, Window

WIDE = Window(context_tokens=100_000)


def filled(window=WIDE, turns=10, text="x" * 40):
    conversation = Conversation("Be kind.", window)
    for _ in range(turns):
        conversation.add(USER, text)
        conversation.add(MODEL, text)
    conversation.add(USER, "last")
    return conversation


def test_consecutive_entries_of_a_role_are_one_message():
    conversation = Conversation("Be kind.", WIDE)
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
    conversation = Conversation("", WIDE)
    assert len(conversation.messages(heard="e")) == 1
    assert conversation.messages() == ()


def test_billed_tokens_by_modality():
    conversation = Conversation("12345678", WIDE)
    conversation.add(USER, "said", audio_s=2.0)
    conversation.add(MODEL, "spoken", audio_s=3.02)
    conversation.add(USER, "typed!")
    assert conversation.billed() == TokenCount(text=2 + 2, audio=50 + 76)


def test_nothing_goes_below_the_limit():
    assert filled().trim() == 0


def test_trimming_is_rare_and_large():
    conversation = Conversation("Be kind.", Window(context_tokens=1000))
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
    again = Conversation("Be kind.", WIDE)
    again.restore(snapshot)
    assert [entry.text for entry in again.entries][-1] == "last"


@given(
    st.lists(st.tuples(st.sampled_from([USER, MODEL]), st.integers(1, 400)), max_size=60),
    st.integers(0, 300),
)
def test_trimming_keeps_the_last_user_turn_and_starts_with_a_user_turn(turns, trigger):
    conversation = Conversation("Be kind.", Window(2000, trigger_tokens=trigger))
    for role, length in turns:
        conversation.add(role, "x" * length)
    conversation.add(USER, "the question")
    dropped = conversation.trim()
    entries = conversation.entries
    assert entries[-1].text == "the question"
    assert not dropped or entries[0].role == USER
    assert conversation.messages()[0].role == "system"
    assert conversation.trim() == 0 or conversation.billed().total > trigger
