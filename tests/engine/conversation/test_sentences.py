"""Clauses out of a stream of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.conversation.sentences import ClauseSplitter, speakable

SENTENCES = ["It is 3.14. ", "Dr. No said so. ", "Yes! ", "Why? ", "Well, so be it. "]


def split(text, size=None):
    splitter = ClauseSplitter()
    step = size or len(text) or 1
    pieces = [text[start : start + step] for start in range(0, len(text), step)]
    clauses = [clause for piece in pieces for clause in splitter.push(piece)]
    return clauses + splitter.flush()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Yes. No. Maybe.", ["Yes.", " No.", " Maybe."]),
        (
            "See fig. 3 or No. 5 there. No. Never.",
            ["See fig. 3 or No. 5 there.", " No.", " Never."],
        ),
        ("Well, that is how it is.", ["Well, that is how it is."]),
        ("That is right, my friend, so be it.", ["That is right,", " my friend, so be it."]),
        (
            "Dr. Smith met Mrs. Jones at 5 p.m. sharp.",
            ["Dr. Smith met Mrs. Jones", " at 5 p.m. sharp."],
        ),
        ("Pi is 3.14 and e is 2.71. Really.", ["Pi is 3.14 and e is 2.71.", " Really."]),
        ("Hm... well then. Go.", ["Hm... well then.", " Go."]),
        ("J. R. Smith wrote it. Good.", ["J. R. Smith wrote it.", " Good."]),
        ("Ask me. I will. I do.", ["Ask me.", " I will.", " I do."]),
        ('He said "Go!" Then he left.', ['He said "Go!"', " Then he left."]),
        ("See example.com for it. Yes.", ["See example.com for it.", " Yes."]),
        ("What?! No way!", ["What?!", " No way!"]),
        ("First line\nsecond line", ["First line\n", "second line"]),
        ("你好。再见。", ["你好。", "再见。"]),
        ("", []),
    ],
)
def test_clauses_of(text, clauses):
    assert [clause.text for clause in split(text)] == clauses


def test_the_first_clause_does_not_wait_for_a_comma():
    words = " ".join(f"word{index}" for index in range(30)) + "."
    clauses = split(words, size=3)
    assert len(clauses[0].text.split()) == 12
    assert len(clauses) == 2


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("The story of Romeo and Juliet is old.", "The story of Romeo"),
        ("I know what it is for me.", "I know what it is"),
        ("It is not only in the city.", "It is not only"),
        ("Go on and on with it.", "Go on and on with it."),
        ("Read [the page that you like](https://a.example) now.", None),
        ('He knows what "Romeo and Juliet" means.', None),
        ("Type `a b c and d` there.", None),
        ("He came (it was a Sunday, and late).", None),
        ("Das ist ein Haus mit Garten.", "Das ist ein Haus"),
        ("La capital de Francia es París y nada más.", "La capital de Francia es París"),
    ],
)
def test_the_first_clause_ends_where_a_phrase_begins(text, first):
    assert split(text, size=3)[0].text == (first or text)


def test_a_comma_in_the_first_clause_waits_for_nothing_but_between_digits():
    splitter = ClauseSplitter()
    assert not splitter.push("It has 12,")
    assert not splitter.push("500 people")
    assert [clause.text for clause in splitter.push(",")] == ["It has 12,500 people,"]


def test_a_later_clause_is_a_whole_sentence_unless_the_one_before_will_soon_have_been_heard():
    sentence = " go on for long, with a dog and a cat that"
    for hurried, clauses in ((False, []), (True, [" I go on for long, with a dog and a cat"])):
        splitter = ClauseSplitter()
        splitter.push("Yes. I")
        assert not splitter.push(sentence)
        assert [clause.text for clause in splitter.push(" sits", hurried=hurried)] == clauses


def test_a_later_sentence_is_not_cut_at_its_commas():
    clauses = split("Yes. One thing, and another, and a third one, and no more.")
    assert len(clauses) == 2


def test_an_endless_sentence_is_cut_all_the_same():
    text = "Yes. " + "and so on, " * 100
    assert max(len(clause.text) for clause in split(text, size=5)) < 300


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("**Bold** and *slanted* and `code`.", "Bold and slanted and code."),
        ("# Title\n", "Title"),
        ("- item one\n", "item one"),
        ("1. First of all", "First of all"),
        ("See [the page](https://example.com/x?y=1).", "See the page."),
        ("Great! 🎉👩‍🚀 ✅", "Great!"),
        ("snake_case stays, 2 * 3 = 6", "snake_case stays, 2 3 = 6"),
        ("```python\nprint()\n```", "print()"),
        ("🎉", ""),
        ("...", ""),
        ("---", ""),
        ("It costs $5, or 3.14 €.", "It costs $5, or 3.14 €."),
    ],
)
def test_what_is_spoken_of(text, speech):
    assert speakable(text) == speech


def test_what_is_not_spoken_stays_in_the_text():
    clauses = split("Great! 🎉 **Go** on.")
    assert "".join(clause.text for clause in clauses) == "Great! 🎉 **Go** on."


@given(st.text(alphabet="ab. ,!?\n*_1Dr…🎉。", max_size=200), st.integers(1, 20))
def test_the_clauses_are_the_text(text, size):
    assert "".join(clause.text for clause in split(text, size)) == text


@given(st.lists(st.sampled_from(SENTENCES)))
def test_the_cut_does_not_depend_on_how_the_text_arrives(sentences):
    text = "".join(sentences)
    assert split(text, 1) == split(text, 7)
