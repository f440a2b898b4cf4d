"""Whom an utterance addresses: examples of both kinds, in every state of a conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.conversation.cues.addressee import (
    AddresseeDetector,
    DialogueState,
    is_addressed,
    name_in,
)

FIRST = DialogueState()
CONVERSING = DialogueState(since_reply_s=3.0)
ASKED = DialogueState(since_reply_s=12.0, reply_asked=True)
LONG_AGO = DialogueState(since_reply_s=300.0)
NOVA = DialogueState(since_reply_s=300.0, name="Nova")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        # questions, whenever
        ("What is the capital of France?", LONG_AGO),
        ("How many legs does a spider have?", LONG_AGO),
        ("Is it going to rain tomorrow?", LONG_AGO),
        ("So, why is the sky blue?", LONG_AGO),
        ("And what about the moon?", LONG_AGO),
        ("Okay, how long should I boil an egg?", LONG_AGO),
        ("What's the weather in Portland, Oregon?", LONG_AGO),
        ("You can do that, can you?", LONG_AGO),
        ("who wrote hamlet", LONG_AGO),
        ("¿Cuál es la capital de Francia?", LONG_AGO),
        ("法国的首都是什么？", LONG_AGO),
        # requests
        ("Tell me a joke.", LONG_AGO),
        ("Please set a timer for ten minutes.", LONG_AGO),
        ("Can you read that again, please?", LONG_AGO),
        ("Could you speak a bit slower?", LONG_AGO),
        ("I need a recipe with lentils.", LONG_AGO),
        ("I'd like to learn about volcanoes.", LONG_AGO),
        ("Well, I was wondering how planes fly.", LONG_AGO),
        ("I have a question about my taxes.", LONG_AGO),
        ("Stop.", LONG_AGO),
        ("Let's play a game.", LONG_AGO),
        ("I'm learning German and I need help with articles.", LONG_AGO),
        # the first words of all
        ("Hello.", FIRST),
        ("Hey there!", FIRST),
        ("Good morning.", FIRST),
        ("I had a terrible day.", FIRST),
        # within a conversation
        ("And in winter.", CONVERSING),
        ("The second one.", CONVERSING),
        ("Slower, please.", CONVERSING),
        ("Interesting, and after that?", CONVERSING),
        ("That doesn't sound right.", CONVERSING),
        ("My sister says the same.", CONVERSING),
        ("She lives in Hamburg.", CONVERSING),
        ("Because I like it.", CONVERSING),
        ("It was in nineteen seventy.", CONVERSING),
        # answers to what it asked
        ("Yes.", ASKED),
        ("No, thanks.", ASKED),
        ("The blue one.", ASKED),
        ("Okay.", ASKED),
        ("Two teaspoons.", ASKED),
        ("Hamburg.", ASKED),
        ("Yes, Hamburg.", ASKED),
        # by its name
        ("Nova, turn on the light.", NOVA),
        ("Hey Nova.", NOVA),
        ("He never listens to me, Nova.", NOVA),
        ("Thanks, Nova!", NOVA),
        ("okay novah", NOVA),
    ],
)
def test_said_to_it(text, state):
    assert is_addressed(text, state)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        # talk to others, by name or by what they are to one another
        ("Peter, can you bring the bread?", LONG_AGO),
        ("Hey Anna, did you see my keys?", LONG_AGO),
        ("Mom, where are my shoes?", LONG_AGO),
        ("Dinner is ready, kids.", LONG_AGO),
        ("Did you lock the door, Anna?", LONG_AGO),
        ("What do you want to eat, honey?", LONG_AGO),
        ("Thanks, Tom.", LONG_AGO),
        ("Hi, Martha!", LONG_AGO),
        ("Maria, come here.", CONVERSING),
        ("Dad, what time is it?", CONVERSING),
        ("Peter, ask Nova about it tomorrow.", DialogueState(since_reply_s=300.0, name="Ivy")),
        # television and radio
        ("The president arrived in Paris this morning.", LONG_AGO),
        ("In other news, shares fell by two percent.", LONG_AGO),
        ("The company announced record profits on Tuesday.", LONG_AGO),
        ("There is heavy traffic on the ring road.", LONG_AGO),
        ("According to the police, nobody was hurt.", LONG_AGO),
        ("He shoots, and it's a goal!", LONG_AGO),
        ("After the break, the finals of the evening.", LONG_AGO),
        ("The suspect was last seen near the station.", FIRST),
        # chatter
        ("She told him that they were moving to Spain.", LONG_AGO),
        ("Did he call you back?", LONG_AGO),
        ("And then they just left.", LONG_AGO),
        ("We went to the lake on Sunday.", LONG_AGO),
        ("It's so cold in here.", LONG_AGO),
        ("I think we should paint the kitchen.", LONG_AGO),
        ("My back hurts.", LONG_AGO),
        ("You never take out the trash.", LONG_AGO),
        ("Pass me the salt, please.", LONG_AGO),
        ("That was a great film, right?", LONG_AGO),
        ("No, not like that.", LONG_AGO),
        ("They said he would be here by now.", FIRST),
        # murmurs that want no answer
        ("Hm.", CONVERSING),
        ("Uh-huh.", CONVERSING),
        ("Mm-hmm.", CONVERSING),
        ("Okay, thank you very much.", CONVERSING),
        ("Oh wow, nice.", CONVERSING),
        ("Okay.", LONG_AGO),
        ("Thanks.", LONG_AGO),
        ("Yes.", LONG_AGO),
        # from the next room
        ("Where did I put the scissors?", DialogueState(300.0, level_db=-14.0)),
        ("It was the second one.", DialogueState(3.0, level_db=-14.0)),
    ],
)
def test_said_to_others(text, state):
    assert not is_addressed(text, state)


@pytest.mark.parametrize(
    ("instruction", "name"),
    [
        ("You are Nova.", "Nova"),
        ("You are Nova, a cheerful guide.", "Nova"),
        ("you're Ivy and you love plants", "Ivy"),
        ("Be brief. Your name is Max.", "Max"),
        ("You are a helpful assistant called Juno.", "Juno"),
        ('You are an assistant named "Otto".', "Otto"),
        ("You are a helpful assistant.", None),
        ("You are Google's assistant.", None),
        ("The user is called from behind.", None),
        ("Answer in English.", None),
        ("", None),
    ],
)
def test_its_name_is_in_the_instruction(instruction, name):
    assert name_in(instruction) == name


def test_attention_fades_after_a_reply():
    detector = AddresseeDetector("")
    assert detector.is_addressed("The weather was awful.", -30.0, begun_at=0.0) is False
    detector.note_reply("It was sunny.", now=10.0)
    answered = [
        detector.is_addressed("In Hamburg.", -30.0, begun_at=10.0 + s) for s in (1, 7, 9, 30)
    ]
    assert answered == [True, True, False, False]
    detector.note_reply("Where was that?", now=100.0)
    answered = [
        detector.is_addressed("In Hamburg.", -30.0, begun_at=100.0 + s) for s in (1, 15, 25)
    ]
    assert answered == [True, True, False]


def test_quiet_is_what_is_quieter_than_those_who_talk_to_it():
    detector = AddresseeDetector("")
    detector.note_reply("It is noon.", now=-300.0)
    for _ in range(3):
        assert detector.is_addressed("What time is it?", -45.0, begun_at=0.0)
    assert not detector.is_addressed("What time is it?", -58.0, begun_at=0.0)
    assert detector.is_addressed("What time is it?", -50.0, begun_at=0.0)


@pytest.mark.parametrize("text", ["m" * 5000 + "x", "ok " * 5000 + "x", "so, " * 5000, "a" * 5000])
def test_what_is_endless_is_decided_too(text):
    assert is_addressed(text, NOVA) in (True, False)


@given(st.text(max_size=80), st.sampled_from([FIRST, CONVERSING, ASKED, LONG_AGO, NOVA]))
def test_whatever_is_heard_is_decided(text, state):
    assert is_addressed(text, state) in (True, False)
