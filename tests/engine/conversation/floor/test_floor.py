"""Sessions in which words decide over an answer, and a model over the end of a turn."""

import asyncio
import threading

import numpy as np
import pytest

from live_cli.engine.backends.scripted import (
    ScriptedChatModel,
    ScriptedTranscriber,
    ScriptedTurnDetector,
)
from live_cli.engine.conversation.user_turn import SAID_OVER_ANSWER
from live_cli.engine.stages import BY_WORDS, ChatDelta, ChatUsage
from live_cli.protocol.events import ActivityStarted
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    RealtimeInputConfig,
    Setup,
)
from tests.harness.scripted_session import ScriptedRegistry, silence, utterance
from tests.harness.speech import speech_like

LONG = "One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten."


class HeldChat(ScriptedChatModel):
    """Writes nothing until it is let go; counts the replies that were cut short."""

    def __init__(self, replies):
        super().__init__(replies)
        self.let_go = threading.Event()
        self.stopped = threading.Semaphore(0)

    def generate(self, request, on_delta):
        self.requests.append(request)
        while not self.let_go.wait(0.01):
            if on_delta(ChatDelta("")):
                self.stopped.release()
                return ChatUsage()
        self.requests.pop()
        return super().generate(request, on_delta)


class Hears:
    """What the transcriber hears now."""

    text = ""


@pytest.fixture
def hears():
    return Hears()


def by_words(hears, chat=None, turns=None):
    chat = chat or ScriptedChatModel([LONG, "Yes?", "And?"])
    transcriber = ScriptedTranscriber(lambda samples: hears.text)
    return ScriptedRegistry(chat, transcriber, turns=turns, barge_in=BY_WORDS), chat


def transcribed(**fields):
    told = AudioTranscriptionConfig()
    transcripts = {"input_audio_transcription": told, "output_audio_transcription": told}
    return Setup(model="models/local", **transcripts, **fields)


async def asked(harness, hears):
    """Ask, and let half a second of the answer play."""
    hears.text = "Tell me."
    await harness.say(utterance(pause=0.6))
    await harness.shows("generationComplete")
    harness.time.advance(0.5)


def users(chat):
    """What the last request of the chat model holds of the user."""
    return [message.text for message in chat.requests[-1].messages if message.role == "user"]


async def test_a_backchannel_leaves_the_answer_and_is_kept_after_it(connect, hears):
    registry, chat = by_words(hears)
    harness = await connect(transcribed(), registry)
    await asked(harness, hears)
    hears.text = "Mm-hmm."
    await harness.say(utterance(0.35, pause=0.6))
    assert "interrupted" not in harness.words()
    harness.time.advance(60)
    await harness.shows("turnComplete+usage")
    hears.text = "And then?"
    await harness.say(utterance(pause=0.6))
    await harness.shows("generationComplete", 2)
    assert harness.heard() == ["Tell me.", "Mm-hmm.", "And then?"]
    assert users(chat) == ["Tell me.", f"Mm-hmm.\n{SAID_OVER_ANSWER}\nAnd then?"]
    assert chat.requests[-1].messages[-2].text == LONG


@pytest.mark.parametrize("words", ["Wait.", "What about Rome"])
async def test_an_interruption_ends_the_answer_before_it_is_over_itself(connect, hears, words):
    registry, chat = by_words(hears)
    harness = await connect(transcribed(), registry)
    await asked(harness, hears)
    hears.text = words
    await speak_until_interrupted(harness, at_most_s=0.5)
    await harness.say(utterance(0.2, pause=0.7))
    await harness.shows("generationComplete", 2)
    assert users(chat) == ["Tell me.", words]
    assert chat.requests[-1].messages[-2].text != LONG


async def test_speech_that_goes_on_interrupts_whatever_it_says(connect, hears):
    registry, _ = by_words(hears)
    harness = await connect(transcribed(), registry)
    await asked(harness, hears)
    hears.text = "Elsewhere"
    await speak_until_interrupted(harness, at_most_s=0.8)


async def speak_until_interrupted(harness, at_most_s):
    for piece in np.split(speech_like(at_most_s), round(at_most_s / 0.02)):
        await harness.say(piece)
        await asyncio.sleep(0.005)  # the reading goes on in a thread
        if "interrupted" in harness.words():
            return
    raise AssertionError("speech did not interrupt")


async def test_a_short_word_is_judged_in_the_pause_after_it(connect, hears):
    registry, chat = by_words(hears)
    harness = await connect(transcribed(), registry)
    await asked(harness, hears)
    hears.text = "Paris."
    await harness.say(utterance(0.35, pause=0.3))
    await harness.shows("interrupted")
    await harness.say(silence(0.5))
    await harness.shows("generationComplete", 2)
    assert users(chat)[-1] == "Paris."


async def test_speech_that_outlasts_the_answer_is_a_turn_of_its_own(connect, hears):
    registry, chat = by_words(hears)
    harness = await connect(transcribed(), registry)
    await asked(harness, hears)
    hears.text = "Yeah, okay."
    await harness.say(speech_like(0.3))
    harness.time.advance(60)
    await harness.shows("turnComplete+usage")
    await harness.say(utterance(0.2, pause=0.7))
    await harness.shows("generationComplete", 2)
    assert "interrupted" not in harness.words()
    assert users(chat) == ["Tell me.", "Yeah, okay."]


async def test_a_client_that_asks_for_high_sensitivity_gets_googles_manner(connect, hears):
    registry, _ = by_words(hears)
    detection = AutomaticActivityDetection(start_of_speech_sensitivity="START_SENSITIVITY_HIGH")
    realtime = RealtimeInputConfig(automatic_activity_detection=detection)
    harness = await connect(transcribed(realtime_input_config=realtime), registry)
    await asked(harness, hears)
    hears.text = "Mm-hmm."
    await harness.say(speech_like(0.2))
    await harness.shows("interrupted")


# --- ends that were too early --------------------------------------------------------------------

FINISHED = ScriptedTurnDetector(["1.0"])


async def say_in_halves(harness, hears, *, until="heard"):
    """Say a sentence, pause so that its turn is ended, and go on once ``until`` has come."""
    hears.text = "I like pizza."
    await harness.say(utterance(1.0, pause=0.6))
    await harness.shows(until)
    hears.text = "With olives."
    await harness.say(utterance(0.6, pause=0.9))
    await harness.shows("heard", 2)


async def test_speech_that_goes_on_before_any_answer_joins_its_turn(connect, hears):
    chat = HeldChat(["Here you are."])
    registry, _ = by_words(hears, chat=chat, turns=FINISHED)
    harness = await connect(transcribed(), registry)
    await say_in_halves(harness, hears)
    chat.let_go.set()
    await harness.shows("generationComplete")
    assert users(chat) == ["I like pizza.\nWith olives."]
    harness.time.advance(60)
    await harness.shows("turnComplete+usage")
    assert harness.words().count("turnComplete+usage") == 1
    assert "interrupted" not in harness.words()


async def test_speech_that_goes_on_before_the_answer_is_heard_joins_its_turn_too(connect, hears):
    registry, chat = by_words(hears, turns=FINISHED)
    harness = await connect(transcribed(), registry)
    await say_in_halves(harness, hears, until="generationComplete")
    await harness.shows("generationComplete", 2)
    assert harness.words().count("interrupted") == 1
    assert users(chat) == ["I like pizza.\nWith olives."]


async def test_noise_after_an_end_that_was_taken_back_still_leaves_its_answer(connect, hears):
    chat = HeldChat(["Here you are."])
    registry, _ = by_words(hears, chat=chat, turns=FINISHED)
    harness = await connect(transcribed(), registry)
    hears.text = "I like pizza."
    await harness.say(utterance(1.0, pause=0.6))
    await harness.shows("heard")
    await harness.say(utterance(0.13, pause=0.9))
    chat.let_go.set()
    await harness.shows("generationComplete")
    assert users(chat) == ["I like pizza."]


# --- work ahead ----------------------------------------------------------------------------------


async def test_the_answer_is_begun_in_the_pause_and_told_only_at_its_end(connect, hears):
    registry, chat = by_words(hears, turns=ScriptedTurnDetector(["0.6"]))
    harness = await connect(transcribed(), registry)
    hears.text = "How are you?"
    await harness.say(utterance(1.0, pause=0.4))
    await until(lambda: chat.requests)
    assert harness.words() == []
    await harness.say(silence(0.6))
    await harness.shows("generationComplete")
    assert len(chat.requests) == 1
    assert harness.words()[:2] == ["heard", "said"]
    assert harness.said() == LONG
    assert len(harness.audio()) > 0


async def test_what_was_begun_is_thrown_away_when_speech_goes_on(connect, hears):
    chat = HeldChat(["Fine."])
    registry, _ = by_words(hears, chat=chat, turns=ScriptedTurnDetector(["0.1"]))
    harness = await connect(transcribed(), registry)
    hears.text = "How are you?"
    await harness.say(utterance(1.0, pause=0.4))
    await until(lambda: chat.requests)
    hears.text = "How are you today?"
    await harness.say(speech_like(0.6))
    assert await asyncio.to_thread(chat.stopped.acquire, timeout=30)
    await harness.say(silence(2.3))
    chat.let_go.set()
    await harness.shows("generationComplete")
    assert harness.heard() == ["How are you today?"]
    assert users(chat) == ["How are you today?"]


@pytest.mark.parametrize(
    ("words", "detection"),
    [
        ("I would like a pizza with", {}),
        ("How are you?", {"disabled": True}),
    ],
)
async def test_nothing_is_begun_for_what_is_unfinished_or_marked(connect, hears, words, detection):
    registry, chat = by_words(hears, turns=ScriptedTurnDetector(["0.1"]))
    found = AutomaticActivityDetection(**detection)
    realtime = RealtimeInputConfig(automatic_activity_detection=found)
    harness = await connect(transcribed(realtime_input_config=realtime), registry)
    read = []
    chat.prefill = lambda messages, tools, salt: read.append(messages[-1].text)
    hears.text = words
    if detection:
        await harness.session.handle(ActivityStarted())
    await harness.say(utterance(1.0, pause=0.9))
    await until(lambda: words in read)
    assert chat.requests == []


async def until(wanted):
    async with asyncio.timeout(30):
        while not wanted():  # noqa: ASYNC110 - what a worker thread of the chat model has got
            await asyncio.sleep(0.01)
